"""Credibility, design and panel of a pilot."""

import json
import tomllib
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from csimprove.errors import SettingsError
from csimprove.pilot import credibility, pilot, pilot_design, pilot_panel
from made_measures import BEFORE, made_measures, pilot_plan, pilot_rows, weekly_rows

PUBLISHED = tomllib.loads((Path(__file__).parent / "reference" / "inference.toml").read_text("utf-8"))
MINI = [row[1:] for row in PUBLISHED["team_tests"]["teams"]]
SHARED = Path(__file__).resolve().parents[2] / "shared"
FCR = "first_contact_resolution"
REGIONS = ("East", "North", "South", "West")
FOUR = {"control": REGIONS[1:]}


def rng():
    return np.random.default_rng(1)


def four_regions(weekly, *, weeks=8):
    """Measures of 20 teams in four regions; ``weekly(team, week)`` is the rate."""
    rates = [[weekly(team, week) for week in range(weeks)] for team in range(20)]
    return made_measures(weekly_rows(rates, regions=[REGIONS[team // 5] for team in range(20)]))


def wobble(team, week):
    """A little of everything, the same in every run."""
    return 0.02 * ((7 * team + 3 * week) % 5 - 2)


# --- credibility -----------------------------------------------------------------------------------


def by_way(found, metric="response_on_time"):
    return {row.way: row for row in found.robustness if row.metric == metric}


def test_every_way_of_looking_gives_the_published_answer():
    counts = {"response_on_time": MINI, FCR: MINI}
    found = by_way(credibility(made_measures(pilot_rows(counts, pilot=3)), plan=pilot_plan(), rng=rng()))
    ways = ["main", "crude", "ticket_weighted", "pooled_t", "wild_bootstrap", "leave_one_out"]
    assert list(found) == ways
    expected = {"main": 0.11186803, "ticket_weighted": 0.11372787, "pooled_t": 0.11186803}
    assert {way: found[way].effect for way in expected} == pytest.approx(expected, abs=1e-7)
    pooled = found["pooled_t"]
    assert (pooled.ci_low, pooled.ci_high, pooled.pvalue) == pytest.approx(
        (0.06503959, 0.15869646, 0.00056783), abs=1e-7
    )
    assert found["wild_bootstrap"].pvalue == 0.00390625
    assert found["wild_bootstrap"].ci_low is None
    assert (found["leave_one_out"].left_out, found["leave_one_out"].units) == ("Team 03", 9)


def test_the_row_main_is_what_the_evaluation_found():
    measures = four_regions(lambda team, week: 0.7 + wobble(team, week) + 0.1 * (team < 5 and week > 3))
    row = by_way(credibility(measures, plan=pilot_plan(**FOUR), rng=rng()))["main"]
    metric = pilot(measures, plan=pilot_plan(**FOUR), rng=rng()).metrics[0]
    found = row.effect, row.ci_low, row.ci_high
    assert found == pytest.approx((metric.effect, metric.ci_low, metric.ci_high))


def test_agents_are_compared_where_measures_know_them():
    rows = []
    for agent in ("Ann", "Bo"):
        rows += pilot_rows({"response_on_time": MINI, FCR: MINI}, pilot=3, agent=agent)
    measures = made_measures(rows, keys=("day", "region", "team", "channel", "severity", "agent"))
    found = by_way(credibility(measures, plan=pilot_plan(), rng=rng()))
    # the same name in two teams is two agents
    assert found["agents"].units == 20
    assert found["agents"].effect == pytest.approx(found["main"].effect)
    assert found["agents"].ci_low > found["main"].ci_low


def test_too_few_units_have_no_interval_in_any_way():
    measures = made_measures(pilot_rows({"response_on_time": MINI, FCR: MINI}, pilot=2))
    found = credibility(measures, plan=pilot_plan(), rng=rng())
    assert {(row.ci_low, row.ci_high, row.pvalue) for row in found.robustness} == {(None, None, None)}
    json.dumps(found.to_dict(), allow_nan=False)


def test_false_starts_before_the_pilot_find_nothing_and_the_true_one_does():
    measures = four_regions(lambda team, week: 0.7 + wobble(team, week) + 0.2 * (team < 5 and week > 3))
    dates = credibility(measures, plan=pilot_plan(**FOUR), rng=rng()).placebo_dates
    chosen = dates[dates["metric"] == FCR]
    assert chosen["start"].tolist() == [BEFORE[0] + timedelta(days=7 * week) for week in (1, 2, 3, 4)]
    assert chosen["real"].tolist() == [False, False, False, True]
    assert (chosen["ci_low"] > 0).tolist() == [False, False, False, True]
    assert chosen["weeks_before"].tolist() == [1, 2, 3, 4]


def test_control_groups_as_false_pilots_are_ranked_with_the_true_one():
    measures = four_regions(lambda team, week: 0.7 + wobble(team, week) + 0.2 * (team < 5 and week > 3))
    groups = credibility(measures, plan=pilot_plan(**FOUR), rng=rng()).placebo_groups
    chosen = groups[groups["metric"] == FCR].set_index("group")
    assert chosen["rank"]["East"] == 1
    assert (chosen["of"] == 4).all()
    assert chosen["real"].tolist() == [True, False, False, False]
    assert chosen["effect"]["East"] == pytest.approx(0.2, abs=0.02)
    # the true pilot is in no false comparison
    assert chosen["effect"].drop("East").abs().max() < 0.03


def test_the_event_study_is_relative_to_the_weeks_before():
    measures = four_regions(
        lambda team, week: 0.6 + 0.01 * week + 0.1 * (team < 5) + 0.2 * (team < 5 and week > 3)
    )
    study = credibility(measures, plan=pilot_plan(**FOUR), rng=rng()).event_study
    chosen = study[study["metric"] == FCR]
    assert chosen["week"].tolist() == list(range(-4, 4))
    assert chosen["start"].tolist()[4] == date(2025, 8, 4)
    assert chosen["effect"].tolist() == pytest.approx([0.0] * 4 + [0.2] * 4)


@pytest.mark.parametrize(
    ("slope", "noise", "status"),
    [(0.0, 0.2, "parallel"), (0.06, 0.2, "diverging"), (0.0, 4.0, "cannot_tell")],
)
def test_pre_trends_are_judged_by_equivalence(slope, noise, status):
    measures = four_regions(
        lambda team, week: 0.5 + noise * wobble(team, week) + slope * week * (team < 5 and week < 4)
    )
    trend = credibility(measures, plan=pilot_plan(**FOUR), rng=rng()).pretrends[0]
    assert (trend.weeks, trend.margin, trend.status) == (4, 0.05, status)
    assert trend.drift == pytest.approx(3 * slope, abs=0.04)


# --- design ----------------------------------------------------------------------------------------


def drifting(seed, *, weeks=60, region=0.0, n=100):
    """History of 20 teams that drift every 4 weeks, and so do their regions."""
    draw = np.random.default_rng(seed)
    shock = draw.normal(0, region, (4, weeks // 4 + 1))
    own = draw.normal(0, 0.02, (20, weeks // 4 + 1))
    level = [[0.7 + shock[t // 5, week // 4] + own[t, week // 4] for week in range(weeks)] for t in range(20)]
    rates = draw.binomial(n, level) / n
    return made_measures(weekly_rows(rates.tolist(), regions=[REGIONS[t // 5] for t in range(20)], n=n))


def plan_after(weeks, **fields):
    """Plan of a pilot of four weeks that starts after so many weeks of history."""
    start = BEFORE[0] + timedelta(days=7 * weeks)
    windows = {
        "before": (start - timedelta(days=28), start - timedelta(days=1)),
        "during": (start, start + timedelta(days=27)),
    }
    return pilot_plan(**{"control": REGIONS[1:], **windows, **fields})


def row_of(design, *, assignment="planned", weeks=4, units_pilot=5, metric=FCR):
    keys = {"metric": metric, "assignment": assignment, "weeks": weeks, "units_pilot": units_pilot}
    table = design.power
    return table[(table[list(keys)] == list(keys.values())).all(axis=1)].iloc[0]


def advised(design, *, metric=FCR):
    """Values of each piece of advice on a metric and on the design, by code."""
    about = [asdict(one) for one in design.advice]
    return {one["code"]: one["values"] for one in about if one["values"].get("metric", metric) == metric}


@pytest.fixture(scope="module")
def shaken():
    """Design on a history in which regions drift."""
    return pilot_design(drifting(5, region=0.04), plan=plan_after(56), rng=rng(), lengths=(4, 55))


@pytest.fixture(scope="module")
def steady():
    """Design on a history in which only teams drift."""
    return pilot_design(drifting(6), plan=plan_after(56), rng=rng(), lengths=(4, 8))


def test_regions_that_drift_make_one_region_a_bad_design_and_the_advice_says_by_how_much(shaken):
    planned, spread = row_of(shaken), row_of(shaken, assignment="spread")
    assert planned["false_alarms"] > 0.2
    assert spread["false_alarms"] < 0.1
    assert planned["se"] > 1.5 * spread["se"]
    advice = advised(shaken)["spread"]
    assert advice["se_planned"] == planned["se"]
    assert advice["false_spread"] == spread["false_alarms"]


def test_the_variation_that_was_put_in_is_found(shaken):
    found = shaken.variation.set_index("metric").loc[FCR]
    # windows a week apart often lie across two stretches of drift and see 0.73 of its sd
    assert found["drift_sd"] == pytest.approx(0.73 * 0.02, abs=0.003)
    assert found["group_drift_sd"] == pytest.approx(0.73 * 0.04, abs=0.015)
    assert found["value"] == pytest.approx(0.7, abs=0.02)
    assert found["icc_drift"] == pytest.approx(found["drift_sd"] ** 2 / 0.21, rel=0.05)


def test_placebos_that_do_not_overlap_are_counted(shaken):
    planned = row_of(shaken)
    # 56 weeks hold 7 times 4 + 4 weeks; each of the 4 regions is a pilot of its own
    assert (planned["placebos"], planned["independent"], planned["enough"]) == (49 * 4, 28, True)
    assert planned["false_low"] < planned["false_alarms"] < planned["false_high"]
    assert "not_enough_history" not in advised(shaken)


def test_modelled_lengths_see_the_drift_of_regions(shaken):
    planned, spread = (row_of(shaken, assignment=name, weeks=55) for name in ("planned", "spread"))
    assert planned["modelled"]
    assert planned["false_alarms"] > 0.2
    assert spread["false_alarms"] == pytest.approx(0.05)


def test_without_drift_of_regions_a_gain_as_large_as_detectable_is_seen_in_80_percent(steady):
    found = row_of(steady, assignment="spread")
    assert found["false_alarms"] == pytest.approx(0.05, abs=0.03)
    # 2.4 standard errors by t of 7 degrees of freedom and 0.84 for 80 %
    assert found["detectable"] == pytest.approx((2.4 + 0.84) * found["se"], rel=0.12)
    assert found["needed_for_go"] == found["detectable"] + 0.05


def test_more_units_detect_more_up_to_half(steady):
    se = [row_of(steady, assignment="spread", units_pilot=units)["se"] for units in (3, 5, 10)]
    assert se == sorted(se, reverse=True)


def test_lengths_beyond_the_history_are_modelled_and_close_to_what_was_tried(steady):
    short = pilot_design(drifting(6), plan=plan_after(8), rng=rng(), lengths=(8,))
    assert not row_of(short)["modelled"]
    modelled, tried = (row_of(design, assignment="spread", weeks=8) for design in (short, steady))
    assert (modelled["modelled"], modelled["placebos"], modelled["independent"]) == (True, 0, 0)
    assert modelled["se"] == pytest.approx(tried["se"], rel=0.25)
    assert modelled["detectable"] == pytest.approx(tried["detectable"], rel=0.25)
    assert advised(short)["not_enough_history"] == {"independent": 4, "needed": 20}
    json.dumps(short.to_dict(), allow_nan=False)


def test_days_of_the_pilot_are_not_history():
    measures = drifting(6)
    measures.frame.loc[measures.frame["day"] >= "2025-09-01", f"{FCR}__sum"] = 0
    design = pilot_design(measures, plan=plan_after(8), rng=rng(), lengths=())
    assert design.history == (date(2025, 7, 7), date(2025, 8, 31))
    assert design.variation["value"].min() > 0.6
    assert design.units["tickets_per_week"].tolist() == [100] * 20


def test_balance_compares_the_arms():
    measures = four_regions(lambda team, week: 0.8 if team < 5 else 0.7, weeks=12)
    design = pilot_design(measures, plan=plan_after(8), rng=rng(), lengths=())
    row = design.balance.set_index("measure").loc["response_on_time"]
    assert (row["pilot"], row["control"], row["difference"]) == pytest.approx((0.8, 0.7, 0.1))
    assert design.smallest_pvalue == 1 / 15504
    # sd 0.044 over the units, of which tickets explain 0.02
    assert design.variation["unit_sd"].tolist() == pytest.approx([0.038, 0.038], abs=0.002)


@pytest.mark.parametrize(("gain", "code"), [(0.20, "detects"), (0.001, "cannot_detect")])
def test_advice_says_whether_the_minimum_gain_can_be_detected(gain, code):
    plan = plan_after(20, minimum_gain={"response_on_time": gain, FCR: gain})
    found = advised(pilot_design(drifting(6), plan=plan, rng=rng(), lengths=()))
    assert {"detects", "longer", "cannot_detect"} & set(found) == {code}


def test_advice_says_which_length_would_do():
    probe = pilot_design(drifting(6), plan=plan_after(20), rng=rng())
    asked = (row_of(probe)["detectable"] + row_of(probe, weeks=8)["detectable"]) / 2
    plan = plan_after(20, minimum_gain={"response_on_time": asked, FCR: asked})
    told = advised(pilot_design(drifting(6), plan=plan, rng=rng()))["longer"]
    assert told["weeks"] > 4
    assert told["detectable"] <= asked


def test_units_that_are_their_own_groups_are_drawn_one_by_one():
    names = tuple(f"Team {i:02}" for i in range(1, 21))
    plan = plan_after(20, group="team", pilot=names[:2], control=names[2:])
    design = pilot_design(drifting(6), plan=plan, rng=rng(), lengths=(4,))
    assert design.advice[0].code == "too_few_units"
    assert not any(one.code == "spread" for one in design.advice)
    assert row_of(design, units_pilot=2)["independent"] == 2 * 10


def test_one_week_is_no_history():
    with pytest.raises(SettingsError) as caught:
        pilot_design(drifting(6), plan=plan_after(1), rng=rng())
    assert str(caught.value) == (
        "`pilot.during` must start at least 2 weeks after the first ticket, not 2025-07-14 after 2025-07-07. "
        "Map older tickets to have a history."
    )


# --- panel -----------------------------------------------------------------------------------------


def shops(gain=0.10):
    """Return nine shops in four weeks; three of them gain from the third week on."""
    rows = []
    for shop in range(9):
        for week in range(4):
            share = 0.7 + 0.01 * ((3 * shop + week) % 4) + gain * (shop < 3 and week > 1)
            n = 100 + 10 * week
            rows.append({"shop": f"S{shop}", "week": week, "k": share * n, "n": n, "share": share})
    return pd.DataFrame(rows)


def panel(frame, **fields):
    given = {"unit": "shop", "period": "week", "pilot": ["S0", "S1", "S2"], "during": [2, 3], "rng": rng()}
    return pilot_panel(frame, **{**given, "minimum_gain": 0.05, **fields})


@pytest.mark.skipif(not SHARED.exists(), reason="needs the published file, which is not part of the project")
def test_one_treated_state_of_27_cannot_tell_and_ranks_fifth():
    frame = pd.read_csv(SHARED / "data" / "organ_donation.csv")
    found = panel(
        frame,
        unit="State",
        period="Quarter",
        pilot=["California"],
        during=["Q32011", "Q42011", "Q12012"],
        rate="Rate",
        minimum_gain=0.02,
    )
    assert (found.verdict, found.reason.code) == ("cannot_tell", "too_few_units")
    assert found.effect == pytest.approx(-0.02245897, abs=1e-8)
    assert (found.placebo_rank, found.placebo_of) == (5, 27)
    assert found.pvalue is found.test is None
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("gain", "verdict", "code"),
    [
        (0.10, "go", "both_worth_having"),
        (0.01, "stop", "gain_too_small"),
        (-0.10, "stop", "co_primary_harmed"),
        (0.05, "cannot_tell", "nothing_left_to_extend"),
    ],
)
def test_a_panel_is_judged_like_a_co_primary(gain, verdict, code):
    found = panel(shops(gain), numerator="k", denominator="n")
    assert (found.verdict, found.reason.code) == (verdict, code)
    mirrored = shops(gain).assign(k=lambda table: table["n"] - table["k"])
    assert panel(mirrored, numerator="k", denominator="n", better="lower").reason.code == code


def test_periods_weigh_by_their_size_only_where_it_is_known():
    frame = shops()
    pooled = panel(frame, numerator="k", denominator="n").units["before"]
    assert panel(frame, mean="share", n="n").units["before"].tolist() == pytest.approx(pooled.tolist())
    assert pooled[0] == pytest.approx((0.70 * 100 + 0.71 * 110) / 210)
    assert panel(frame, rate="share").units["before"][0] == pytest.approx(0.705)


def test_a_unit_without_a_value_is_left_out_and_named():
    frame = shops()
    frame.loc[(frame["shop"] == "S8") & (frame["week"] > 1), "share"] = np.nan
    found = panel(frame, rate="share")
    assert found.left_out == ("S8",)
    assert len(found.units) == 8


def test_everything_wrong_with_a_panel_is_said_at_once():
    frame = pd.concat([shops(), shops().head(1)])
    with pytest.raises(SettingsError) as caught:
        panel(frame, numerator="k", pilot=["S0", "X"], during=[0, 1, 2, 3], minimum_gain=-1)
    assert str(caught.value).splitlines() == [
        "`frame` must be units x periods:",
        "  `minimum_gain` must be above 0, not -1",
        "  the outcome must be `numerator` and `denominator`, or `mean` and `n`, or `rate` alone",
        "  `pilot` 'X' is not in column 'shop'",
        "  `during` must name some of the values of 'week', and not all",
        "  a shop must have one row a week, but 1 rows repeat one: sum them",
    ]
    with pytest.raises(SettingsError, match="column 'score' is not there: shop, week, k, n, share"):
        panel(shops(), rate="score")


def test_a_panel_of_tickets_is_refused():
    frame = pd.DataFrame({"ticket": range(40), "week": [0, 1] * 20, "ok": 1.0})
    with pytest.raises(SettingsError) as caught:
        panel(frame, unit="ticket", pilot=[1, 3], during=[1], rate="ok")
    assert str(caught.value).splitlines()[1] == (
        "  `unit` must be what was assigned to an arm and is there before and during, not 'ticket': each "
        "occurs in one period. A p-value on single tickets calls 65 to 76 of 100 pilots without any effect "
        "significant: sum them by team"
    )
