"""Tickets that are used but flagged because of what stands beside them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

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
        "rating_scale_changed",
        "swapped_day_month",
        "footer_lines",
        "resolved_before_answered",
        "closed_before_resolved",
    )
    for name in names:
        assert wording_text(f"flag.{name}", "en") != wording_text(f"flag.{name}", "zh")
