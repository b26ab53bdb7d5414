"""The business clock: how long a ticket took, how long it was allowed, met, missed or undecided.

The calendar and the rules are resolved in plain Python into two small tables; tickets are timed by lazy
narwhals expressions over them, in whole seconds and integers only, so that every engine gives the same table.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import chinese_calendar
import narwhals as nw
import pyarrow as pa

from csimprove import columns
from csimprove.errors import Failure, SettingsError, TicketDataError
from csimprove.settings import (
    Calendar,
    EventLimit,
    Sla,
    SlaRule,
    Weekday,
    parse_interval,
    parse_limit,
    parse_working_days,
)

DAY = 86_400
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EPOCH = date(1970, 1, 1).toordinal()

#: Values of stage, channel and severity of a ticket, ``""`` where it has none.
Combination = tuple[str, ...]


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
    worked = list(accumulate(_is_working(calendar, day) for day in range(days.start - 2, days.stop + 1)))
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


def resolve_rules(
    rules: Sequence[SlaRule], combinations: Mapping[Combination, int], *, source: str = "tickets"
) -> pa.Table:
    """Find the one rule of each measure for every stage, channel and severity in use.

    The matching rule that names most keys wins.

    Parameters
    ----------
    rules
        The project's rules. A measure without any has no limit.
    combinations
        Stage, channel and severity (``""`` = none) = number of tickets.
    source
        Name of the source in an error.

    Returns
    -------
    pyarrow.Table
        ``stage``, ``channel``, ``severity`` and per measure ``<measure>_limit_s`` and
        ``<measure>_business`` (1: business clock, 0: calendar clock), null without rules.

    Raises
    ------
    SettingsError
        If two rules with equally many keys win for the same tickets.
    TicketDataError
        If tickets match no rule of a measure that has rules; every such combination is listed.
    """
    failures: list[Failure] = []
    rows = []
    for combination in sorted(combinations):
        row: dict[str, Any] = dict(zip(columns.RULE_KEYS, combination, strict=True))
        for measure in ("first_response", "resolution"):
            own = [(number, rule) for number, rule in enumerate(rules, 1) if rule.measure == measure]
            winner = _winner(own, combination)
            if own and winner is None:
                failures.append(_unmatched(measure, combination, combinations[combination]))
            row[f"{_SHORT[measure]}_limit_s"] = winner and int(parse_limit(winner.limit).total_seconds())
            row[f"{_SHORT[measure]}_business"] = winner and int(winner.clock == "business")
        rows.append(row)
    if failures:
        raise TicketDataError(source, failures)
    return pa.Table.from_pylist(rows, schema=_RULES)


def time_tickets(
    tickets: nw.LazyFrame[Any],
    pauses: nw.LazyFrame[Any],
    calendar: nw.LazyFrame[Any],
    rules: nw.LazyFrame[Any],
    *,
    as_of: datetime,
    sla: Sla,
) -> nw.LazyFrame[Any]:
    """Time every ticket opened by ``as_of``, as things stood then.

    Parameters
    ----------
    tickets, pauses
        Canonical tables; the pauses of a ticket must not overlap.
    calendar
        Frame of :func:`calendar_table`, from the first opening to ``as_of``.
    rules
        Table of :func:`resolve_rules`.
    as_of
        Moment of the snapshot; what happened later has not happened yet. Naive means UTC.
    sla
        Where the resolution limit comes from.

    Returns
    -------
    narwhals.LazyFrame
        The tickets with times after ``as_of`` taken away, and, all Int64: ``day`` (local epoch day of
        opening), ``age_s`` (calendar seconds from opening to ``as_of``), ``resolved_for_s`` (the same from
        the resolution), ``no_reply`` (1: resolved without any reply), and for ``response`` and
        ``resolution``: ``_business`` (1: the rule's clock is the business clock, else the calendar's),
        ``_clock_s`` (seconds on that clock until the event or ``as_of``), ``_limit_s`` (null: no limit),
        ``_decided`` (1/0) and ``_met`` (1/0, null while undecided).

    Notes
    -----
    A ticket is decided when the clock from opening to ``as_of`` has run past the limit, whatever has
    already happened to it; then it is met if the event came within the limit, else missed. Pauses up to the
    event stop the clock. An event before the opening counts as 0 seconds. A duration that the source states
    on the rule's clock wins over the clock. With ``sla.resolution == "due_at"`` the limit is a moment:
    ``resolution_limit_s`` is null and the ticket is decided after ``due_at``.
    """
    now = _moment(as_of)
    known = tickets.filter(nw.col("opened_at") <= now)
    names = known.collect_schema().names()
    known = _as_known(known, now).join(_keyed(rules), on=list(_KEYS), how="left")
    known = known.join(_paused(pauses, calendar, rules, now), on="ticket_id", how="left")
    for at, name in (("opened_at", "open"), ("_response_at", "response"), ("_resolution_at", "resolution")):
        known = _clock(known, calendar, at=at, name=name)
    known = known.join(_final(calendar, as_of), how="cross")
    known = known.with_columns(
        _local_day().alias("day"),
        (nw.col("_end_c") - nw.col("_open_c")).alias("age_s"),
        (nw.col("_end_c") - nw.col("_resolution_c")).alias("resolved_for_s"),
        _flag(~nw.col("resolved_at").is_null() & ~_answered()).alias("no_reply"),
        *_elapsed("response", "first_response"),
        *_elapsed("resolution", "resolution"),
    )
    known = known.with_columns(
        _decided("response"), _due_passed(now) if sla.resolution == "due_at" else _decided("resolution")
    )
    in_time = nw.col("resolved_at") <= nw.col("due_at")
    known = known.with_columns(
        _met("response"), _met("resolution", in_time if sla.resolution == "due_at" else None)
    )
    return known.select(*names, *TIMED)


def time_events(
    timed: nw.LazyFrame[Any],
    calendar: nw.LazyFrame[Any],
    limits: Mapping[str, EventLimit],
    *,
    as_of: datetime,
) -> nw.LazyFrame[Any]:
    """Judge events against their limits.

    Parameters
    ----------
    timed
        Frame of :func:`time_tickets`.
    calendar
        Frame of :func:`calendar_table`, from the first start to ``as_of``.
    limits
        Name = limit.
    as_of
        Moment of the snapshot. Naive means UTC.

    Returns
    -------
    narwhals.LazyFrame
        The tickets with, per name, ``<name>_started`` (the start is known at ``as_of``), ``<name>_decided``
        (its clock has run past the limit at ``as_of``, whatever has happened) and ``<name>_met`` (the event
        came within it).

    Notes
    -----
    An event before its start counts as in time. Pauses do not stop this clock.
    """
    now = _moment(as_of)
    names = timed.collect_schema().names()
    by_day = {limit.limit: parse_working_days(limit.limit) for limit in limits.values()}
    joined = [limit for limit in limits.values() if limit.clock == "business" or by_day[limit.limit]]
    stamps = dict.fromkeys(name for limit in joined for name in (limit.event, limit.start))
    for name in stamps:
        # what lies beyond as_of has not happened, and the calendar does not hold it
        timed = timed.with_columns(nw.when(nw.col(name) <= now).then(nw.col(name)).alias(name))
        timed = _clock(timed, calendar, at=name, name=f"at_{name}")
    if joined:
        timed = timed.join(_final(calendar, as_of), how="cross")
    found = []
    for name, limit in limits.items():
        days = by_day[limit.limit]
        start, event = nw.col(limit.start), nw.col(limit.event)
        if days is None and limit.clock == "calendar":
            due = start + parse_limit(limit.limit)
            over, met = due < now, (event <= due) & (event <= now)
        else:
            allowed = days or int(parse_limit(limit.limit).total_seconds())
            of_start, of_event, of_end = (
                (
                    _working_days(f"_at_{limit.start}_", started=True),
                    _working_days(f"_at_{limit.event}_", started=False),
                    nw.col("_end_days"),
                )
                if days
                else (nw.col(f"_at_{limit.start}_b"), nw.col(f"_at_{limit.event}_b"), nw.col("_end_b"))
            )
            over, met = of_end - of_start > allowed, of_event - of_start <= allowed
        found += [
            (start <= now).fill_null(False).alias(f"{name}_started"),
            over.fill_null(False).alias(f"{name}_decided"),
            met.fill_null(False).alias(f"{name}_met"),
        ]
    added = [f"{name}_{part}" for name in limits for part in ("started", "decided", "met")]
    return timed.with_columns(*found).select(*names, *added)


#: What :func:`time_tickets` adds.
TIMED: tuple[str, ...] = (
    "day",
    "age_s",
    "resolved_for_s",
    "no_reply",
    *(
        f"{measure}_{part}"
        for measure in ("response", "resolution")
        for part in ("business", "clock_s", "limit_s", "decided", "met")
    ),
)

_SHORT = {"first_response": "response", "resolution": "resolution"}
_RULES = pa.schema(
    [(key, pa.string()) for key in columns.RULE_KEYS]
    + [(f"{short}_{part}", pa.int64()) for short in _SHORT.values() for part in ("limit_s", "business")]
)
#: Rule keys with missing values as "": null keys would never match.
_KEYS = {f"_{key}": key for key in columns.RULE_KEYS}


# --- the calendar, in plain Python -----------------------------------------------------------------


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


def _is_working(calendar: Calendar, day: int) -> int:
    """Return 1 if the service is open at some time of a local epoch day."""
    if calendar.hours is None:
        return 1
    weekday = _hours_of(calendar, date.fromordinal(day + _EPOCH), set())
    return int(bool(weekday and calendar.hours.get(weekday)))


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


# --- the rules, in plain Python --------------------------------------------------------------------


def _winner(rules: list[tuple[int, SlaRule]], combination: Combination) -> SlaRule | None:
    matching = sorted(
        (
            (len(keys), number, rule)
            for number, rule in rules
            if (keys := _named(rule)) <= _pairs(combination)
        ),
        key=lambda found: (-found[0], found[1]),
    )
    for (most, number, rule), (next_most, next_number, next_rule) in pairwise(matching[:2]):
        if most == next_most:
            raise SettingsError(
                f"`sla.rules` must give one limit, not two, for {_words(combination)}: "
                f"rule {number} ({_rule_words(rule)}) and rule {next_number} ({_rule_words(next_rule)}) name "
                "equally many keys. Remove one or add a rule that names more."
            )
    return matching[0][2] if matching else None


def _pairs(combination: Combination) -> set[tuple[str, str]]:
    return set(zip(columns.RULE_KEYS, combination, strict=True))


def _named(rule: SlaRule) -> set[tuple[str, str]]:
    values = ((key, getattr(rule, key)) for key in columns.RULE_KEYS)
    return {(key, value) for key, value in values if value is not None}


def _words(combination: Combination) -> str:
    return ", ".join(
        f"{key} {value or '(none)'}" for key, value in zip(columns.RULE_KEYS, combination, strict=True)
    )


def _rule_words(rule: SlaRule) -> str:
    named = ", ".join(f"{key} {value}" for key, value in sorted(_named(rule)))
    return f"{rule.measure}, {named}" if named else rule.measure


def _unmatched(measure: str, combination: Combination, tickets: int) -> Failure:
    several = f"{tickets:,} tickets" if tickets != 1 else "1 ticket"
    reason = f"no {measure} rule matches {several}. Add one to `sla.rules`."
    return Failure(", ".join(columns.RULE_KEYS), None, _words(combination), reason)


# --- the clock, as lazy expressions ----------------------------------------------------------------


def _moment(moment: datetime) -> nw.Expr:
    return nw.lit(_naive(moment)).cast(nw.Datetime("us"))


def _naive(moment: datetime) -> datetime:
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _flag(condition: nw.Expr) -> nw.Expr:
    """1 where true; 0 where false or unknown."""
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0)).cast(nw.Int64)


def _as_known(tickets: nw.LazyFrame[Any], now: nw.Expr) -> nw.LazyFrame[Any]:
    """Take away what happened after ``as_of``, and add event times that are never before the opening."""
    stamps = ("first_response_at", "resolved_at", "reopened_at", "recontact_at")
    # a stated duration belongs to an event that may be later than as_of
    tickets = tickets.with_columns(
        nw.when(~(nw.col(stamp) > now) | nw.col(stamp).is_null()).then(nw.col(f"{event}_{clock}_minutes"))
        for event, stamp in (("first_response", "first_response_at"), ("resolution", "resolved_at"))
        for clock in ("business", "calendar")
    )
    tickets = tickets.with_columns(nw.when(nw.col(stamp) <= now).then(nw.col(stamp)) for stamp in stamps)
    return tickets.with_columns(
        *(nw.col(key).fill_null("").alias(name) for name, key in _KEYS.items()),
        *(
            # the guard is needed: max_horizontal ignores nulls and would turn "not yet" into "at once"
            nw.when(~nw.col(stamp).is_null()).then(nw.max_horizontal("opened_at", stamp)).alias(name)
            for name, stamp in (("_response_at", "first_response_at"), ("_resolution_at", "resolved_at"))
        ),
    )


def _keyed(rules: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    return rules.rename({key: name for name, key in _KEYS.items()})


def _second_of_day(at: str) -> nw.Expr:
    part = nw.col(at).dt
    hours, minutes, seconds = (unit.cast(nw.Int64) for unit in (part.hour(), part.minute(), part.second()))
    return hours * 3600 + minutes * 60 + seconds


def _reading(calendar: nw.LazyFrame[Any], second: nw.Expr, prefix: str) -> tuple[nw.Expr, nw.Expr]:
    """Read the calendar and the business clock at a second of the day of a calendar row."""
    pieces = sum(name.startswith("l") for name in calendar.collect_schema().names())
    business = nw.col(f"{prefix}cum")
    for place in range(pieces):
        into = (second - nw.col(f"{prefix}s{place}")).clip(lower_bound=0)
        business = business + nw.min_horizontal(into, nw.col(f"{prefix}l{place}"))
    return nw.col(f"{prefix}day_s") + second, business


def _clock(frame: nw.LazyFrame[Any], calendar: nw.LazyFrame[Any], *, at: str, name: str) -> nw.LazyFrame[Any]:
    """Add both clocks at a time as ``_<name>_c`` and ``_<name>_b``, null where the time is."""
    prefix = f"_{name}_"
    own = calendar.rename({column: prefix + column for column in calendar.collect_schema().names()})
    frame = frame.with_columns(nw.col(at).cast(nw.Date).alias(f"{prefix}date"))
    frame = frame.join(own, on=f"{prefix}date", how="left")
    frame = frame.with_columns(_second_of_day(at).alias(f"{prefix}second"))
    by_calendar, by_business = _reading(calendar, nw.col(f"{prefix}second"), prefix)
    return frame.with_columns(by_calendar.alias(f"{prefix}c"), by_business.alias(f"{prefix}b"))


def _final(calendar: nw.LazyFrame[Any], as_of: datetime) -> nw.LazyFrame[Any]:
    """Both clocks at ``as_of``, in one row."""
    moment = _naive(as_of)
    second = nw.lit(moment.hour * 3600 + moment.minute * 60 + moment.second).cast(nw.Int64)
    by_calendar, by_business = _reading(calendar, second, "")
    day = calendar.filter(nw.col("date") == nw.lit(moment.date()))
    day = day.with_columns(second.alias("second"), by_calendar.alias("c"))
    return day.select(
        by_calendar.alias("_end_c"),
        by_business.alias("_end_b"),
        _working_days("", started=False).alias("_end_days"),
    )


def _local_day(prefix: str = "_open_") -> nw.Expr:
    before = nw.col(f"{prefix}second") < nw.col(f"{prefix}turn")
    offset = nw.when(before).then(nw.col(f"{prefix}offset")).otherwise(nw.col(f"{prefix}offset_after"))
    return (nw.col(f"{prefix}c") + offset) // DAY


def _working_days(prefix: str, *, started: bool) -> nw.Expr:
    """Read the clock of working days at a moment.

    A limit of n of them ends with the n-th working day after the day of the start: on the day of the start
    the clock stands at the working days up to and with it, later at one more than those that are over.
    """
    place = _local_day(prefix) - nw.col(f"{prefix}day_s") // DAY + (2 if started else 1)
    through = nw.col(f"{prefix}work0")
    for later in (1, 2, 3):
        through = nw.when(place >= later).then(nw.col(f"{prefix}work{later}")).otherwise(through)
    return through if started else through + 1


def _paused(
    pauses: nw.LazyFrame[Any], calendar: nw.LazyFrame[Any], rules: nw.LazyFrame[Any], now: nw.Expr
) -> nw.LazyFrame[Any]:
    """Sum, per ticket and measure, the time the clock stood still until the event or ``as_of``."""
    pauses = pauses.filter(nw.col("start_at") <= now).with_columns(
        *(nw.col(key).fill_null("").alias(name) for name, key in _KEYS.items()),
        nw.max_horizontal("start_at", "opened_at").alias("_from"),
        # min_horizontal ignores nulls: an open pause, and an event that has not happened, run to as_of
        nw.min_horizontal(nw.col("end_at"), nw.col("first_response_at"), now).alias("_response_to"),
        nw.min_horizontal(nw.col("end_at"), nw.col("resolved_at"), now).alias("_resolution_to"),
    )
    # a stretch that ends before it starts is none; the calendar starts with the first opening
    pauses = pauses.with_columns(
        nw.max_horizontal(name, "_from").alias(name) for name in ("_response_to", "_resolution_to")
    )
    for at, name in (("_from", "from"), ("_response_to", "response"), ("_resolution_to", "resolution")):
        pauses = _clock(pauses, calendar, at=at, name=name)
    pauses = pauses.join(_keyed(rules), on=list(_KEYS), how="left")
    return (
        pauses.with_columns(
            _by_clock(name, f"_{name}_", "_from_").alias(f"_{name}_pause") for name in _SHORT.values()
        )
        .group_by("ticket_id")
        .agg(nw.col(f"_{name}_pause").sum().cast(nw.Int64) for name in _SHORT.values())
    )


def _by_clock(measure: str, end: str, start: str) -> nw.Expr:
    """Seconds between two readings, on the clock of the ticket's rule."""
    business = nw.col(f"{measure}_business") == 1
    on_business = nw.col(f"{end}b") - nw.col(f"{start}b")
    return nw.when(business).then(on_business).otherwise(nw.col(f"{end}c") - nw.col(f"{start}c"))


def _answered() -> nw.Expr:
    stated = (f"first_response_{clock}_minutes" for clock in ("business", "calendar"))
    found = ~nw.col("first_response_at").is_null()
    for name in stated:
        found = found | ~nw.col(name).is_null()
    return found


def _elapsed(measure: str, event: str) -> tuple[nw.Expr, nw.Expr]:
    """Clock until the event or ``as_of``, and clock until ``as_of``."""
    paused = nw.col(f"_{measure}_pause").fill_null(0)
    until_event = _by_clock(measure, f"_{measure}_", "_open_") - paused
    until_end = _by_clock(measure, "_end_", "_open_") - paused
    business = nw.col(f"{measure}_business") == 1
    stated = nw.when(business).then(nw.col(f"{event}_business_minutes"))
    stated_minutes = stated.otherwise(nw.col(f"{event}_calendar_minutes"))
    return (
        nw.coalesce(stated_minutes.cast(nw.Int64) * 60, until_event, until_end).alias(f"{measure}_clock_s"),
        until_end.alias(f"_{measure}_until_end"),
    )


def _decided(measure: str) -> nw.Expr:
    # a null limit compares to null, which is not decided
    over = nw.col(f"_{measure}_until_end") > nw.col(f"{measure}_limit_s")
    return _flag(over).alias(f"{measure}_decided")


def _due_passed(now: nw.Expr) -> nw.Expr:
    return _flag(nw.col("due_at") < now).alias("resolution_decided")


def _met(measure: str, in_time: nw.Expr | None = None) -> nw.Expr:
    if in_time is None:
        in_time = nw.col(f"{measure}_clock_s") <= nw.col(f"{measure}_limit_s")
    return nw.when(nw.col(f"{measure}_decided") == 1).then(_flag(in_time)).alias(f"{measure}_met")
