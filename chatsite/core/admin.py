"""What every admin page of ours shares: rows are looked at, never typed into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest
from django.utils.functional import cached_property

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Model]
    TabularInline = admin.TabularInline[Model, Model]
    _Paginator = Paginator[Model]
else:
    ModelAdmin, TabularInline, _Paginator = admin.ModelAdmin, admin.TabularInline, Paginator

_MOST_PAGES_ROWS = 10_000


class BoundedPaginator(_Paginator):
    """Counts no further than 10,000 rows: a full count reads a whole table for a number."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, at most 10,000."""
        return int(self.object_list[:_MOST_PAGES_ROWS].count())  # type: ignore[attr-defined]


class _ReadOnly:
    def has_add_permission(self, *_: Any, **__: Any) -> bool:
        """Nobody adds rows here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes rows here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes rows here."""
        return False


class ReadOnlyAdmin(_ReadOnly, ModelAdmin):
    """A model's pages for reading."""

    show_full_result_count = False
    paginator = BoundedPaginator


class ReadOnlyInline(_ReadOnly, TabularInline):
    """Rows of another model on a page, for reading."""

    extra = 0
    can_delete = False
    show_change_link = False
