"""The open hours of a service, day by day, laid out in plain Python."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

import chinese_calendar
import pyarrow as pa

from csimprove.settings import Calendar, Weekday, parse_interval

DAY = 86_400
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, eq=False)
class CalendarTable:
    """One row a UTC day: what a moment's clocks and local day are computed from.

    Parameters
    ----------
    frame
        ``date`` (UTC); ``day_s`` epoch second of its midnight; ``cum`` open seconds before it; open stretches
        ``s0``, ``l0``, ``s1``, … as second of the day and length; ``offset`` seconds east of UTC until second
        ``turn`` of the day, ``offset_after`` from then on; ``work0`` to ``work3`` working days
        up to and with the local day two days before the date, the day before it, the date and the day after.
    estimated_years
        Years whose holidays are not known: there only weekdays count.
    """

    frame: pa.Table
    estimated_years: tuple[int, ...] = ()


def calendar_table(calendar: Calendar, first: date, last: date) -> CalendarTable:
    """Lay out the open hours of every UTC day.

    Parameters
    ----------
    calendar
        Local weekly hours, zone and holidays.
    first, last
        UTC days, both included.

    Returns
    -------
    CalendarTable
        One row a day, and the years whose holidays had to be estimated.

    Notes
    -----
    A moment is open when its wall time lies inside an interval, so an hour that the clocks repeat counts
    twice and one that they skip not at all. An interval belongs to the local day it starts on: a night
    shift that starts on the eve of a holiday runs to its end. ``closed`` wins over ``open``, both win over
    public holidays.

    Examples
    --------
    >>> office = Calendar(zone="Asia/Shanghai", hours={"mon": ("09:00-18:00",)})
    >>> table = calendar_table(office, date(2025, 3, 3), date(2025, 3, 4)).frame
    >>> table.select(["date", "cum", "s0", "l0", "offset"]).to_pylist()[0]
    {'date': datetime.date(2025, 3, 3), 'cum': 0, 's0': 3600, 'l0': 32400, 'offset': 28800}
    """
    days = range(first.toordinal() - _EPOCH, last.toordinal() - _EPOCH + 1)
    offsets = _offsets(ZoneInfo(calendar.zone), days)
    stretches, estimated = _stretches(calendar, offsets, days)
    pieces = _pieces(stretches, days)
    width = max(map(len, pieces), default=0) or 1
    data: dict[str, list[Any]] = {
        "date": [date.fromordinal(day + _EPOCH) for day in days],
        "day_s": [day * DAY for day in days],
        "cum": [],
    }
    total = 0
    for cuts in pieces:
        data["cum"].append(total)
        total += sum(length for _, length in cuts)
    for place in range(width):
        chosen = [cuts[place] if place < len(cuts) else (0, 0) for cuts in pieces]
        data[f"s{place}"] = [start for start, _ in chosen]
        data[f"l{place}"] = [length for _, length in chosen]
    turns = [_turn(offsets, day * DAY) for day in days]
    for place, name in enumerate(("offset", "turn", "offset_after")):
        data[name] = [turn[place] for turn in turns]
    around = range(days.start - 2, days.stop + 1)
    worked = list(accumulate(int(working_day(calendar, date.fromordinal(day + _EPOCH))) for day in around))
    for place in range(4):
        data[f"work{place}"] = worked[place : place + len(days)]
    schema = pa.schema([(name, pa.date32() if name == "date" else pa.int64()) for name in data])
    return CalendarTable(pa.table(data, schema=schema), estimated)


def working_day(calendar: Calendar, day: date) -> bool:
    """Whether the service is open on a local day, public holidays and make-up workdays counted.

    Examples
    --------
    >>> office = Calendar(zone="Asia/Shanghai", holidays="CN", hours={"mon": ("09:00-18:00",)})
    >>> [working_day(office, date(2025, 9, day)) for day in (28, 29, 30)]  # a Sunday to make up, Mon, Tue
    [True, True, False]
    """
    weekday = _hours_of(calendar, day, set())
    return weekday is not None and (calendar.hours is None or bool(calendar.hours.get(weekday)))


def _offsets(zone: ZoneInfo, days: range) -> list[tuple[int, int]]:
    """Find segments of constant offset: (epoch second from which it holds, seconds east of UTC)."""

    def offset(second: int) -> int:
        moment = datetime.fromtimestamp(second, UTC).astimezone(zone)
        return round((moment.utcoffset() or timedelta()).total_seconds())

    start = (days.start - 2) * DAY
    found = [(start, offset(start))]
    for low in range(start, (days.stop + 2) * DAY, DAY):
        high = low + DAY
        if offset(high) == found[-1][1]:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == found[-1][1] else (low, middle)
        found.append((high, offset(high)))
    return found


def _turn(offsets: list[tuple[int, int]], midnight: int) -> tuple[int, int, int]:
    """Offset at midnight UTC, second of the day at which it changes, offset from then on."""
    before = [segment for segment in offsets if segment[0] <= midnight][-1][1]
    for start, offset in offsets:
        if midnight < start < midnight + DAY:
            return before, start - midnight, offset
    return before, DAY, before


def _stretches(
    calendar: Calendar, offsets: list[tuple[int, int]], days: range
) -> tuple[list[tuple[int, int]], tuple[int, ...]]:
    """Open stretches as epoch seconds, in order, not touching; and the years with estimated holidays."""
    if calendar.hours is None:
        return [(days.start * DAY, days.stop * DAY)], ()
    estimated: set[int] = set()
    local = []
    for day in range(days.start - 3, days.stop + 3):
        weekday = _hours_of(calendar, date.fromordinal(day + _EPOCH), estimated)
        for interval in calendar.hours.get(weekday, ()) if weekday else ():
            start, end = parse_interval(interval)
            local.append((day * DAY + start * 60, day * DAY + end * 60))
    local.sort()
    starts = [start for start, _ in local]
    ends = [start for start, _ in offsets[1:]] + [(days.stop + 3) * DAY]
    cut = []
    for (start, offset), end in zip(offsets, ends, strict=True):
        # an interval is at most two days long
        reach = slice(bisect_left(starts, start + offset - 2 * DAY), bisect_left(starts, end + offset))
        cut += [(max(a - offset, start), min(b - offset, end)) for a, b in local[reach]]
    covered = {date.fromordinal(day + _EPOCH).year for day in days}
    return _merged(sorted(cut)), tuple(sorted(estimated & covered))


def _hours_of(calendar: Calendar, day: date, estimated: set[int]) -> Weekday | None:
    """Weekday whose hours the day has, or none."""
    if day in calendar.closed:
        return None
    if day in calendar.open:
        return calendar.open_as
    if calendar.holidays == "CN":
        try:
            off, name = chinese_calendar.get_holiday_detail(day)
        except NotImplementedError:
            estimated.add(day.year)
        else:
            # a name marks a public holiday or the make-up workday (调休) that belongs to it
            if name is not None:
                return None if off else calendar.open_as
    return WEEKDAYS[day.weekday()]


def _merged(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in stretches:
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _pieces(stretches: list[tuple[int, int]], days: range) -> list[list[tuple[int, int]]]:
    """Cut stretches at UTC midnights: per day (second of the day, length)."""
    pieces: list[list[tuple[int, int]]] = [[] for _ in days]
    for start, end in stretches:
        for day in range(max(start // DAY, days.start), min((end - 1) // DAY + 1, days.stop)):
            first, last = max(start, day * DAY), min(end, (day + 1) * DAY)
            pieces[day - days.start].append((first - day * DAY, last - first))
    return pieces
