"""Times, durations and columns as exports write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from test_tickets import MINIMAL, message, read, times, values

SLASHED = ["25/03/2016", "05/03/2016 10:30", "1.4.2016 11:05 PM"]


def test_forms_are_read_side_by_side_when_the_column_decides_the_order(tmp_path: Path) -> None:
    assert times(tmp_path, ["2016-03-01 08:00:00", *SLASHED]) == [
        "2016-03-01 08:00:00",
        "2016-03-25 00:00:00",
        "2016-03-05 10:30:00",
        "2016-04-01 23:05:00",
    ]
    assert times(tmp_path, ["05/03/2016", "12/31/2016"]) == ["2016-05-03 00:00:00", "2016-12-31 00:00:00"]


@pytest.mark.parametrize("late", [0, 1500])
def test_the_order_is_found_wherever_it_is_decided(tmp_path: Path, late: int) -> None:
    got = times(tmp_path, ["2016-03-01"] * late + ["05/03/2016", "13/03/2016"])
    assert got[-2:] == ["2016-03-05 00:00:00", "2016-03-13 00:00:00"]


def test_a_column_that_fits_both_orders_is_never_guessed(tmp_path: Path) -> None:
    assert message(tmp_path, "id,opened\n1,2016-03-01\n2,05/03/2016\n3,06/03/2016\n") == (
        "tickets.csv cannot be used:\n"
        "  column 'opened': 2 values fit with the day first and with the month first, and no other decides, "
        "for example '05/03/2016' (row 3), '06/03/2016' (row 4). Set `formats` under [source] to every form "
        'that occurs, such as ["%d/%m/%Y"] or ["%m/%d/%Y"]; the first that fits is taken.'
    )


@pytest.mark.parametrize("late", [0, 1500])
def test_both_orders_in_one_column_are_never_guessed(tmp_path: Path, late: int) -> None:
    lines = "".join(f"{n},25/03/2016\n" for n in range(late + 1))
    assert message(tmp_path, f"id,opened\n{lines}x,03/25/2016\n").startswith(
        "tickets.csv cannot be used:\n  column 'opened': values with the day first and values with the month "
        "first stand side by side, for example '"
    )


def test_swaps_that_the_settings_allow_are_counted(tmp_path: Path) -> None:
    text = "id,opened\n1,05/03/2016\n2,25/03/2016\n3,03/25/2016\n"
    reading, rows = read(tmp_path, text, formats=("%d/%m/%Y", "%m/%d/%Y"))
    assert [f"{row['opened_at']:%m-%d}" for row in rows] == ["03-05", "03-25", "03-25"]
    assert reading.flags == {"swapped_day_month": 1}


def test_unix_times_are_utc_whatever_the_zone(tmp_path: Path) -> None:
    source: dict[str, Any] = {"zone": "Asia/Shanghai"}
    assert times(tmp_path, ["1700000000"], formats=("unix",), **source) == ["2023-11-14 22:13:20"]
    texts = ["1700000000123", "2023-11-15 06:13:20"]
    got = times(tmp_path, texts, formats=("unix_ms", "%Y-%m-%d %H:%M:%S"), **source)
    assert got == ["2023-11-14 22:13:20"] * 2


def test_several_columns_make_one_value_and_nothing_when_one_is_missing(tmp_path: Path) -> None:
    text = "line,call,Day,Clock\nA,1,2024-01-01,9:05:00\nB,1,2024-01-01,0:00:00\nC,1,,9:05:00\n"
    mapped = {"ticket_id": ["line", "call"], "opened_at": "Day", "resolved_at": ["Day", "Clock"]}
    reading, rows = read(tmp_path, text, columns=mapped, missing=("0:00:00",))
    assert [(row["ticket_id"], str(row["resolved_at"])) for row in rows] == [
        ("A 1", "2024-01-01 09:05:00"),
        ("B 1", "None"),
    ]
    assert (reading.headings["resolved_at"], reading.rejected_rows) == ("Day + Clock", 1)
    assert "column 'Time': is missing" in message(
        tmp_path, "id,Day\n1,2024-01-01\n", columns={"ticket_id": "id", "opened_at": ["Day", "Time"]}
    )


@pytest.mark.parametrize(
    ("text", "unit", "minutes"),
    [
        ("90", None, 90),
        ("5400000", "milliseconds", 90),
        ("1.5", "days", 2160),
        ("0:01:30", None, 2),
        ("36:05:00", "hours", 2165),
        ("1:30", None, 90),
        ("25 Days 21 Hours 1 Minute", "seconds", 37261),
        ("2 d 3 h", None, 3060),
        ("1天2小时30分钟", None, 1590),
        ("45 seconds", None, 1),
        ("1:75", None, None),
        ("-0:30", None, None),
        ("3 apples", None, None),
    ],
)
def test_durations_in_every_form(tmp_path: Path, text: str, unit: str | None, minutes: int | None) -> None:
    name = "resolution_calendar_minutes"
    units = {"units": {name: unit}} if unit else {}
    reading, got = values(tmp_path, name, [text], **units)
    assert got == [minutes]
    assert reading.reject_count == (minutes is None)


def test_time_that_is_left_of_a_limit_becomes_time_that_has_passed(tmp_path: Path) -> None:
    name = "first_response_business_minutes"
    texts = ["3:30", "-1:15", "0:00:30", "4:30", ""]
    reading, got = values(tmp_path, name, texts, remaining={name: "4 h"})
    assert got == [30, 315, 240, None, None]
    assert str(reading.rejects[0]) == (
        "column 'x', row 5: must be a duration, 0 or more: a number, H:MM:SS or 2 d 3 h 4 min. "
        "It counts as no value. Value: '4:30'."
    )


def test_an_order_of_day_and_month_holds_for_pauses_and_offsets_too(tmp_path: Path) -> None:
    text = "id,opened\n1,13/03/2016 10:00 +02:00\n2,05/03/2016 10:00\n"
    _, rows = read(tmp_path, text, columns=MINIMAL)
    assert [f"{row['opened_at']:%m-%d %H:%M}" for row in rows] == ["03-13 08:00", "03-05 10:00"]
