"""Our business clock against the libraries of PyPI: agreement first, then speed.

    pip install --target LIBS timegrid business-duration businesstimedelta businesstime
    PYTHONPATH=LIBS python benchmarks/clock.py

One calendar for all: a Chinese office with a lunch break, public holidays and make-up workdays, local times.
A library that cannot be told something gets the nearest that it can be told.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import chinese_calendar
import duckdb
import narwhals as nw
import numpy as np
import pyarrow as pa

from csimprove import columns
from csimprove.settings import Calendar, Sla, SlaRule
from csimprove.sla import calendar_table, resolve_rules, time_tickets

Interval = tuple[datetime, datetime]
FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)
WEEK = ("mon", "tue", "wed", "thu", "fri")
HOURS = ((9, 12), (13, 18))
OFFICE = Calendar(hours=dict.fromkeys(WEEK, ("09:00-12:00", "13:00-18:00")), holidays="CN")
CHECKED, MANY = 1_000, 1_000_000


def days() -> Iterator[date]:
    """Yield every day of the year."""
    return (FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1))


def is_workday(day: date) -> bool:
    """Tell whether the office is open on a day."""
    return chinese_calendar.is_workday(day)


def intervals(count: int) -> list[Interval]:
    """Draw intervals of up to three weeks, in whole seconds."""
    rng = np.random.default_rng(1)
    start = rng.integers(0, 330 * 86_400, count)
    length = rng.integers(0, 21 * 86_400, count)
    origin = datetime(FIRST.year, FIRST.month, FIRST.day)
    return [
        (origin + timedelta(seconds=int(a)), origin + timedelta(seconds=int(a + b)))
        for a, b in zip(start, length, strict=True)
    ]


def table_of(drawn: list[Interval]) -> pa.Table:
    """Intervals as canonical tickets."""
    moment = pa.timestamp("us")
    ids = pa.array([f"{n:07}" for n in range(len(drawn))])
    own = {"ticket_id": ids, "opened_at": [a for a, _ in drawn], "first_response_at": [b for _, b in drawn]}
    types = {"VARCHAR": pa.string(), "BIGINT": pa.int64(), "SMALLINT": pa.int16(), "BOOLEAN": pa.bool_()}
    return pa.table({
        name: pa.array(own[name], pa.string() if name == "ticket_id" else moment)
        if name in own
        else pa.nulls(len(drawn), types.get(kind, moment))
        for name, kind in columns.TICKETS.items()
    })  # fmt: skip


def ours(tickets: pa.Table) -> np.ndarray:
    """Time every ticket with the package, all of it, on DuckDB with two threads."""
    pauses = pa.table({
        name: pa.nulls(0, pa.string() if kind == "VARCHAR" else pa.timestamp("us"))
        for name, kind in columns.PAUSES.items()
    })  # fmt: skip
    rules = resolve_rules([SlaRule(measure="first_response", limit="8 h")], {("", "", ""): 1})
    con = duckdb.connect(config={"threads": 2})
    calendar = calendar_table(OFFICE, FIRST, LAST).frame
    frames = (nw.from_native(con.from_arrow(table)) for table in (tickets, pauses, calendar, rules))
    timed = time_tickets(*frames, as_of=datetime(2025, 12, 31, 23, 59), sla=Sla())
    found = timed.select("ticket_id", "response_clock_s").collect("pyarrow").to_native()
    order = np.argsort(found["ticket_id"].to_numpy(zero_copy_only=False).astype("U7"), kind="stable")
    return found["response_clock_s"].to_numpy()[order]


def timegrid() -> Callable[[datetime, datetime], float]:
    """Compile the whole year once."""
    from datetime import time as clock

    from timegrid import TimeGridCalendar

    calendar = TimeGridCalendar.weekdays(clock(9), clock(18)).break_weekdays(clock(12), clock(13))
    for day in days():
        if day.weekday() < 5 and not is_workday(day):
            calendar = calendar.close(day)
        if day.weekday() >= 5 and is_workday(day):
            for start, end in HOURS:
                at = datetime(day.year, day.month, day.day)
                calendar = calendar.set_open_window(
                    f"{day} {start}", at + timedelta(hours=start), at + timedelta(hours=end)
                )
    year = calendar.compile(datetime(2025, 1, 1), datetime(2026, 1, 1))
    return lambda start, end: year.get_working_duration(start, end).total_seconds()


def businesstimedelta() -> Callable[[datetime, datetime], float]:
    """Make-up workdays cannot be told."""
    from datetime import time as clock

    import businesstimedelta as library

    work = library.WorkDayRule(start_time=clock(9), end_time=clock(18), working_days=[0, 1, 2, 3, 4])
    lunch = library.LunchTimeRule(start_time=clock(12), end_time=clock(13), working_days=[0, 1, 2, 3, 4])
    off = library.HolidayRule({day: "off" for day in days() if not is_workday(day)})
    rules = library.Rules([work, lunch, off])

    def seconds(start: datetime, end: datetime) -> float:
        found = rules.difference(start, end)
        return found.hours * 3600 + found.seconds

    return seconds


def businesstime() -> Callable[[datetime, datetime], float]:
    """Lunch breaks and make-up workdays cannot be told."""
    from datetime import time as clock

    import businesstime as library

    off = [day for day in days() if day.weekday() < 5 and not is_workday(day)]
    calendar = library.BusinessTime(business_hours=(clock(9), clock(18)), holidays=off)
    return lambda start, end: calendar.businesstime_hours(start, end).total_seconds()


def business_duration() -> Callable[[datetime, datetime], float]:
    """Lunch breaks cannot be told; every day off is a holiday, so that make-up workdays count."""
    from datetime import time as clock

    from business_duration import businessDuration

    off = [day for day in days() if not is_workday(day)]
    return lambda start, end: businessDuration(
        start, end, clock(9), clock(18), weekendlist=None, holidaylist=off, unit="sec"
    )


def main() -> None:
    """Print agreement and time per interval."""
    drawn = intervals(MANY)
    tickets = table_of(drawn)
    ours(table_of(drawn[:10]))  # the first call imports
    each: list[float] = []
    for _ in range(3):
        started = time.process_time()
        answers = ours(tickets)
        each.append((time.process_time() - started) / MANY * 1e6)
    print(f"{'ours':18} {min(each):9.3f} µs of processor an interval")
    for library in (timegrid, businesstimedelta, businesstime, business_duration):
        name = library.__name__
        if importlib.util.find_spec(name) is None:
            print(f"{name:18} not installed")
            continue
        seconds = library()
        right = sum(round(seconds(*pair)) == answers[n] for n, pair in enumerate(drawn[:CHECKED]))
        count = MANY if right == CHECKED else CHECKED
        started = time.process_time()
        for start, end in drawn[:count]:
            seconds(start, end)
        theirs = (time.process_time() - started) / count * 1e6
        ratio = f"{theirs / min(each):.1f} x ours"
        print(f"{name:18} {theirs:9.3f} µs, {ratio}; agrees on {right:,} of {CHECKED:,}")


if __name__ == "__main__":
    main()
