"""Deadlines on working or calendar time, and what is escalated when they pass."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from csimprove.settings import Calendar, Settings, parse_limit
from csimprove.sla import working_day

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Lateness:
    """Something that was not there in time; an entry in the history by itself.

    Parameters
    ----------
    what
        What was missed: the ``report`` of an exception, its ``correction``, the ``due`` date of a cycle; then
        ``still_open``, each time the limit passes again.
    deadline
        Moment that passed, local.
    on
        Day of the escalation: on working time the first working day at or after the deadline.
    level, person
        To whom it went.
    """

    what: Literal["report", "correction", "due", "still_open"]
    deadline: datetime
    on: date
    level: int
    person: str


def deadline(
    start: datetime, limit: str, *, calendar: Calendar, clock: Literal["calendar", "business"]
) -> datetime:
    """Return the moment at which a limit has passed.

    Parameters
    ----------
    start
        Local moment at which it begins.
    limit
        Such as "24 h" or "3 d"; on the business clock ``d`` counts working days.
    calendar
        Which days are working days.
    clock
        ``calendar``: 1 d is 24 hours. ``business``: the same time of day so many working days later; from
        midnight, the end of the last of them. A start on a day off counts from the next working day.

    Returns
    -------
    datetime
        Local.

    Examples
    --------
    Saturday 27 September 2025: Sunday is a make-up workday, from Wednesday eight days are a holiday.

    >>> office = Calendar(zone="Asia/Shanghai", holidays="CN", hours=dict.fromkeys(
    ...     ("mon", "tue", "wed", "thu", "fri"), ("09:00-18:00",)))
    >>> saturday = datetime(2025, 9, 27)
    >>> [deadline(saturday, limit, calendar=office, clock="business").strftime("%m-%d %H:%M")
    ...  for limit in ("1 d", "3 d", "4 d")]
    ['09-29 00:00', '10-01 00:00', '10-10 00:00']
    """
    length = parse_limit(limit)
    if clock == "calendar":
        return start + length
    day, at = start.date(), start.time()
    if not working_day(calendar, day):
        day, at = _next(calendar, day), time(0)
    days = length // _DAY
    if at == time(0):  # the first day counts as a whole
        days -= 1
    for _ in range(days):
        day = _next(calendar, day)
    return datetime.combine(day + _DAY if at == time(0) else day, at, start.tzinfo)


def _next(calendar: Calendar, day: date) -> date:
    """Next working day; a calendar without any gives the next day."""
    for ahead in range(1, 400):
        if working_day(calendar, day + ahead * _DAY):
            return day + ahead * _DAY
    return day + _DAY


def escalations(
    steps: list[tuple[Literal["report", "correction", "due"], datetime, datetime | None]],
    *,
    settings: Settings,
    now: datetime,
) -> tuple[Lateness, ...]:
    """Return every escalation up to now, from dates alone.

    Parameters
    ----------
    steps
        What is asked, its deadline, and when it was there (``None``: not yet), all local.
    settings
        Clock, limits and the person of each level.
    now
        Local moment.

    Returns
    -------
    tuple of Lateness
        Each missed step goes one level up; while the last step stays open, one more each time
        ``correct_within`` passes, up to the highest level.
    """
    pdca, calendar = settings.pdca, settings.calendar
    found: list[tuple[Literal["report", "correction", "due", "still_open"], datetime]] = []
    found += [(what, limit) for what, limit, done in steps if limit < min(done or now, now)]
    if steps:
        _, limit, done = steps[-1]
        while True:
            limit = deadline(limit, pdca.correct_within, calendar=calendar, clock=pdca.clock)
            if limit >= min(done or now, now) or len(found) >= len(pdca.levels) - 1:
                break
            found.append(("still_open", limit))
    made, top = [], len(pdca.levels)
    for number, (what, limit) in enumerate(sorted(found, key=lambda one: one[1]), start=2):
        level = min(number, top)
        on = _escalated_on(settings, limit)
        made.append(Lateness(what, limit, on, level, pdca.levels[level - 1]))
    return tuple(one for one in made if one.on <= now.date())


def _escalated_on(settings: Settings, limit: datetime) -> date:
    day = limit.date()
    if settings.pdca.clock == "calendar" or working_day(settings.calendar, day):
        return day
    return _next(settings.calendar, day)
