"""`manage.py document_settings`: the settings as docs/configuration.md lists them."""

from django.core.management.base import BaseCommand

from chatsite import env

_HEAD = """# Configuration

Every setting is a variable of the environment, or a line of the file `.env` in the project's
folder (the environment wins). A secret may also come from a file: `NAME_FILE=/run/secrets/name`.
A value that cannot be read stops the process at its start and names the setting.

This page is made by `make docs` from the code; a test fails when it is stale.

| setting | kind | default | effect |
|---|---|---|---|
"""


def table() -> str:
    """The page."""
    lines = [
        f"| `{one.name}` | {one.kind} | {_default(one.default)} | {one.effect} |"
        for one in env.DECLARED.values()
    ]
    return _HEAD + "\n".join(lines) + "\n"


def _default(value: str) -> str:
    value = value.replace(str(env.BASE_DIR), ".").replace("|", "\\|")
    return f"`{value}`" if value else ""


class Command(BaseCommand):
    """Prints the page."""

    help = "Print docs/configuration.md, made from the settings that the code declares."

    def handle(self, *args: object, **options: object) -> None:
        """Print it."""
        self.stdout.write(table(), ending="")
