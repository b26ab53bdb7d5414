"""How long things took, how long they were allowed: lazy expressions over the calendar and the rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import narwhals as nw

from csimprove.settings import EventLimit, Sla, parse_limit, parse_working_days
from csimprove.sla.calendar import DAY
from csimprove.sla.rules import KEYS, SHORT

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
    known = _as_known(known, now).join(_keyed(rules), on=list(KEYS), how="left")
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
        *(nw.col(key).fill_null("").alias(name) for name, key in KEYS.items()),
        *(
            # the guard is needed: max_horizontal ignores nulls and would turn "not yet" into "at once"
            nw.when(~nw.col(stamp).is_null()).then(nw.max_horizontal("opened_at", stamp)).alias(name)
            for name, stamp in (("_response_at", "first_response_at"), ("_resolution_at", "resolved_at"))
        ),
    )


def _keyed(rules: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    return rules.rename({key: name for name, key in KEYS.items()})


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
        *(nw.col(key).fill_null("").alias(name) for name, key in KEYS.items()),
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
    pauses = pauses.join(_keyed(rules), on=list(KEYS), how="left")
    return (
        pauses.with_columns(
            _by_clock(name, f"_{name}_", "_from_").alias(f"_{name}_pause") for name in SHORT.values()
        )
        .group_by("ticket_id")
        .agg(nw.col(f"_{name}_pause").sum().cast(nw.Int64) for name in SHORT.values())
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
