"""The schedule: gates pass by evidence, tasks are late by dates, metrics drift from their path."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from csimprove.schedule import ScheduleResult, schedule
from csimprove.settings import Evidence, Gate, PlannedKpi, Schedule, SchedulePhase, Task
from made_register import measures

PILOT = {"pilot": {"verdict": "go", "metrics": []}}


def made(
    *evidence: Evidence,
    folder: Path = Path("/nowhere"),
    today: date = date(2025, 9, 8),
    due: date = date(2025, 9, 1),
    results: dict[str, Any] | None = None,
    confirmed: tuple[int, ...] = (),
    path: dict[date, float] | None = None,
) -> ScheduleResult:
    gate = Gate(name="G1", due=due, evidence=evidence or (Evidence(cycle=1),))
    tasks = (
        Task(name="a", first=date(2025, 8, 4), last=date(2025, 8, 8), done=date(2025, 8, 10)),
        Task(name="b", first=date(2025, 8, 4), last=date(2025, 9, 5)),
        Task(name="c", first=date(2025, 8, 4), last=date(2025, 9, 9), done=date(2025, 9, 9)),
    )
    phase = SchedulePhase(
        name="Pilot", first=date(2025, 8, 4), last=date(2025, 8, 31), tasks=tasks, gate=gate
    )
    kpis = (PlannedKpi(metric="response_on_time", path=path),) if path else ()
    plan = Schedule(phases=(phase,), kpis=kpis)
    return schedule(measures(), plan, folder=folder, results=results or {}, confirmed=confirmed, today=today)


def states(result: ScheduleResult) -> list[str]:
    (gate,) = result.gates
    return [gate.state, *(one.state for one in gate.evidence)]


def test_a_gate_passes_when_all_its_evidence_is_there(tmp_path: Path) -> None:
    (tmp_path / "plan.lock").touch()
    asked = (Evidence(file="plan.lock"), Evidence(result="pilot.verdict", equals="go"), Evidence(cycle=3))
    assert states(made(*asked, folder=tmp_path, results=PILOT, confirmed=(3,))) == ["passed", *["met"] * 3]
    assert states(made(*asked, folder=tmp_path, results=PILOT)) == ["missed", "met", "met", "unmet"]
    assert states(made(*asked, results=PILOT, due=date(2025, 9, 8))) == ["open", "unmet", "met", "unmet"]


def test_a_result_that_is_not_there_cannot_be_seen_yet() -> None:
    asked = Evidence(result="pilot.verdict", equals="go")
    assert states(made(asked)) == ["missed", "unknown"]
    assert states(made(asked, results={"pilot": {"verdict": "extend"}})) == ["missed", "unmet"]
    assert states(made(Evidence(result="pilot.verdict.x", equals="go"), results=PILOT)) == [
        "missed", "unknown",
    ]  # fmt: skip


def test_a_metric_is_evidence_when_its_days_are_decided() -> None:
    days = {"first": date(2025, 8, 25), "last": date(2025, 8, 31)}
    high = Evidence(metric="response_on_time", reaches=0.99, **days)  # type: ignore[arg-type]
    low = Evidence(metric="response_on_time", reaches=0.5, **days)  # type: ignore[arg-type]
    slow = Evidence(metric="first_contact_resolution", reaches=0.5, **days)  # type: ignore[arg-type]
    result = made(high, low, slow, today=date(2025, 9, 7))
    assert states(result) == ["missed", "unmet", "met", "unknown"]
    assert states(made(slow, today=date(2025, 9, 8))) == ["passed", "met"]
    (gate,) = result.gates
    assert gate.evidence[1].value == pytest.approx(0.85, abs=0.05)


def test_lateness_of_tasks_follows_from_dates() -> None:
    (phase,) = made().phases
    assert [(task.late, task.done) for task in phase.tasks] == [
        (2, date(2025, 8, 10)), (3, None), (0, None),
    ]  # fmt: skip


@pytest.mark.parametrize(("planned", "state"), [(0.99, "behind"), (0.3, "on_plan"), (None, "cannot_tell")])
def test_a_metric_drifts_when_its_interval_lies_behind_the_path(planned: float | None, state: str) -> None:
    (wide,) = made(path={date(2025, 8, 1): 0.5, date(2025, 9, 30): 0.5}, today=date(2025, 9, 1)).drifts
    aim = planned if planned is not None else wide.value
    assert aim is not None
    (one,) = made(path={date(2025, 8, 1): aim, date(2025, 9, 30): aim}, today=date(2025, 9, 1)).drifts
    assert (one.first, one.last) == (date(2025, 8, 25), date(2025, 8, 31))
    assert one.state == state


def test_between_planned_days_the_path_is_straight_and_outside_there_is_none() -> None:
    (one,) = made(path={date(2025, 8, 21): 0.8, date(2025, 9, 10): 0.9}, today=date(2025, 9, 1)).drifts
    assert one.planned == pytest.approx(0.85)
    (none,) = made(path={date(2025, 9, 5): 0.8, date(2025, 9, 10): 0.9}, today=date(2025, 9, 1)).drifts
    assert (none.planned, none.state) == (None, "none")
