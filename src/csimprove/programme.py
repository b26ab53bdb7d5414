"""What is overdue and whose, what worked, and where the programme stands: register, exceptions, schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from csimprove.baseline import Indicator, baseline, indicator, with_interval
from csimprove.errors import SettingsError
from csimprove.exceptions import AlertException, Proposal, alert_exceptions, proposals
from csimprove.pdca import CycleStatus, read_register, statuses
from csimprove.pilot import look_history, pilot
from csimprove.plain import Plain
from csimprove.schedule import ScheduleResult, schedule
from csimprove.settings import Settings, Version
from csimprove.sla import working_day

if TYPE_CHECKING:  # annotations only: the result needs no engine
    from csimprove.metrics import Measures
    from csimprove.tickets import Reading

#: Seed of a pilot evaluation that is a gate's evidence: only designs beyond full enumeration use chance.
SEED = 2025
#: Days off in a row that a calendar shows: more than a weekend.
LONG_CLOSURE = 3


@dataclass(frozen=True, slots=True)
class Cohort(Plain):
    """The tickets that one version of the process dealt with.

    Parameters
    ----------
    version, changed
        From the settings; ``""``: before the first version.
    first, last
        Local days of opening.
    where
        Whom it reaches; empty: everybody.
    trained_share
        Of the staff, when it is known.
    tickets
        Opened in that time.
    indicators
        Every available metric, with its interval.
    """

    version: str
    changed: str
    first: date
    last: date
    where: dict[str, tuple[str, ...]]
    trained_share: float | None
    tickets: int
    indicators: tuple[Indicator, ...]


@dataclass(frozen=True, slots=True)
class ProgrammeResult(Plain):
    """Where the programme stands.

    Parameters
    ----------
    cycles
        Every action, the overdue first.
    exceptions, proposals
        Alerts that must be answered; feedback that opens a proposal.
    versions
        Versions of the process as cohorts, the time before the first one among them.
    schedule
        Phases, gates and drift; ``None`` without a schedule.
    closures
        First and last day of every stretch of three or more days off around the programme.
    first, last
        Days of opening that the data hold.
    now
        Local moment against which dates are held: the data date or, where none was asked for and the register
        goes on after it, the register's last entry.
    as_of, zone, tickets, reading
        As in the baseline.
    """

    cycles: tuple[CycleStatus, ...]
    exceptions: tuple[AlertException, ...]
    proposals: tuple[Proposal, ...]
    versions: tuple[Cohort, ...]
    schedule: ScheduleResult | None
    closures: tuple[tuple[date, date], ...]
    first: date
    last: date
    now: datetime
    as_of: datetime
    zone: str
    tickets: int
    reading: Reading

    @property
    def overdue(self) -> tuple[CycleStatus, ...]:
        """Open actions past their due date, the latest first."""
        return tuple(one for one in self.cycles if one.overdue)

    @property
    def checked(self) -> tuple[CycleStatus, ...]:
        """Actions with a measured check."""
        return tuple(one for one in self.cycles if one.check is not None)

    @property
    def open_exceptions(self) -> tuple[AlertException, ...]:
        """Exceptions whose alert lasts."""
        return tuple(one for one in self.exceptions if one.state != "over")

    @property
    def open_proposals(self) -> tuple[Proposal, ...]:
        """Proposals that no cycle answers."""
        return tuple(one for one in self.proposals if one.cycle is None)

    @property
    def today(self) -> date:
        """Local day of `now`."""
        return self.now.date()


def programme(
    measures: Measures, *, settings: Settings, as_of: date | datetime | str | None = None
) -> ProgrammeResult:
    """Put together where the programme stands.

    Parameters
    ----------
    measures
        Sums per day and cut as of a moment.
    settings
        The project's settings; the register lies beside them.
    as_of
        The moment that was asked for; ``None``: the latest one. What was entered in the register after it
        has not happened yet.

    Returns
    -------
    ProgrammeResult
        Register, exceptions, proposals, versions and schedule.

    Raises
    ------
    SettingsError
        If a file of the register breaks a rule; the message lists every one.
    """
    cycles = read_register(settings)
    entries = [entry.at for cycle in cycles for entry in cycle.history]
    moment = measures.as_of if as_of is not None else max([measures.as_of, *entries])
    now = moment.astimezone(ZoneInfo(settings.calendar.zone))
    known = {metric.name: metric for metric in measures.metrics}
    stand = statuses(cycles, settings=settings, moment=moment, metrics=known)
    days = measures.frame["day"]
    planned = _scheduled(measures, settings, stand, now.date())
    return ProgrammeResult(
        cycles=stand,
        exceptions=alert_exceptions(measures, settings=settings, cycles=cycles, moment=moment),
        proposals=proposals(measures, settings=settings, cycles=cycles),
        versions=tuple(_cohorts(measures, settings)),
        schedule=planned,
        closures=_closures(settings, _days_of(stand, planned)),
        first=days.min().date(),
        last=days.max().date(),
        now=now,
        as_of=measures.as_of,
        zone=measures.zone,
        tickets=int(measures.frame["tickets"].sum()),
        reading=measures.reading,
    )


def _days_of(stand: tuple[CycleStatus, ...], planned: ScheduleResult | None) -> list[date]:
    """Return the days between which actions and schedule lie."""
    days = [day for one in stand for part in one.stretches for day in (part.first, part.last)]
    days += [one.due for one in stand if one.due is not None]
    if planned is not None:
        days += [day for phase in planned.phases for day in (phase.first, phase.last)]
        days += [gate.due for gate in planned.gates]
    return days


def _closures(settings: Settings, days: list[date]) -> tuple[tuple[date, date], ...]:
    if not days:
        return ()
    found: list[tuple[date, date]] = []
    first, last = min(days), max(days)
    for day in (first + timedelta(days=ahead) for ahead in range((last - first).days + 1)):
        if working_day(settings.calendar, day):
            continue
        if found and day - found[-1][1] == timedelta(days=1):
            found[-1] = found[-1][0], day
        else:
            found.append((day, day))
    return tuple(one for one in found if (one[1] - one[0]).days + 1 >= LONG_CLOSURE)


def _scheduled(
    measures: Measures, settings: Settings, stand: tuple[CycleStatus, ...], today: date
) -> ScheduleResult | None:
    if settings.schedule is None:
        return None
    confirmed = {
        one.id for one in stand if one.state == "closed" and one.check and one.check.verdict == "confirmed"
    }
    asked = {
        str(evidence.result).split(".")[0]
        for phase in settings.schedule.phases
        if phase.gate
        for evidence in phase.gate.evidence
        if evidence.result
    }
    results = {name: found for name in asked if (found := _result(name, measures, settings)) is not None}
    return schedule(
        measures,
        settings.schedule,
        folder=settings.folder,
        results=results,
        confirmed=confirmed,
        today=today,
    )


def _result(name: str, measures: Measures, settings: Settings) -> Mapping[str, Any] | None:
    """Compute a result that a gate asks for, as its own notebook does; ``None`` if it cannot be had yet."""
    try:
        if name == "pilot" and settings.pilot is not None:
            history, rng = look_history(settings, measures), np.random.default_rng(SEED)
            return pilot(measures, plan=settings.pilot, rng=rng, history=history).to_dict()
        return baseline(measures, settings=settings).to_dict() if name == "baseline" else None
    except SettingsError:
        return None


def _cohorts(measures: Measures, settings: Settings) -> list[Cohort]:
    if not settings.versions:
        return []
    versions = sorted(settings.versions, key=lambda one: one.start)
    first, last = (day.date() for day in measures.frame["day"].agg(["min", "max"]))
    ends = [one.start - timedelta(days=1) for one in versions[1:]] + [last]
    made = [_cohort(measures, None, first, versions[0].start - timedelta(days=1))]
    made += [_cohort(measures, one, one.start, end) for one, end in zip(versions, ends, strict=True)]
    return [one for one in made if one.tickets]


def _cohort(measures: Measures, version: Version | None, first: date, last: date) -> Cohort:
    where = {} if version is None else dict(version.where)
    rows = with_interval(measures.pooled(first=first, last=last, where=where), measures)
    records = rows.to_dict("records")
    share = None
    if version is not None and version.trained is not None and version.staff:
        share = version.trained / version.staff
    return Cohort(
        version=version.version if version else "",
        changed=version.changed if version else "",
        first=first,
        last=last,
        where=where,
        trained_share=share,
        tickets=int(rows["tickets"].max()) if records else 0,
        indicators=tuple(indicator(measures.metric(row["metric"]), row) for row in records),
    )
