"""room.py: how much may wait, and how seldom that is asked."""

import pytest

from chat_app import room
from chatsite.core.errors import Unavailable
from tests.support import answer_of, open_session

pytestmark = pytest.mark.django_db


def test_refuses_when_as_much_waits_as_may(settings):
    settings.BACKLOG_LIMIT = 2
    room.refuse_full()
    answer_of(open_session("a@example.com"))
    room.refuse_full()
    answer_of(open_session("b@example.com"))

    with pytest.raises(Unavailable):
        room.refuse_full()


def test_asks_once_when_there_is_room_for_many(settings, django_assert_num_queries):
    settings.BACKLOG_LIMIT = 40
    with django_assert_num_queries(1):
        for _ in range(11):  # a quarter of the limit, and the one that asked
            room.refuse_full()
    with django_assert_num_queries(1):
        room.refuse_full()


def test_asks_every_time_when_half_is_taken(settings, django_assert_num_queries):
    settings.BACKLOG_LIMIT = 2
    answer_of(open_session("a@example.com"))
    room.forget()

    with django_assert_num_queries(3):
        for _ in range(3):
            room.refuse_full()
