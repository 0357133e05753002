"""The run's own services: what keeps runs and workers apart, and tests on this machine."""

import os
import socket

import pytest
from django.conf import settings

from tests import services


def test_reads_the_services_of_this_process_when_settings_are_loaded():
    assert os.environ["REDIS_URL"] == settings.REDIS_URL
    assert settings.CACHES["limits"]["LOCATION"] == settings.REDIS_URL


@pytest.mark.parametrize(
    ("worker", "url", "found"),
    [
        ("", "redis://127.0.0.1:6379/8", "redis://127.0.0.1:6379/8"),
        ("gw0", "redis://127.0.0.1:6379/8", "redis://127.0.0.1:6379/9"),
        ("gw3", "redis://:pw@127.0.0.1:6379", "redis://:pw@127.0.0.1:6379/4"),
        ("gw1", "unix:///run/valkey.sock", "unix:///run/valkey.sock"),
    ],
)
def test_has_a_database_number_of_its_own_when_it_is_a_worker(monkeypatch, worker, url, found):
    monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)

    assert services._of_this_worker(url) == found


def test_reaches_nothing_when_it_is_beyond_this_machine():
    from pytest_socket import SocketConnectBlockedError

    with (
        pytest.warns(UserWarning, match="tried to use socket"),
        pytest.raises(SocketConnectBlockedError),
    ):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
