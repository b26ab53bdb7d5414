"""Names of the canonical columns agree with each other."""

from __future__ import annotations

from csimprove import columns


def test_what_is_cut_by_or_ruled_by_is_a_text_of_the_tickets() -> None:
    assert {columns.TICKETS[name] for name in (*columns.CUTS, *columns.RULE_KEYS)} == {"VARCHAR"}


def test_pauses_carry_ticket_columns_of_the_same_type() -> None:
    shared = columns.PAUSES.keys() & columns.TICKETS.keys()
    assert columns.PAUSES.keys() - shared == {"start_at", "end_at"}
    assert all(columns.PAUSES[name] == columns.TICKETS[name] for name in shared)
    assert set(columns.RULE_KEYS) <= shared


def test_customer_and_result_are_not_stored() -> None:
    assert not columns.FED.keys() & columns.TICKETS.keys()
    assert set(columns.FED.values()) <= columns.TICKETS.keys()
