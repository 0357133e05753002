"""Messages: an index that their unique order begins with, and Django's for LIKE on keys."""

import django.db.models.deletion
from django.db import migrations, models

from chatsite.core import indexes


class Migration(migrations.Migration):

    atomic = False  # DROP INDEX CONCURRENTLY

    dependencies = [
        ('chat_app', '0007_budgets'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            # AlterField itself would check the foreign key of every row anew.
            database_operations=[
                indexes.dropping(
                    'chat_app_chatmessage_session_id_317dca4d',
                    'chat_app_chatmessage_session_id_317dca4d_like',
                    'chat_app_chatmessage_id_a4da7a59_like',
                    'chat_app_chatmessage_reply_to_id_5efecf95_like',
                ),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name='chatmessage',
                    name='session',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='sessions_app.chatsession'),
                ),
            ],
        ),
    ]
