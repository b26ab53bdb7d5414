import json
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pandas as pd
import pytest

from csimprove.baseline import BaselineResult, baseline, with_interval
from csimprove.inference import mean_interval, wilson
from csimprove.metrics import Metric
from csimprove.settings import MetricSettings, Settings
from made_measures import DECIDED, made_measures, pilot_plan


def settings(**fields):
    source = {"path": "tickets.csv"}
    return Settings(**{"project": "P", "source": source, "cuts": ("region",), **fields})


def one_day(**metrics):
    row = {"day": date(2025, 7, 7), "tickets": 100, **metrics}
    return made_measures([row], metrics=tuple(metrics))


def only(measures, **fields):
    (indicator,) = baseline(measures, settings=settings(**fields)).indicators
    return indicator


def test_a_rate_is_pooled_over_days_with_a_wilson_interval():
    rows = [
        {"day": date(2025, 7, 7), "tickets": 10, "response_on_time": (9, 9, 10)},
        {"day": date(2025, 7, 8), "tickets": 100, "response_on_time": (45, 90, 95)},
    ]
    found = only(made_measures(rows, metrics=("response_on_time",)))
    assert (found.numerator, found.denominator, found.undecided, found.left_out) == (54, 99, 6, 5)
    assert found.value == 54 / 99
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(map(float, wilson(54, 99))))


def test_a_mean_is_in_minutes_with_a_t_interval():
    # 600 and 1,200 seconds
    found = only(one_day(waiting_time=(1800, 2, 2, 600**2 + 1200**2)))
    assert (found.unit, found.value) == ("minutes", 15)
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(map(float, mean_interval(30, 500, 2))))


@pytest.mark.parametrize(
    ("k", "below", "statistically"),
    [(92, False, False), (90, False, False), (89, True, False), (85, True, False), (84, True, True)],
)
def test_below_threshold_is_the_contract_and_statistically_below_the_evidence(k, below, statistically):
    found = only(one_day(response_on_time=(k, 100)))
    assert found.alert_threshold == 0.9
    assert (found.below_threshold, found.statistically_below) == (below, statistically)


@pytest.mark.parametrize(("k", "statistically"), [(15, False), (16, True)])
def test_below_means_above_the_threshold_where_lower_is_better(k, statistically):
    measures = one_day(complaint_rate=(k, 100))
    (metric,) = measures.metrics
    found = only(replace(measures, metrics=(replace(metric, alert=0.1),)))
    assert (found.below_threshold, found.statistically_below) == (True, statistically)


@pytest.mark.parametrize(("alert", "statistically"), [(4.0, True), (4.25, True), (4.4, False)])
def test_a_mean_is_statistically_below_by_a_one_sided_t_test(alert, statistically):
    # mean 5, standard error 0.4: one-sided 5 % lies at 5 - 1.66 x 0.4 = 4.34, two-sided at 4.21
    measures = one_day(waiting_time=(30_000, 100, 100, 9_000_000 + 99 * 240**2))
    (metric,) = measures.metrics
    found = only(replace(measures, metrics=(replace(metric, alert=alert),)))
    assert (found.below_threshold, found.statistically_below) == (True, statistically)


def test_no_alert_means_no_flag():
    found = only(one_day(csat=(50, 100)))
    assert found.alert_threshold is None
    assert found.below_threshold is found.statistically_below is None


@pytest.mark.parametrize(
    ("k", "n", "status"), [(990, 1000, "reached"), (900, 1000, "not_reached"), (95, 100, "cannot_tell")]
)
def test_the_target_is_reached_only_when_the_whole_interval_says_so(k, n, status):
    assert only(one_day(response_on_time=(k, n))).on_target == status


def test_the_target_of_a_lower_is_better_metric_is_reached_from_above():
    assert only(one_day(complaint_rate=(1, 1000))).on_target == "reached"
    assert only(one_day(complaint_rate=(50, 1000))).on_target == "not_reached"


@pytest.mark.parametrize(("n", "thin"), [(29, True), (30, False)])
def test_csat_from_fewer_than_30_answers_is_thin(n, thin):
    assert only(one_day(csat=(20, n))).thin is thin
    assert only(one_day(response_on_time=(20, n))).thin is False


def test_nothing_decided_gives_no_value_no_flag_and_no_goal():
    result = baseline(one_day(response_on_time=(0, 0, 7)), settings=settings())
    (found,) = result.indicators
    assert (found.denominator, found.undecided, found.value, found.ci_low) == (0, 7, None, None)
    assert found.below_threshold is found.statistically_below is found.on_target is None
    assert result.goals == ()


def test_cuts_hold_every_declared_cut_but_the_agent():
    rows = [
        {
            "day": date(2025, 7, 7),
            "region": region,
            "channel": "web",
            "tickets": n,
            "response_on_time": (k, n),
        }
        for region, k, n in (("North", 40, 50), ("South", 30, 50), ("", 0, 0))
    ]
    measures = made_measures(rows, metrics=("response_on_time",))
    frame = measures.frame.assign(agent="agent-1")
    measures = replace(measures, frame=frame, keys=(*measures.keys, "agent"))
    cuts = baseline(measures, settings=settings(cuts=("region", "channel", "agent"))).cuts
    assert cuts[["cut", "group", "numerator", "denominator"]].to_dict("records") == [
        {"cut": "region", "group": "", "numerator": 0, "denominator": 0},
        {"cut": "region", "group": "North", "numerator": 40, "denominator": 50},
        {"cut": "region", "group": "South", "numerator": 30, "denominator": 50},
        {"cut": "channel", "group": "web", "numerator": 70, "denominator": 100},
    ]
    assert cuts["value"].isna().tolist() == [True, False, False, False]
    assert cuts["ci_low"][1] == pytest.approx(float(wilson(40, 50)[0]))


def test_a_week_is_complete_when_it_is_whole_past_and_decided():
    # Wednesday 9 July to Sunday 3 August; the last week still has an undecided ticket
    days = [date(2025, 7, 9), date(2025, 7, 14), date(2025, 7, 21), date(2025, 7, 28)]
    rows = [
        {"day": day, "tickets": 10, "response_on_time": (8, 9 if day == days[-1] else 10, 10)} for day in days
    ]
    measures = made_measures(rows, metrics=("response_on_time",))
    period = (date(2025, 7, 9), date(2025, 8, 3))
    trend = baseline(measures, settings=settings(baseline=period)).trend
    assert trend["week"].dt.strftime("%m-%d").tolist() == ["07-07", "07-14", "07-21", "07-28"]
    assert trend["complete"].tolist() == [False, True, True, False]
    assert trend["value"].tolist() == [0.8, 0.8, 0.8, 8 / 9]


def test_the_week_in_which_the_data_end_is_not_complete():
    row = {"day": date(2025, 7, 7), "tickets": 10, "response_on_time": (8, 10)}
    for as_of, complete in ((datetime(2025, 7, 13, 20, tzinfo=UTC), False), (DECIDED, True)):
        measures = made_measures([row], metrics=("response_on_time",), as_of=as_of)
        period = settings(baseline=(date(2025, 7, 7), date(2025, 7, 13)))
        assert baseline(measures, settings=period).trend["complete"].tolist() == [complete]


def test_goals_tell_the_gap_and_the_tickets_a_week_it_takes():
    row = {
        "day": date(2025, 7, 7),
        "tickets": 200,
        "response_on_time": (150, 180, 200),
        "complaint_rate": (6, 200),
        "waiting_time": (36_000, 200, 200, 10_000_000),
        "reopen_rate": (10, 200),
    }
    measures = made_measures(
        [row], metrics=("response_on_time", "complaint_rate", "waiting_time", "reopen_rate")
    )
    own = {"response_on_time": MetricSettings(owner="Desk lead", due=date(2025, 12, 31))}
    period = (date(2025, 7, 7), date(2025, 7, 20))
    on_time, waiting, complaints = baseline(measures, settings=settings(metrics=own, baseline=period)).goals
    assert on_time.gap == pytest.approx(0.95 - 150 / 180)
    assert on_time.tickets_per_week == pytest.approx(on_time.gap * 200 / 2)
    assert (on_time.owner, on_time.due) == ("Desk lead", date(2025, 12, 31))
    assert (waiting.gap, waiting.tickets_per_week) == (0, None)
    assert complaints.gap == pytest.approx(0.02)


def test_the_period_is_the_settings_else_the_pilots_before_else_all_days():
    rows = [
        {"day": day, "tickets": 1, "response_on_time": (1, 1)}
        for day in (date(2025, 6, 1), date(2025, 7, 10), date(2025, 8, 20))
    ]
    measures = made_measures(rows, metrics=("response_on_time",))
    own = (date(2025, 6, 1), date(2025, 7, 31))
    for fields, expected in (
        ({"baseline": own, "pilot": pilot_plan()}, (*own, 2)),
        ({"pilot": pilot_plan()}, (date(2025, 7, 7), date(2025, 8, 3), 1)),
        ({}, (date(2025, 6, 1), date(2025, 8, 20), 3)),
    ):
        found = baseline(measures, settings=settings(**fields))
        assert (found.first, found.last, found.tickets) == expected


def test_to_dict_is_plain_json_and_to_frame_one_row_an_indicator():
    rows = [
        {"day": date(2025, 7, 7), "region": "North", "tickets": 9, "response_on_time": (8, 9)},
        {"day": date(2025, 7, 14), "region": "", "tickets": 3, "response_on_time": (0, 0, 3)},
    ]
    measures = made_measures(rows, metrics=("response_on_time",), unavailable=("csat",))
    result = baseline(measures, settings=settings())
    data = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert data["metrics"][0]["value"] == 8 / 9
    assert data["trend"][1] == {
        "week": "2025-07-14",
        "metric": "response_on_time",
        "numerator": 0.0,
        "denominator": 0,
        "undecided": 3,
        "value": None,
        "complete": False,
    }
    assert data["unavailable"] == ["csat"]
    frame = result.to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert frame["metric"].tolist() == ["response_on_time"]


def test_groups_keeps_those_with_most_tickets_apart_from_the_rest() -> None:
    rows = [("region", f"r{n:02}", "response_on_time", 10 * n) for n in range(1, 15)]
    cuts = pd.DataFrame(rows, columns=["cut", "group", "metric", "denominator"])
    shown, folded = BaselineResult.groups(SimpleNamespace(cuts=cuts), "response_on_time", "region")  # type: ignore[arg-type]
    assert list(shown["group"]) == [f"r{n:02}" for n in range(14, 2, -1)]
    assert list(folded["group"]) == ["r02", "r01"]


def test_intervals_of_few_answers_stay_within_the_scale() -> None:
    nps = Metric("nps", "mean", "higher", "nps", 50.0, None, "promoters")
    few = {"metric": ["nps"], "numerator": [-200.0], "denominator": [3], "squares": [20_000.0]}
    found = with_interval(pd.DataFrame(few), SimpleNamespace(metrics=(nps,))).iloc[0]
    assert (found["value"], found["ci_low"]) == (pytest.approx(-200 / 3), -100)
    assert found["ci_high"] == pytest.approx(-200 / 3 + 4.302653 * 100 / 3, rel=1e-6)
