"""Which tests show each row of the abuse matrix: `path::test`, without parameters."""

from __future__ import annotations

from typing import Final

_HERE: Final = "tests/abuse"
ROWS: Final[dict[str, tuple[str, ...]]] = {
    "A1": (
        f"{_HERE}/test_a01_tokens.py::test_a01_refuses_every_wrong_token_alike",
        f"{_HERE}/test_a01_tokens.py::test_a01_takes_no_token_from_the_query",
        "tests/sessions_app/test_tokens.py::test_refuses_the_token_when_a_claim_is_not_ours",
        "tests/sessions_app/test_keyring.py::test_refuses_tokens_of_a_key_when_it_was_dropped",
    ),
    "A2": (
        f"{_HERE}/test_a02_revocation.py::test_a02_refuses_the_next_request_and_closes_the_streams",
        "tests/sessions_app/test_session.py::test_refuses_every_call_when_the_session_was_closed",
    ),
    "A3": (
        f"{_HERE}/test_a03_keys.py::test_a03_refuses_to_start_when_a_key_is_weak",
        "tests/core/test_checks.py::test_refuses_to_start_when_a_key_is_weak",
    ),
    "A4": (
        f"{_HERE}/test_a04_strangers.py::test_a04_says_and_does_the_same_for_anothers_and_for_none",
        f"{_HERE}/test_a04_strangers.py::test_a04_reads_only_ones_own_whatever_the_cursor",
        f"{_HERE}/test_a04_strangers.py::test_a04_streams_only_ones_own_whatever_the_cursor",
    ),
    "A5": (
        f"{_HERE}/test_a05_email.py::test_a05_refuses_what_is_no_address",
        f"{_HERE}/test_a05_email.py::test_a05_opens_nothing_old_whatever_is_typed",
    ),
    "A6": (
        f"{_HERE}/test_a06_known.py::test_a06_says_and_does_the_same_for_every_address",
        f"{_HERE}/test_a06_known.py::"
        "test_a06_says_and_does_the_same_for_a_wrong_code_whoever_asked_for_one",
    ),
    "A10": (
        f"{_HERE}/test_a10_addresses.py::test_a10_counts_by_the_socket_when_no_proxy_is_trusted",
        f"{_HERE}/test_a10_addresses.py::test_a10_counts_by_the_last_hop_when_a_proxy_is_trusted",
        f"{_HERE}/test_a10_addresses.py::test_a10_counts_a_64_as_one_when_a_caller_walks_through_it",
        "tests/core/test_client.py::test_finds_the_address_when",
    ),
    "A11": (
        f"{_HERE}/test_a11_races.py::"
        "test_a11_lets_exactly_ten_messages_pass_when_a_hundred_come_at_once",
        f"{_HERE}/test_a11_races.py::"
        "test_a11_opens_exactly_ten_sessions_when_a_hundred_sign_in_at_once",
        f"{_HERE}/test_a11_races.py::"
        "test_a11_stores_exactly_fifty_when_twenty_come_at_once_at_forty",
    ),
    "A12": (
        f"{_HERE}/test_a12_store_down.py::test_a12_refuses_to_sign_in_when_nobody_counts",
        f"{_HERE}/test_a12_store_down.py::"
        "test_a12_counts_messages_by_itself_when_nobody_else_counts",
        f"{_HERE}/test_a12_store_down.py::test_a12_counts_all_of_an_address_by_itself",
    ),
    "A13": (
        f"{_HERE}/test_a13_budgets.py::test_a13_opens_no_more_sessions_than_a_network_may_have",
        f"{_HERE}/test_a13_budgets.py::test_a13_asks_no_model_beyond_the_budget_and_says_so",
        "tests/chat_app/test_budgets.py::test_gives_exactly_the_limit_when_all_take_at_once",
    ),
    "A19": (
        f"{_HERE}/test_a19_streams.py::test_a19_opens_three_streams_when_a_hundred_are_asked_for",
        f"{_HERE}/test_a19_streams.py::test_a19_keeps_little_for_a_reader_that_never_reads",
        f"{_HERE}/test_a19_streams.py::test_a19_tells_one_event_whatever_a_token_holds",
        f"{_HERE}/test_a19_streams.py::test_a19_streams_an_answer_whole_whatever_its_tokens_hold",
    ),
    "A23": (
        f"{_HERE}/test_a23_origins.py::test_a23_allows_only_what_is_listed",
        f"{_HERE}/test_a23_origins.py::test_a23_allows_nobody_when_nothing_is_listed",
        "tests/core/test_headers.py::test_allows_nothing_when_the_origin_is_another",
    ),
}
