"""Who of the staff may do what, asked by name."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from sessions_app.audit import Actor


@dataclass(frozen=True, slots=True)
class Viewer:
    """What the person who looks may see and do; `label` is what they are shown as."""

    pk: int
    label: str
    may_act: bool
    may_see_personal: bool
    may_export: bool
    may_erase: bool


def viewer(request: HttpRequest) -> Viewer:
    """The person behind the request. Raises PermissionDenied where they may not even read."""
    user = request.user
    if not user.has_perm("sessions_app.view_chatsession"):
        raise PermissionDenied
    return Viewer(
        pk=user.pk or 0,
        label=user.get_username(),
        may_act=user.has_perm("sessions_app.act_chatsession"),
        may_see_personal=user.has_perm("sessions_app.personal_chatsession"),
        may_export=user.has_perm("sessions_app.export_chatsession"),
        may_erase=user.has_perm("sessions_app.erase_chatsession"),
    )


def actor(request: HttpRequest) -> Actor:
    """The same person, as the audit names them."""
    return Actor("admin", str(request.user.pk), request.user.get_username())


def require(is_allowed: bool) -> None:
    """Raise PermissionDenied unless it is."""
    if not is_allowed:
        raise PermissionDenied
