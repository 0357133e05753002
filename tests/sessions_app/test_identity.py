"""identity.py: one spelling of an address, and what stands for it."""

import pytest

from sessions_app import identity


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("Ann@Example.COM", "ann@example.com"),
        ("ann+tag@example.com", "ann+tag@example.com"),
        ("ann@MÜLLER.example", "ann@xn--mller-kva.example"),
        ("ann@xn--mller-kva.example", "ann@xn--mller-kva.example"),
        ("a\u0301nn@example.com", "\u00e1nn@example.com"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
    ],
)
def test_finds_the_one_spelling_when_an_address_is_typed(typed, found):
    assert identity.normalise_email(typed) == found


@pytest.mark.parametrize(
    "typed", ["a" * 65 + "@example.com", "a@" + "b" * 300 + ".com", "a@b", '"a"@example.com', "a"]
)
def test_raises_when_it_is_no_address(typed):
    with pytest.raises(ValueError):
        identity.normalise_email(typed)


def test_hashes_differ_when_the_key_or_the_purpose_does(settings):
    first = identity.email_hash("ann@example.com")
    assert first != identity.browser_hash("ann@example.com")
    settings.EMAIL_HASH_KEY = "another-key-" + "x" * 40
    assert first != identity.email_hash("ann@example.com")


def test_hashes_a_user_agent_when_it_is_not_unicode():
    assert len(identity.browser_hash("Mozilla\udcff")) == 64


@pytest.mark.parametrize(
    ("email", "shown"),
    [("ann@example.com", "a…@example.com"), ("@example.com", "…@example.com"), ("ann", "…@ann")],
)
def test_masks_the_local_part_when_an_address_is_shown(email, shown):
    assert identity.mask(email) == shown
