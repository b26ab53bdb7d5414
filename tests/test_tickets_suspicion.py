"""Tickets that are used but flagged because of what stands beside them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from csimprove.errors import TicketDataError
from csimprove.wording import text as wording_text
from test_tickets import MINIMAL, read

START = datetime(2024, 1, 1, 8)
MAPPED = MINIMAL | {"customer": "who", "resolved_at": "done", "agent": "by", "csat": "score"}


def flags(folder: Path, rows: list[dict[str, Any]]) -> dict[str, int]:
    lines = [
        f"{n},{row.get('at', START + timedelta(minutes=37 * n))},{row.get('who', f'C{n}')},"
        f"{row.get('done', '')},{row.get('by', '')},{row.get('score', '')}"
        for n, row in enumerate(rows)
    ]
    text = "\n".join(["id,opened,who,done,by,score", *lines, ""])
    reading, used = read(folder, text, columns=MAPPED)
    assert len(used) == len(rows)
    return reading.flags


def test_ordinary_tickets_are_not_suspicious(tmp_path: Path) -> None:
    assert flags(tmp_path, [{"score": 1 + n % 5} for n in range(200)]) == {}


def test_the_same_ticket_twice(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{} for _ in range(30)]
    rows[3] = rows[4] = rows[5] = {"at": START, "who": "A"}
    rows[6] = {"at": START, "who": "B"}
    assert flags(tmp_path, rows) == {"opened_twice": 2}


def test_one_customer_with_more_than_a_twentieth(tmp_path: Path) -> None:
    rows = [{"who": "A"} if n < 20 else {} for n in range(399)]
    assert flags(tmp_path, rows) == {"dominant_customer": 20}
    assert flags(tmp_path, [*rows, {}]) == {}  # exactly 5 %


@pytest.mark.parametrize(("many", "found"), [(9, {}), (10, {"opened_in_bulk": 10})])
def test_many_tickets_of_one_customer_in_one_minute(tmp_path: Path, many: int, found: dict[str, int]) -> None:
    bulk = [{"who": "A", "at": START + timedelta(seconds=n)} for n in range(many)]
    assert flags(tmp_path, bulk + [{} for _ in range(200)]) == found


@pytest.mark.parametrize(("by", "found"), [("Ann", {"resolved_in_bulk": 20}), (None, {})])
def test_many_tickets_resolved_by_one_hand_in_one_minute(
    tmp_path: Path, by: str | None, found: dict[str, int]
) -> None:
    rows = [{"done": START + timedelta(days=9, minutes=7 * n), "by": f"A{n % 5}"} for n in range(200)]
    at = START + timedelta(days=30)
    bulk = [{"done": at + timedelta(seconds=n), "by": by or f"A{n}"} for n in range(20)]
    assert flags(tmp_path, rows + bulk) == found


def test_days_without_a_clock_are_no_bulk(tmp_path: Path) -> None:
    assert flags(tmp_path, [{"done": "2024-02-01", "by": "Ann"} for _ in range(50)]) == {}


@pytest.mark.parametrize("other", [(1, 5), (2, 9)])
def test_a_rating_that_changes_its_scale(tmp_path: Path, other: tuple[int, int]) -> None:
    usual = [{"at": START + timedelta(minutes=n), "score": 1 + n % 5} for n in range(60)]
    later = START + timedelta(days=40)
    changed = [{"at": later + timedelta(minutes=n), "score": other[n % 2]} for n in range(40)]
    assert flags(tmp_path, usual + changed) == {"rating_scale_changed": 40}


def test_every_flag_has_words_in_both_languages() -> None:
    names = (
        "opened_twice",
        "opened_in_bulk",
        "resolved_in_bulk",
        "dominant_customer",
        "nps_without_zero",
        "nps_scale_changed",
        "rating_scale_changed",
        "swapped_day_month",
        "footer_lines",
        "resolved_before_answered",
        "closed_before_resolved",
    )
    for name in names:
        assert wording_text(f"flag.{name}", "en") != wording_text(f"flag.{name}", "zh")


def scores(folder: Path, *rows: tuple[str, int, int], scales: dict[str, Any] | None = None) -> dict[str, int]:
    """Flags of answers from low to high in months, 35 each."""
    lines = [
        f"{n}{month},{month}-{1 + n % 28:02d} 09:{n:02d}:00,{low + n % (high - low + 1)}"
        for month, low, high in rows
        for n in range(35)
    ]
    text = "\n".join(["id,opened,score", *lines, ""])
    reading, _ = read(folder, text, columns=MINIMAL | {"nps_score": "score"}, scales=scales or {})
    return reading.flags


def test_answers_of_a_net_promoter_score(tmp_path: Path) -> None:
    assert scores(tmp_path, ("2024-01", 0, 10), ("2024-02", 0, 10)) == {}
    assert scores(tmp_path, ("2024-01", 1, 10)) == {"nps_without_zero": 35}
    assert scores(tmp_path, ("2024-01", 1, 10), scales={"nps_score": (1, 10)}) == {}


@pytest.mark.parametrize(
    ("months", "what"),
    [
        ([("2024-01", 1, 5)], "the largest of 35 answers is 5"),
        ([("2024-01", 0, 10), ("2024-02", 1, 7)], "the scale changes: 2024-02 ends at 7, other months at 10"),
    ],
)
def test_a_narrow_or_changing_scale_is_refused_unless_declared(
    tmp_path: Path, months: list[tuple[str, int, int]], what: str
) -> None:
    with pytest.raises(TicketDataError) as refused:
        scores(tmp_path, *months)
    (failure,) = refused.value.failures
    assert (failure.column, failure.reason) == (
        "score",
        f"must be answers from 0 to 10: {what}. Promoters are 9-10 and detractors 0-6. If the scale was 0 to "
        "10 all the time, declare it: `scales.nps_score = [0, 10]` under [source]; else map it to csat.",
    )
    narrow = {"nps_scale_changed": 35} if len(months) == 2 else {}
    assert scores(tmp_path, *months, scales={"nps_score": (0, 10)}) == narrow
