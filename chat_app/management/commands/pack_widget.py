"""`manage.py pack_widget`: join and minify the widget's sources into what is served."""

from typing import Any

from django.core.management.base import BaseCommand

from chat_app import packing


class Command(BaseCommand):
    """Writes `chat_app/static/chat_app/packed/`."""

    help = "Pack the widget after a change of its sources (needs tdewolff-minify, a dev tool)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the files."""
        import minify

        packing.PACKED.mkdir(exist_ok=True)
        for entry in packing.ENTRIES:
            text = packing.pack(
                entry, lambda source: str(minify.string("application/javascript", source))
            )
            (packing.PACKED / entry).write_text(text, encoding="utf-8")
            self.stdout.write(f"{entry}: {len(text)} characters")
