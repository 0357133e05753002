"""`manage.py backup FILE`: the database as one file, while everything runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatsite import dumps, restoring


class Command(BaseCommand):
    """Writes the backup."""

    help = "Write the database to FILE, consistent and checked, while everything runs."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        """Write it; says what is in it, and what else must be kept."""
        if file.exists():
            raise CommandError(f"{file} is there already.")
        began, held = time.monotonic(), restoring.contents()
        try:
            dumps.save(file)
        except (dumps.CannotDump, OSError) as error:
            raise CommandError(str(error)) from error
        size, seconds = file.stat().st_size / 1e6, time.monotonic() - began
        self.stdout.write(f"{file}: {held}, {size:.1f} MB in {seconds:.1f} s.")
        self.stdout.write("Keep EMAIL_HASH_KEY and the other keys with it, not in one place.")
