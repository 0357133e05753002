"""`manage.py up`: everything that Chatsite needs, on this machine, in one terminal."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from chatsite.core import checks
from chatsite.local import first, keys, plan, preflight, ready
from chatsite.local.console import Console
from chatsite.local.supervisor import Supervisor


class Command(BaseCommand):
    """Runs all processes until Ctrl-C."""

    help = "Runs Chatsite on this machine: the web, the workers, Valkey and a small model."
    # The keys that the checks ask for are made by the first run.
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, prepare, run; leaves with the supervisor's exit status."""
        console = Console(sys.stdout)
        directory = settings.BASE_DIR / "var"
        try:
            with preflight.alone(directory):
                checks.refuse_one_port_for_two()
                preflight.check_port(settings.HOST, settings.PORT)
                _make_keys(console)
                with plan.compose(directory, is_terminal=sys.stdout.isatty()) as composed:
                    code = _run(composed, console)
        except preflight.CannotStart as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            code = 130
        sys.exit(code)


def _make_keys(console: Console) -> None:
    """On the first run, write .env and begin anew, so that every setting is read from it."""
    if keys.ensure(settings.BASE_DIR / ".env", os.environ):
        console.say("First run: keys for this machine are in .env (readable by you alone).")
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  (itself)


def _run(composed: plan.Plan, console: Console) -> int:
    password = first.prepare()
    login = f"   {first.NAME} / {password} (shown only this once)" if password else ""
    unshown = [login] if login else []
    web = ready.Web(settings.HOST, settings.PORT)
    welcome = ready.Welcome(console, web, composed.model, login, shown=unshown.clear)
    supervisor = Supervisor(
        environment=composed.environment, directory=settings.BASE_DIR, console=console
    )
    try:
        return asyncio.run(supervisor.run(composed.stages, then=welcome))
    finally:
        for line in unshown:
            console.say(f"Admin login:{line}")
