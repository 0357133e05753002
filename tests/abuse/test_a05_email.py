"""A5: what is no plain address is refused, a lookalike is somebody else, nothing old opens."""

import pytest

from sessions_app.models import ChatSession
from tests.support import ask, fields

pytestmark = pytest.mark.django_db

NONE = [
    "ann@example",
    '"ann"@example.com',
    '"ann b"@example.com',
    "ann@[127.0.0.1]",
    "ann@[IPv6:::1]",
    "a" * 65 + "@example.com",
    "ann@example.com\r\nBcc: eve@example.com",
    "ann@example.com%0d%0aBcc:eve@example.com\n",
    "ann@example.com, eve@example.com",
    "ann@example.com;eve@example.com",
    "Ann <ann@example.com>",
    "a" * 5000 + "@example.com",
    "ann@" + "b" * 5000 + ".com",
    "ann\u202e@example.com",
    "ann\u200b@example.com",
    "ann@exam\u0000ple.com",
]
# Each looks like, or some mailers treat it like, ann@example.com.
LOOKALIKES = [
    "аnn@example.com",  # Cyrillic а
    "ann@exаmple.com",
    "ɑnn@example.com",
    "ann+1@example.com",
    "a.nn@example.com",
]


@pytest.mark.parametrize("verification", ["off", "required"])
def test_a05_refuses_what_is_no_address(api, settings, verification):
    settings.EMAIL_VERIFICATION, settings.RATE_LIMITING_ENABLED = verification, False

    for email in NONE:
        assert fields(api.post("/auth/email", {"email": email})) == ["email"], email
    assert not ChatSession.objects.exists()


def test_a05_opens_nothing_old_whatever_is_typed(api, settings):
    settings.RATE_LIMITING_ENABLED = False
    first = api.post("/auth/email", {"email": "ann@example.com"}).json()
    ask(ChatSession.objects.get(pk=first["session_id"]), "My secret")

    for email in ("ann@example.com", "ANN@EXAMPLE.COM", *LOOKALIKES):
        answer = api.post("/auth/email", {"email": email})
        if answer.status_code == 400:
            continue
        body = answer.json()
        assert (body["session_id"] != first["session_id"], body["verified"]) == (True, False)
        history = api.get("/chat/history", authorization=f"Bearer {body['access_token']}")
        assert history.json()["messages"] == []
    spellings = ChatSession.objects.values_list("email_hash", "pk").distinct()
    ann = ChatSession.objects.get(pk=first["session_id"]).email_hash
    assert sum(one == ann for one, _ in spellings) == 3, "lookalikes are somebody else"
