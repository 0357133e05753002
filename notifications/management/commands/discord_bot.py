"""`manage.py discord_bot`: the process that listens to moderators."""

import asyncio
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chatsite.core import surroundings
from notifications import configuration


class Command(BaseCommand):
    """Runs the bot until it is told to stop."""

    help = "Listen to what moderators do in Discord; a second process waits for the first to end."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, or say what is not set."""
        if not configuration.is_complete():
            faults = configuration.faults() or ["DISCORD_ENABLED is off."]
            raise CommandError(" ".join(faults))
        surroundings.refuse()
        from notifications.discord_bot import running

        asyncio.run(running.run())
