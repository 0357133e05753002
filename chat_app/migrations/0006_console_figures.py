"""An index for answers that a fallback model gave; figures of days are counted anew."""

from django.db import migrations, models


def _forget(apps, _schema_editor):
    # They lack counts that are kept from now on; beat makes them again within minutes.
    apps.get_model('chat_app', 'DayFigures').objects.all().delete()


class Migration(migrations.Migration):

    dependencies = [
        ('chat_app', '0005_roles'),
        ('sessions_app', '0003_console'),
    ]

    operations = [
        migrations.RunPython(_forget, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='chatmessage',
            index=models.Index(condition=models.Q(('status', 'done'), models.Q(('error', ''), _negated=True)), fields=['session', 'timestamp'], name='message_fallback'),
        ),
    ]
