"""`manage.py restore FILE`: a backup in the place of the database, with all processes stopped."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from chatsite import dumps, restoring


class Command(BaseCommand):
    """Restores the backup."""

    help = "Put the backup FILE in the database's place. Stop all processes first."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, and the word that what is there may go."""
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("file", type=Path, nargs="?")
        source.add_argument(
            "--loaded", action="store_true", help="pg_restore has loaded it already; do the rest."
        )
        parser.add_argument(
            "--replace", action="store_true", help="The database holds sessions; they may go."
        )

    def handle(self, *args: Any, file: Path | None, replace: bool, **options: Any) -> None:
        """Restore, migrate, reconcile; says what is there now."""
        began = time.monotonic()
        if file:
            _load(file, replace=replace)
        call_command("migrate", interactive=False, verbosity=0)
        checked = restoring.reconcile()
        seconds = time.monotonic() - began
        self.stdout.write(f"Restored {restoring.contents()} in {seconds:.1f} s.")
        self.stdout.write(f"{checked} deliveries to Discord look first whether they arrived.")
        self.stdout.write("Start the processes; unfinished answers are taken up again.")


def _load(file: Path, *, replace: bool) -> None:
    if not replace and (held := _held()):
        raise CommandError(f"The database holds {held}. With --replace they are lost.")
    try:
        dumps.load(file)
    except dumps.CannotDump as error:
        raise CommandError(str(error)) from error


def _held() -> restoring.Contents | None:
    """What would be lost, None where there is nothing or there are no tables yet."""
    try:
        found = restoring.contents()
    except DatabaseError:
        return None
    return found if found.sessions else None
