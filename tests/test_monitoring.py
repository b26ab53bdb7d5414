"""Alerts, regular reports and comparison: on the latest decided period, with both flags, found only once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from csimprove.errors import SettingsError
from csimprove.monitoring import (
    Check,
    MonitoringResult,
    checks,
    monitoring,
    outside,
    phase_starts,
    verdict,
)
from csimprove.pdca import read_register
from csimprove.report.cells import rounded
from csimprove.settings import AlertRule, Phase, Spc, Version
from made_measures import pilot_plan
from made_monitoring import TEAMS, measures, settings
from made_register import project, started


def check(found: tuple[Check, ...], metric: str, rule: str = "threshold") -> Check:
    return next(one for one in found if one.indicator.metric == metric and one.rule == rule)


def test_an_alert_looks_at_the_latest_seven_days_that_are_decided_for_its_metric() -> None:
    found = checks(measures(), settings=settings())

    answered, solved = check(found, "response_on_time"), check(found, "first_contact_resolution")
    assert (answered.window.first, answered.window.last, answered.window.lag) == (
        date(2025, 9, 1),
        date(2025, 9, 7),
        1,
    )
    assert (solved.window.first, solved.window.last, solved.window.lag) == (
        date(2025, 8, 25),
        date(2025, 8, 31),
        8,
    )
    assert answered.indicator.alert_threshold == 0.90
    assert solved.indicator.alert_threshold == 0.80


def test_days_with_undecided_tickets_are_not_looked_at_yet() -> None:
    found = checks(measures(open_last=2), settings=settings())

    assert check(found, "response_on_time").window.last == date(2025, 9, 5)
    assert check(found, "response_on_time").indicator.undecided == 0


def test_a_rate_just_below_its_threshold_is_below_but_not_statistically() -> None:
    found = check(checks(measures(rate=lambda day, team: 0.895), settings=settings()), "response_on_time")
    clear = check(checks(measures(rate=lambda day, team: 0.80), settings=settings()), "response_on_time")
    good = check(checks(measures(), settings=settings()), "response_on_time")

    assert (found.fires, found.indicator.statistically_below) == (True, False)
    assert (clear.fires, clear.indicator.statistically_below) == (True, True)
    assert (good.fires, good.indicator.statistically_below) == (False, False)


def test_own_rules_name_a_cut_a_threshold_and_a_length() -> None:
    rule = AlertRule(metric="waiting_time", threshold=2.4, cut="region", days=3, to="quality_manager")
    found = [one for one in checks(measures(), settings=settings(alerts=(rule,))) if one.cut == "region"]

    assert [(one.group, one.to, one.fires) for one in found] == [
        ("East", "quality_manager", True),
        ("West", "quality_manager", True),
    ]
    assert found[0].window.first == date(2025, 9, 5)


def test_a_rule_without_any_threshold_says_what_to_add() -> None:
    with pytest.raises(SettingsError) as caught:
        checks(measures(), settings=settings(alerts=(AlertRule(metric="waiting_time"),)))
    assert str(caught.value) == (
        "`alerts` must give a threshold for waiting_time: it has none of its own. Add threshold = ...."
    )


def test_every_late_urgent_ticket_is_a_reminder_of_its_own() -> None:
    today = datetime(2025, 9, 7, 15, tzinfo=UTC)
    found = checks(measures(as_of=today), settings=settings())
    urgent = sorted((one for one in found if one.rule == "late_urgent"), key=lambda one: one.window.lag)

    assert [one.window.last for one in urgent] == [date(2025, 9, 7), date(2025, 9, 6)]
    assert {(one.cut, one.group) for one in urgent} == {("severity", "A")}
    made = measures(as_of=today)
    one_more = made.frame.copy()
    row = one_more.index[(one_more["severity"] == "A") & (one_more["day"] == "2025-09-07")][0]
    one_more.loc[row, "response_on_time__sum"] -= 1
    later = checks(replace(made, frame=one_more), settings=settings())
    assert urgent[0].id not in {one.id for one in later}
    assert urgent[1].id in {one.id for one in later}


def test_ids_of_events_are_stable_and_differ_by_rule_group_and_period() -> None:
    one, two = (checks(measures(), settings=settings()) for _ in range(2))
    next_day = checks(measures(99), settings=settings())

    assert [x.id for x in one] == [x.id for x in two]
    assert len({x.id for x in one}) == len(one)
    assert check(one, "response_on_time").id != check(next_day, "response_on_time").id
    assert check(one, "response_on_time").id == "4df28f734b5e"


def report(period: str = "monthly", as_of: datetime | None = None, **fields: Any) -> MonitoringResult:
    return monitoring(measures(as_of=as_of), settings=settings(**fields), period=period)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("daily", date(2025, 9, 7), date(2025, 9, 7)),
        ("weekly", date(2025, 9, 1), date(2025, 9, 7)),
        ("monthly", date(2025, 8, 1), date(2025, 8, 31)),
        ("quarterly", date(2025, 7, 1), date(2025, 9, 7)),
    ],
)
def test_a_report_is_about_the_latest_complete_period(period: str, first: date, last: date) -> None:
    found = report(period).windows["response_on_time"]

    assert (found.first, found.last) == (
        (first, last) if period != "quarterly" else (date(2025, 4, 1), date(2025, 6, 30))
    )


def test_a_month_closed_by_the_fifth_is_provisional_where_tickets_are_undecided() -> None:
    made = measures(93, as_of=datetime(2025, 9, 3, 8, tzinfo=UTC), metrics=("response_on_time",))
    frame = made.frame.copy()
    frame.loc[frame["day"] == "2025-08-30", "response_on_time__decided"] -= 1
    frame["response_on_time__sum"] = frame[["response_on_time__sum", "response_on_time__decided"]].min(axis=1)
    found = monitoring(replace(made, frame=frame), settings=settings())

    assert found.windows["response_on_time"].last == date(2025, 8, 31)
    assert found.windows["response_on_time"].provisional
    assert not monitoring(made, settings=settings()).windows["response_on_time"].provisional
    assert found.before[0].denominator == 31 * 240  # July, restated


def test_an_export_that_ended_long_before_the_data_date_is_read_to_its_end() -> None:
    made = measures(60, as_of=datetime(2025, 12, 1, tzinfo=UTC))
    found = monitoring(made, settings=settings())

    assert found.windows["waiting_time"].first == date(2025, 7, 1)
    assert found.windows["waiting_time"].lag == 123
    assert check(found.checks, "response_on_time").window.last == date(2025, 7, 31)


def test_phases_come_from_the_settings_and_the_pilot_and_frozen_limits_test_the_change() -> None:
    start = date(2025, 8, 4)
    made = measures(rate=lambda day, team: 0.95 if day >= start and team.startswith("East") else 0.80)
    plan = pilot_plan(before=(date(2025, 7, 7), date(2025, 8, 3)), during=(start, date(2025, 8, 31)))
    phase = Phase(name="V1.1", start=date(2025, 9, 1), reason="fewer fields")
    found = monitoring(made, settings=settings(pilot=plan, phases=(phase,)))

    assert found.arms is not None
    for one in (found.chart, found.arms.pilot, found.arms.control, found.arms.difference):
        assert [x.name for x in one.phases] == ["", "pilot", "V1.1"]
    by_phase = {
        name: [round(x.center or 0, 2) for x in getattr(found.arms, name).phases[:2]]
        for name in ("pilot", "control", "difference")
    }
    assert by_phase["pilot"] == [pytest.approx(0.80, abs=0.02), pytest.approx(0.95, abs=0.02)]
    assert by_phase["control"] == [pytest.approx(0.80, abs=0.02), pytest.approx(0.80, abs=0.02)]
    assert by_phase["difference"] == [pytest.approx(0.0, abs=0.02), pytest.approx(0.15, abs=0.02)]
    frozen = [one for one in found.arms.difference.signals if one.limits == "frozen"]
    assert frozen
    assert {one.side for one in frozen if one.side} == {"above"}


def test_an_excluded_day_is_drawn_and_says_why() -> None:
    found = report(spc=Spc(exclude={date(2025, 8, 12): "CRM outage"}))

    points = found.chart.points.set_index("period")
    assert points.loc["2025-08-12", "reason"] == "CRM outage"
    assert points["excluded"].sum() == 1


def test_only_groups_beyond_the_funnel_stand_apart() -> None:
    made = measures(rate=lambda day, team: 0.60 if team == "West 3" else 0.95)
    found = monitoring(
        made, settings=settings(cuts=("region", "team")), metric="response_on_time", cut="team"
    )
    alike = monitoring(measures(), settings=settings(cuts=("region", "team")), cut="team")

    assert found.funnel is not None
    assert found.problems[0].metric == "response_on_time"
    assert alike.funnel is not None
    assert outside(alike.funnel, bad=True) == outside(alike.funnel, bad=False) == []
    assert len(alike.funnel.points) == len(TEAMS)


def test_a_problem_says_since_when_and_how_many_tickets() -> None:
    dropped = date(2025, 8, 18)
    made = measures(rate=lambda day, team: 0.95 if day < dropped else 0.70)
    found = monitoring(made, settings=settings(phases=(Phase(name="V2", start=dropped, reason="new tool"),)))
    problem = next(one for one in found.problems if one.metric == "response_on_time")

    assert verdict(next(one for one in found.kpis if one.metric == "response_on_time")) == "concern"
    assert problem.since == dropped
    assert problem.tickets_per_week is not None
    assert problem.tickets_per_week == pytest.approx((0.95 - found.indicators[0].value) * 31 * 240 / (31 / 7))


def test_wrong_names_say_what_there_is() -> None:
    for asked, message in (
        ({"period": "yearly"}, "`period` must be one of daily, weekly, monthly, quarterly, not 'yearly'."),
        ({"cut": "branch"}, "`cut` must be one of region, team, severity, not 'branch'."),
    ):
        with pytest.raises(SettingsError) as caught:
            monitoring(measures(), settings=settings(), **asked)  # type: ignore[arg-type]
        assert str(caught.value) == message


def test_the_result_is_plain_data() -> None:
    found = report(pilot=pilot_plan())
    data = rounded(found.to_dict())

    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["metrics"][0]["first"] == "2025-08-01"
    assert [one["fires"] for one in data["checks"]] == sorted(
        (one["fires"] for one in data["checks"]), reverse=True
    )
    assert data["arms"]["difference"]["points"][0]["period"] == "2025-06-02"
    assert list(found.to_frame()["metric"]) == [one.metric for one in found.indicators]


def test_versions_and_actions_that_ask_for_it_are_phases_of_the_charts(tmp_path: Path) -> None:
    made = project(tmp_path)
    started(made, title="Second shift", phase=True)
    started(made, title="Of another metric", metric="csat", phase=True)
    started(made, title="Asks for none")
    version = Version(version="V1.1", start=date(2025, 7, 14), changed="fewer fields")
    later = Version(version="V1.2", start=date(2025, 8, 4), changed="at the pilot's start")
    plan = pilot_plan(
        before=(date(2025, 7, 7), date(2025, 8, 3)), during=(date(2025, 8, 4), date(2025, 8, 31))
    )
    own = settings(pilot=plan, versions=(version, later))
    starts = phase_starts(own, read_register(made), "response_on_time")
    assert [(one.start, one.name) for one in starts] == [
        (date(2025, 7, 14), "V1.1"),
        (date(2025, 8, 1), "Second shift"),
        (date(2025, 8, 4), "pilot"),
    ]
    result = monitoring(measures(), settings=own, cycles=read_register(made))
    assert [phase.name for phase in result.chart.phases] == ["", "V1.1", "Second shift", "pilot"]
    (solved,) = [one for one in result.kpis if one.metric == "first_contact_resolution"]
    assert "Second shift" not in [phase.name for phase in solved.phases]
