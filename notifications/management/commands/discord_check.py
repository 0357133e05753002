"""`manage.py discord_check`: says plainly what is wrong with Discord, and exits with 1 then."""

import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from notifications import configuration


class Command(BaseCommand):
    """Asks Discord everything that the mirror and the bot depend on."""

    help = "Check Discord's settings, token, channel, permissions, intent and roles."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what is well and what is not."""
        if not settings.DISCORD_ENABLED:
            raise CommandError("DISCORD_ENABLED is off: nothing is mirrored.")
        faults = configuration.faults()
        if not faults:
            from notifications.discord_bot import checking

            good, faults = asyncio.run(checking.examine())
            for line in good:
                self.stdout.write(f"ok     {line}")
        for fault in faults:
            self.stdout.write(f"wrong  {fault}")
        if faults:
            raise CommandError(f"{len(faults)} to repair; docs/discord.md says how.")
        self.stdout.write("Discord is set up.")
