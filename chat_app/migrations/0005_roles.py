"""The four roles of the staff, as groups that an administrator may change."""

from django.db import migrations

_READ = {
    'sessions_app.chatsession': ('view',),
    'chat_app.chatmessage': ('view',),
    'chat_app.snippet': ('view',),
}
_ACT = {
    **_READ,
    'sessions_app.chatsession': ('view', 'act', 'export'),
    'sessions_app.block': ('view',),
    'notifications.delivery': ('view',),
    'notifications.discordthread': ('view',),
    'chat_app.snippet': ('view', 'add', 'change', 'delete'),
}
_PRIVACY = {
    **_READ,
    'sessions_app.chatsession': ('view', 'personal', 'export', 'erase'),
    'sessions_app.auditentry': ('view',),
    'sessions_app.block': ('view',),
}
_ADMIN = {
    **_ACT,
    'sessions_app.chatsession': ('view', 'act', 'personal', 'export', 'erase'),
    'sessions_app.sessionevent': ('view',),
    'sessions_app.auditentry': ('view',),
    'admin.logentry': ('view',),
    'auth.user': ('view', 'add', 'change', 'delete'),
    'auth.group': ('view',),
}
ROLES = {'Reviewer': _READ, 'Moderator': _ACT, 'Privacy': _PRIVACY, 'Admin': _ADMIN}


def create(apps, _schema_editor):
    """Make the groups; permissions are made here where Django has not yet, after migrating."""
    group_model = apps.get_model('auth', 'Group')
    for role, granted in ROLES.items():
        group, _ = group_model.objects.get_or_create(name=role)
        group.permissions.add(*(
            _permission(apps, model, act) for model, acts in granted.items() for act in acts
        ))


def _permission(apps, model, act):
    app_label, name = model.split('.')
    kind, _ = apps.get_model('contenttypes', 'ContentType').objects.get_or_create(
        app_label=app_label, model=name
    )
    permission, _ = apps.get_model('auth', 'Permission').objects.get_or_create(
        content_type=kind, codename=f'{act}_{name}', defaults={'name': f'Can {act} {name}'}
    )
    return permission


class Migration(migrations.Migration):

    dependencies = [
        ('chat_app', '0004_fulltext'),
        ('sessions_app', '0003_console'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
    ]

    operations = [
        migrations.RunPython(create, migrations.RunPython.noop),
    ]
