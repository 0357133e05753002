"""The indexes of the tables that grow: none is there twice."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("table", ["chat_app_chatmessage", "sessions_app_sessionevent"])
def test_no_index_of_all_rows_begins_another_one(table):
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
        whole = {
            name: one["columns"]
            for name, one in found.items()
            if one["columns"] and (one["index"] or one["unique"]) and not _is_partial(cursor, name)
        }

    assert ["session_id", "seq"] in whole.values()
    for name, columns in whole.items():
        others = [other for key, other in whole.items() if key != name]
        assert not [other for other in others if other[: len(columns)] == columns], name


def _is_partial(cursor, name):
    if connection.vendor == "postgresql":
        asked = "SELECT 1 FROM pg_indexes WHERE indexname = %s AND indexdef LIKE '%% WHERE %%'"
    else:
        asked = "SELECT 1 FROM sqlite_master WHERE name = %s AND sql LIKE '%% WHERE %%'"
    cursor.execute(asked, [name])
    return bool(cursor.fetchall())
