"""The programme's schedule: phases, gates whose status is computed from evidence, and drift from the plan."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from csimprove import inference
from csimprove.plain import Plain
from csimprove.settings import Evidence, Gate, PlannedKpi, Schedule, SchedulePhase, Task

if TYPE_CHECKING:  # annotations only: the result needs no engine
    from csimprove.metrics import Measures, Metric

#: Days of the period in which a metric is held against its planned path.
PERIOD = 7

GateState = Literal["passed", "open", "missed"]


@dataclass(frozen=True, slots=True)
class EvidenceFound:
    """What a gate asks for, and what is there.

    Parameters
    ----------
    asked
        From the settings.
    state
        ``met``, ``unmet``, or ``unknown``: it cannot be seen yet.
    value
        What was found: a code, a figure.
    unit
        Of a metric's figure, else ``""``.
    """

    asked: Evidence
    state: Literal["met", "unmet", "unknown"]
    value: str | float | None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class GateStatus:
    """A gate and its evidence.

    Parameters
    ----------
    name, due
        From the settings.
    state
        ``passed``: all evidence is met. ``missed``: it is due and evidence lacks. ``open``: not due yet.
    evidence
        Each piece.
    """

    name: str
    due: date
    state: GateState
    evidence: tuple[EvidenceFound, ...]


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """Work and how it stands.

    Parameters
    ----------
    name, owner, first, last, done
        From the settings; ``done`` only if it is past.
    late
        Days beyond ``last``: to the day it was done, else to today.
    """

    name: str
    owner: str | None
    first: date
    last: date
    done: date | None
    late: int


@dataclass(frozen=True, slots=True)
class PhaseStatus:
    """A phase with its work and its gate."""

    name: str
    first: date
    last: date
    tasks: tuple[TaskStatus, ...]
    gate: GateStatus | None


@dataclass(frozen=True, slots=True)
class Drift:
    """A metric against its planned path.

    Parameters
    ----------
    metric, unit, better
        What.
    first, last
        The latest seven days that are decided for it.
    planned
        The path on ``last``; ``None`` outside of it.
    value, ci_low, ci_high, denominator
        Measured, with its 95 % interval (tickets taken as independent), over so many decided tickets.
    state
        ``behind``: the interval lies wholly on the worse side of the path. ``on_plan``: wholly at or beyond.
        ``cannot_tell``: it holds the path. ``none``: no path or no ticket.
    """

    metric: str
    unit: str
    better: str
    first: date
    last: date
    planned: float | None
    value: float | None
    ci_low: float | None
    ci_high: float | None
    denominator: int
    state: Literal["behind", "on_plan", "cannot_tell", "none"]


@dataclass(frozen=True, slots=True)
class ScheduleResult(Plain):
    """The schedule as of a day.

    Parameters
    ----------
    phases
        In the order of the settings.
    drifts
        One a planned metric.
    today
        Local day of the data date.
    """

    phases: tuple[PhaseStatus, ...]
    drifts: tuple[Drift, ...]
    today: date

    @property
    def gates(self) -> tuple[GateStatus, ...]:
        """Every gate in order."""
        return tuple(one.gate for one in self.phases if one.gate is not None)


def schedule(
    measures: Measures,
    plan: Schedule,
    *,
    folder: Path,
    results: Mapping[str, Mapping[str, Any]],
    confirmed: Collection[int],
    today: date,
) -> ScheduleResult:
    """Hold the programme against its schedule.

    Parameters
    ----------
    measures
        Sums per day and cut.
    plan
        Phases, gates, planned metrics.
    folder
        Of the project, in which files are looked for.
    results
        Name = result as plain data; a name that is not there cannot be seen yet.
    confirmed
        Numbers of the cycles that are closed with their effect confirmed.
    today
        Local day.

    Returns
    -------
    ScheduleResult
        States are computed from evidence and dates.

    Raises
    ------
    SettingsError
        If a metric is not there.
    """
    found = _Seen(measures, folder, results, confirmed, today)
    return ScheduleResult(
        phases=tuple(_phase(one, found) for one in plan.phases),
        drifts=tuple(_drift(one, measures, today) for one in plan.kpis),
        today=today,
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    measures: Measures
    folder: Path
    results: Mapping[str, Mapping[str, Any]]
    confirmed: Collection[int]
    today: date


def _phase(one: SchedulePhase, seen: _Seen) -> PhaseStatus:
    tasks = tuple(_task(task, seen.today) for task in one.tasks)
    gate = None if one.gate is None else _gate(one.gate, seen)
    return PhaseStatus(one.name, one.first, one.last, tasks, gate)


def _task(task: Task, today: date) -> TaskStatus:
    done = task.done if task.done is not None and task.done <= today else None
    late = max(0, ((done or today) - task.last).days)
    return TaskStatus(task.name, task.owner, task.first, task.last, done, late)


def _gate(gate: Gate, seen: _Seen) -> GateStatus:
    evidence = tuple(_evidence(one, seen) for one in gate.evidence)
    passed = all(one.state == "met" for one in evidence)
    state: GateState = "passed" if passed else "missed" if gate.due < seen.today else "open"
    return GateStatus(gate.name, gate.due, state, evidence)


def _evidence(asked: Evidence, seen: _Seen) -> EvidenceFound:
    if asked.metric is not None:
        return _metric_evidence(asked, seen)
    if asked.result is not None:
        value = _looked_up(seen.results, asked.result)
        if value is None:
            return EvidenceFound(asked, "unknown", None)
        return EvidenceFound(asked, "met" if str(value) == asked.equals else "unmet", str(value))
    if asked.cycle is not None:
        return EvidenceFound(asked, "met" if asked.cycle in seen.confirmed else "unmet", None)
    there = (seen.folder / str(asked.file)).exists()
    return EvidenceFound(asked, "met" if there else "unmet", None)


def _metric_evidence(asked: Evidence, seen: _Seen) -> EvidenceFound:
    metric = seen.measures.metric(str(asked.metric))
    ripe = timedelta(days=metric.window_days)
    if asked.last is None or asked.reaches is None or asked.last + ripe >= seen.today:
        return EvidenceFound(asked, "unknown", None, metric.unit)
    value, *_ = _value(seen.measures, metric, asked.first, asked.last)
    if value is None:
        return EvidenceFound(asked, "unknown", None, metric.unit)
    sign = 1 if metric.better == "higher" else -1
    met = sign * value >= sign * asked.reaches
    return EvidenceFound(asked, "met" if met else "unmet", value, metric.unit)


def _looked_up(results: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path; ``None`` if it is not there."""
    value: Any = results
    for part in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def _value(
    measures: Measures, metric: Metric, first: date | None, last: date
) -> tuple[float | None, float | None, float | None, int]:
    """Value with interval and decided tickets of a period."""
    row = measures.pooled(metrics=(metric.name,), first=first, last=last).iloc[0]
    n = int(row["denominator"])
    if not n:
        return None, None, None, 0
    total = float(row["numerator"])
    limits = (
        inference.wilson(total, n)
        if metric.kind == "rate"
        else inference.mean_interval(total, row["squares"], n)
    )
    low, high = (float(limit) for limit in limits)
    return total / n, None if np.isnan(low) else low, None if np.isnan(high) else high, n


def _drift(kpi: PlannedKpi, measures: Measures, today: date) -> Drift:
    metric = measures.metric(kpi.metric)
    last = min(today - timedelta(days=1), measures.whole_day) - timedelta(days=metric.window_days)
    first = last - timedelta(days=PERIOD - 1)
    days = sorted(kpi.path)
    planned = None
    if days[0] <= last <= days[-1]:
        ordinals = [day.toordinal() for day in days]
        planned = float(np.interp(last.toordinal(), ordinals, [kpi.path[day] for day in days]))
    value, low, high, n = _value(measures, metric, first, last)
    state: Literal["behind", "on_plan", "cannot_tell", "none"] = "none"
    if planned is not None and low is not None and high is not None:
        sign = 1 if metric.better == "higher" else -1
        worst, best = sorted((sign * low, sign * high))
        aim = sign * planned
        state = "behind" if best < aim else "on_plan" if worst >= aim else "cannot_tell"
    return Drift(
        metric=metric.name,
        unit=metric.unit,
        better=metric.better,
        first=first,
        last=last,
        planned=planned,
        value=value,
        ci_low=low,
        ci_high=high,
        denominator=n,
        state=state,
    )
