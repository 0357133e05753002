"""Events: an index that their unique order begins with, and Django's twin of it for LIKE."""

import django.db.models.deletion
from django.db import migrations, models

from chatsite.core import indexes


class Migration(migrations.Migration):

    atomic = False  # DROP INDEX CONCURRENTLY

    dependencies = [
        ('sessions_app', '0006_bots'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            # AlterField itself would check the foreign key of every row anew.
            database_operations=[
                indexes.dropping(
                    'sessions_app_sessionevent_session_id_19649f05',
                    'sessions_app_sessionevent_session_id_19649f05_like',
                ),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name='sessionevent',
                    name='session',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='sessions_app.chatsession'),
                ),
            ],
        ),
    ]
