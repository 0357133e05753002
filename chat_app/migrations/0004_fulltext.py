"""The full-text index of messages, made without locking the table."""

from django.db import migrations

from chat_app import fulltext


def _install(_apps, schema_editor):
    # The statements live in fulltext.py, which also restores SQLite's triggers after migrations.
    fulltext.install(schema_editor.connection)


class Migration(migrations.Migration):

    atomic = False  # CREATE INDEX CONCURRENTLY

    dependencies = [
        ('chat_app', '0003_console'),
    ]

    operations = [
        migrations.RunPython(_install, migrations.RunPython.noop),
    ]
