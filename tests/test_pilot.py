import json
import runpy
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from csimprove.errors import SettingsError
from csimprove.inference import TeamTest
from csimprove.metrics import CATALOGUE
from csimprove.pilot import (
    Cell,
    Look,
    PilotMetric,
    PlanChange,
    PlanLock,
    Reason,
    lock_plan,
    look_history,
    pilot,
    plan_hash,
    plan_lock,
)
from csimprove.pilot.effects import Sums, estimate, standardised
from csimprove.pilot.gate import decide, settled
from csimprove.pilot.looks import look_bound, look_metrics
from csimprove.settings import Settings
from made_measures import BEFORE, DECIDED, DURING, made_measures, pilot_plan, pilot_rows

PUBLISHED = tomllib.loads((Path(__file__).parent / "reference" / "inference.toml").read_text("utf-8"))
MINI = [row[1:] for row in PUBLISHED["team_tests"]["teams"]]
FCR = "first_contact_resolution"


def rates(before, during, n=1000):
    """Counts of teams with these rates."""
    return [(n, round(n * b), n, round(n * d)) for b, d in zip(before, during, strict=True)]


def spread(pilot_gain, *, teams=(5, 15), start=0.70, n=1000):
    """Counts of teams that scatter a little around a common gain of the pilot's."""
    noise = [0.01 * ((7 * i) % 5 - 2) for i in range(sum(teams))]
    gains = [pilot_gain if i < teams[0] else 0 for i in range(sum(teams))]
    after = [start + gain + extra for gain, extra in zip(gains, noise, strict=True)]
    return rates([start] * sum(teams), after, n)


def evaluate(counts, *, plan=None, teams=5, rows=(), as_of=DECIDED, unavailable=(), **fields):
    measures = made_measures(
        [*pilot_rows(counts, pilot=teams), *rows], metrics=tuple(counts), as_of=as_of, unavailable=unavailable
    )
    return pilot(measures, plan=plan or pilot_plan(**fields), rng=np.random.default_rng(1))


def both(counts):
    return {"response_on_time": counts, FCR: counts}


# --- effects ---------------------------------------------------------------------------------------


def test_ten_teams_give_the_published_answers():
    result = evaluate(both(MINI), teams=3)
    found, welch = result.metrics[0], PUBLISHED["team_tests"]["welch"]
    assert found.effect == pytest.approx(PUBLISHED["team_tests"]["effect"], abs=1e-7)
    assert (found.ci_low, found.ci_high) == pytest.approx((welch["ci_low"], welch["ci_high"]), abs=1e-6)
    assert found.pvalue == pytest.approx(PUBLISHED["team_tests"]["permutation"]["pvalue"], abs=1e-8)
    assert (found.units_pilot, found.units_control, found.smallest_pvalue) == (3, 7, found.pvalue)
    assert (result.verdict, result.reason.code) == ("go", "both_worth_having")


def test_cells_are_pooled_over_tickets():
    found = evaluate(both(MINI), teams=3).metrics[0]
    assert found.pilot_before == Cell(501, 630, 0, 501 / 630)
    assert found.control_during == Cell(1179, 1460, 0, 1179 / 1460)


def test_standardisation_gives_the_published_rates_of_the_admissions():
    table = np.array(PUBLISHED["standardisation"]["departments"], dtype=float)
    admitted = table[:, [0, 2]].T
    applied = admitted + table[:, [1, 3]].T
    # the tables serve as both periods: sex as unit, department as stratum
    values, strata, lacking = standardised(np.array([admitted] * 2), np.array([applied] * 2))
    assert values[0] == pytest.approx(PUBLISHED["standardisation"]["standardised"], abs=1e-6)
    assert (strata, lacking) == (6, 0)


def mixed(easy_before, easy_during, *, pilot=False):
    """Counts of two channels: easy tickets are 90 % on time, hard ones 50 %, whatever the mix."""
    return {
        "web": rates([0.9], [0.9], easy_before)[0][:2] + rates([0.9], [0.9], easy_during)[0][:2],
        "phone": rates([0.5], [0.5], 1000 - easy_before)[0][:2]
        + rates([0.5], [0.5], 1000 - easy_during)[0][:2],
    }


def mix_result(**fields):
    teams = [mixed(500 + 10 * i, 500 + 10 * i + (200 if i < 3 else 0)) for i in range(8)]
    rows = []
    for channel in ("web", "phone"):
        rows += pilot_rows(both([team[channel] for team in teams]), pilot=3, channel=channel)
    measures = made_measures(rows)
    return pilot(measures, plan=pilot_plan(**fields), rng=np.random.default_rng(1))


def mix_shift(**fields):
    return mix_result(**fields).metrics[0]


def test_a_shift_of_the_mix_is_no_effect():
    found = mix_shift()
    assert found.basis == "standardised"
    assert found.effect == pytest.approx(0, abs=1e-12)
    assert found.crude_effect == found.mix_effect == pytest.approx(0.08)
    assert (found.strata, found.renormalised) == (2, 0)


def test_with_a_reason_crude_rates_are_primary():
    found = mix_shift(crude_reason="The process relabels severity.")
    assert found.basis == "crude"
    assert found.effect == found.crude_effect == pytest.approx(0.08)
    assert (found.ci_low, found.ci_high) == (found.crude_ci_low, found.crude_ci_high)
    assert found.mix_effect == pytest.approx(0.08)


def test_thin_strata_are_merged_into_one():
    # 4 of 100 tickets in each of two strata are below 5 expected, 92 are not
    decided = np.array([[[92, 4, 4]] * 2] * 2, dtype=float)
    numerator = decided * [0.5, 1.0, 0.0]
    values, strata, lacking = standardised(numerator, decided)
    assert (strata, lacking) == (2, 0)
    assert values == pytest.approx(np.full((2, 2), 0.5))


def test_five_expected_tickets_are_not_thin():
    decided = np.array([[[90, 5, 5]] * 2] * 2, dtype=float)
    assert standardised(decided, decided)[1] == 3


def test_a_unit_without_a_stratum_is_weighted_over_the_others_and_counted():
    decided = np.array([[[50, 50], [50, 50]], [[50, 50], [100, 0]]], dtype=float)
    values, strata, lacking = standardised(decided * [0.8, 0.4], decided)
    assert values == pytest.approx(np.array([[0.6, 0.6], [0.6, 0.8]]))
    assert (strata, lacking) == (2, 1)


def test_means_are_compared_like_rates_in_minutes():
    # 100 waits a team of 300 seconds on average; the pilot's fall to 240, 180 and 180
    waits = [(100, 30_000, 100, seconds) for seconds in (24_000, 18_000, 18_000, *[30_000] * 5)]
    plan = pilot_plan(co_primary=("waiting_time",), minimum_gain={"waiting_time": 0.5})
    result = evaluate({"waiting_time": waits}, teams=3, plan=plan)
    (found,) = result.metrics
    assert (found.unit, found.better, found.pilot_during.value) == ("minutes", "lower", 10 / 3)
    assert found.effect == pytest.approx(-5 / 3)
    assert found.tickets_per_week is None


def test_tickets_a_week_count_what_the_pilot_receives():
    found = evaluate(both(spread(0.10))).metrics[0]
    # 5 teams of 1,000 tickets in four weeks
    assert found.tickets_per_week == pytest.approx(found.effect * 1250)
    assert (found.tickets_low, found.tickets_high) == pytest.approx(
        (found.ci_low * 1250, found.ci_high * 1250)
    )


@pytest.mark.parametrize(
    ("level", "status"), [(0.99, "reached"), (0.95, "cannot_tell"), (0.90, "not_reached")]
)
def test_the_target_is_its_own_line_over_the_teams(level, status):
    after = [level - 0.004, level - 0.002, level, level + 0.002, level + 0.004]
    counts = rates([0.8] * 20, after + [0.8] * 15)
    found = evaluate(both(counts)).metrics[0]
    assert found.level == pytest.approx(level)
    assert found.level_low < level < found.level_high <= 1
    assert (found.target, found.target_status) == (0.95, status)


def test_secondary_metrics_are_corrected_by_holm_and_judged_by_both_interval_and_p():
    counts = both(spread(0.10)) | {"csat": spread(0.05), "complaint_rate": spread(0.0, start=0.05)}
    plan = pilot_plan(secondary=("csat", "complaint_rate"))
    by_name = {metric.metric: metric for metric in evaluate(counts, plan=plan).metrics}
    csat, complaints = by_name["csat"], by_name["complaint_rate"]
    assert csat.pvalue_holm == pytest.approx(2 * csat.pvalue)
    assert complaints.pvalue_holm == pytest.approx(complaints.pvalue)
    assert (csat.status, complaints.status) == ("better", "not_shown")
    assert by_name["response_on_time"].pvalue_holm is None


def test_a_secondary_metric_is_better_only_if_holm_agrees():
    # 3 against 4 teams: no p-value below 1 in 35, which two secondary metrics double
    gained = spread(0.10, teams=(3, 4))
    counts = both(gained) | {"csat": gained, "csat_response": gained}
    plan = pilot_plan(secondary=("csat", "csat_response"))
    found = evaluate(counts, plan=plan, teams=3).metrics[2]
    assert found.ci_low > 0
    assert found.pvalue_holm == pytest.approx(2 / 35)
    assert found.status == "not_shown"


def test_undecided_tickets_lower_the_information_and_count_for_the_tickets_a_week():
    row = {"day": DURING[0], "region": "East", "team": "Team 01", "tickets": 960, FCR: (0, 0, 960)}
    found = evaluate(both(MINI), teams=3, rows=[row]).metrics
    assert [metric.information for metric in found] == [1, 640 / 1600]
    assert found[1].tickets_per_week == pytest.approx(found[1].effect * 1600 / 4)
    assert found[1].pilot_during.undecided == 960


def test_the_level_of_a_rate_stays_within_0_and_1():
    counts = rates([0.8] * 20, [1.0, 1.0, 1.0, 1.0, 0.9] + [0.8] * 15)
    assert evaluate(both(counts)).metrics[0].level_high == 1


# --- statuses of guardrails and co-primaries -------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "margin", "status"),
    [
        (0.0, 0.03, "safe"),
        (-0.02, 0.05, "safe"),  # a small harm is certain, yet inside the margin
        (-0.10, 0.03, "harmed"),
        (-0.012, 0.02, "not_shown_safe"),
    ],
)
def test_guardrails_are_judged_by_the_margin(change, margin, status):
    counts = both(spread(0.10)) | {"csat": spread(change)}
    result = evaluate(counts, plan=pilot_plan(guardrail=("csat",), margin={"csat": margin}))
    assert result.metrics[2].status == status
    assert result.conditions == (() if status == "safe" else ("csat",))
    assert (result.verdict == "stop") is (status == "harmed")


def test_guardrails_not_shown_safe_do_not_block():
    counts = both(spread(0.10)) | {"csat": spread(-0.002)}
    result = evaluate(counts, plan=pilot_plan(guardrail=("csat",), margin={"csat": 0.003}))
    assert (result.verdict, result.conditions) == ("go", ("csat",))


@pytest.mark.parametrize(
    ("gain", "status", "verdict"),
    [
        (0.10, "worth_having", "go"),
        (0.05, "not_shown", "extend"),
        (0.01, "too_small", "stop"),
        (-0.10, "harmed", "stop"),
    ],
)
def test_co_primaries_are_judged_by_the_minimum_gain(gain, status, verdict):
    counts = {"response_on_time": spread(gain), FCR: spread(0.10)}
    result = evaluate(counts, extendable_to=date(2025, 12, 31))
    assert (result.metrics[0].status, result.verdict) == (status, verdict)


def test_a_gain_is_a_fall_where_lower_is_better():
    counts = {"reopen_rate": spread(-0.10)}
    plan = pilot_plan(co_primary=("reopen_rate",), minimum_gain={"reopen_rate": 0.05})
    assert evaluate(counts, plan=plan).verdict == "go"
    assert evaluate({"reopen_rate": spread(0.10)}, plan=plan).verdict == "stop"


# --- the gate --------------------------------------------------------------------------------------


def judged(name, role, status, **fields):
    """Return a metric with a status; its other fields do not matter to the gate."""
    values = dict.fromkeys(PilotMetric.__dataclass_fields__)
    values |= {"metric": name, "role": role, "status": status, "better": "higher", "information": 1.0}
    values |= {"effect": 0.06, "ci_low": 0.02, "ci_high": 0.10, "asked": 0.05}
    return PilotMetric(**{**values, "units_pilot": 5, "units_control": 15, **fields})


GOOD = (judged("a", "co_primary", "worth_having"), judged("b", "co_primary", "worth_having", ci_low=0.01))
MOVED = TeamTest(0.5, 0.1, 10, 5, 0.001, 0.2, 0.9)


def gate(*metrics, arms=(5, 15), volume=None, volume_ok=None, today=date(2025, 9, 8), **fields):
    plan = pilot_plan(**{"extendable_to": date(2025, 12, 31), **fields})
    verdict, reason = decide(
        metrics,
        plan=plan,
        arms=arms,
        volume=volume,
        volume_ok=volume_ok,
        decided_on=date(2025, 9, 7),
        today=today,
    )
    return verdict, reason.code, reason.values


def test_each_answer_of_the_gate_yields_to_those_before_it():
    harmed_guard = judged("g", "guardrail", "harmed")
    harmed = judged("a", "co_primary", "harmed")
    small = judged("b", "co_primary", "too_small")
    blind = judged("c", "co_primary", "not_shown", information=0.49)
    lost = judged("d", "co_primary", "no_interval", units_pilot=2)
    opened = judged("e", "co_primary", "not_shown")
    everything = [lost, blind, harmed, small, opened, harmed_guard]
    moved = {"volume": MOVED, "volume_ok": False}
    early = {"today": date(2025, 9, 6)}
    assert gate(*everything, arms=(2, 15), **early, **moved)[:2] == ("cannot_tell", "too_few_units")
    assert gate(*everything, **early, **moved)[:2] == ("extend", "before_decision_date")
    assert gate(*everything, **moved)[:2] == ("cannot_tell", "low_information")
    everything.remove(blind)
    assert gate(*everything, **moved)[:2] == ("cannot_tell", "too_few_units")
    everything.remove(lost)
    assert gate(*everything, **moved)[:2] == ("cannot_tell", "volume_moved")
    assert gate(*everything)[:2] == ("stop", "guardrail_harmed")
    everything.remove(harmed_guard)
    assert gate(*everything)[:2] == ("stop", "co_primary_harmed")
    everything.remove(harmed)
    assert gate(*everything)[:2] == ("stop", "gain_too_small")
    everything.remove(small)
    assert gate(*everything)[:2] == ("extend", "not_yet_shown")
    assert gate(*everything, extendable_to=DURING[1])[1] == "nothing_left_to_extend"
    assert gate(*everything, extendable_to=None)[:2] == ("cannot_tell", "nothing_left_to_extend")
    assert gate(*GOOD)[:2] == ("go", "both_worth_having")


@pytest.mark.parametrize(("arms", "told"), [((3, 4), True), ((3, 3), False), ((2, 20), False)])
def test_too_few_units_are_fewer_than_3_in_the_pilot_6_in_all_or_no_small_p(arms, told):
    assert (gate(*GOOD, arms=arms)[0] == "go") is told


def test_half_of_the_tickets_decided_is_enough():
    assert gate(*(replace(metric, information=0.5) for metric in GOOD))[0] == "go"


def test_the_decision_date_itself_is_the_last_look():
    assert gate(*GOOD, today=date(2025, 9, 7))[0] == "go"
    assert gate(*GOOD, today=date(2025, 9, 6))[2] == {"date": "2025-09-07"}


def test_the_information_of_a_guardrail_does_not_matter():
    assert gate(*GOOD, judged("g", "guardrail", "not_shown_safe", information=0.1))[0] == "go"


def test_go_names_the_co_primary_with_the_least_to_spare():
    assert gate(*GOOD)[2] == {"metric": "b", "effect": 0.06, "ci_low": 0.01, "ci_high": 0.1, "asked": 0.05}


def test_extension_lasts_until_the_interval_would_leave_the_minimum_gain():
    # half width 4 points, 2 points above the minimum: a quarter of the width needs 4 x 4 weeks, 12 more
    wide = judged("a", "co_primary", "not_shown", effect=0.07, ci_low=0.03, ci_high=0.11)
    values = gate(GOOD[0], wide)[2]
    assert (values["metric"], values["weeks_needed"], values["weeks"]) == ("a", 12, 12)
    assert values["date"] == "2025-11-23"
    capped = gate(GOOD[0], wide, extendable_to=date(2025, 9, 21))[2]
    assert (capped["weeks_needed"], capped["weeks"], capped["date"]) == (12, 3, "2025-09-21")


def test_an_estimate_at_the_minimum_gain_has_no_sufficient_date_but_the_last():
    level = judged("a", "co_primary", "not_shown", effect=0.05, ci_low=0.01, ci_high=0.09)
    values = gate(level, extendable_to=date(2025, 9, 21))[2]
    assert "weeks_needed" not in values
    assert values["date"] == "2025-09-21"


# --- in simulation ---------------------------------------------------------------------------------


def simulated(rng, *, rounds, mix_shift=0.0):
    """Draw counts of 5 pilot and 15 control teams without any effect; yield one `Sums` a round.

    Teams differ (logit sd 0.3) and drift (0.15); of the two kinds of tickets one is easy, and the pilot's
    share of it moves by ``mix_shift`` between the windows.
    """
    treated = np.arange(20) < 5
    easy = 0.5 + mix_shift * np.array([np.zeros(20), treated])
    n_easy = rng.binomial(200, np.broadcast_to(easy, (rounds, 2, 20)))
    decided = np.stack([n_easy, 200 - n_easy], axis=-1)
    team = rng.normal(0, 0.3, (rounds, 1, 20, 1)) + rng.normal(0, 0.15, (rounds, 2, 20, 1))
    numerator = rng.binomial(decided, 1 / (1 + np.exp(-(team + np.array([2.0, 0.5])))))
    for k, n in zip(numerator.astype(float), decided.astype(float), strict=True):
        yield Sums(CATALOGUE[0], k, n, np.zeros_like(n), treated)


@pytest.mark.parametrize("mix_shift", [0.0, 0.3])
def test_without_effect_5_percent_of_pilots_look_like_one_whatever_the_mix(mix_shift):
    rng, rounds = np.random.default_rng(2025), 500
    found = [
        estimate(sums, basis="standardised", rng=rng)
        for sums in simulated(rng, rounds=rounds, mix_shift=mix_shift)
    ]
    error = 4 * np.sqrt(0.05 * 0.95 / rounds)
    missed = np.mean([not one.test.ci_low <= 0 <= one.test.ci_high for one in found])
    alarms = np.mean([one.permutation.pvalue <= 0.05 for one in found])
    assert [missed, alarms] == pytest.approx([0.05, 0.05], abs=error)
    if mix_shift:
        # crude rates take the shift for an effect
        assert np.mean([one.crude.ci_low > 0 for one in found]) > 0.3


SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="needs the city's file, which is not part of the project")
def test_random_neighbourhoods_of_boston_rarely_look_like_a_pilot(tmp_path):
    benchmark = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "boston_placebo.py"))
    settings = Path(__file__).parent / "settings" / "boston.toml"
    sums = benchmark["neighbourhoods"](benchmark["boston_measures"](settings, tmp_path))
    found = benchmark["placebo"](sums, draws=2000, rng=np.random.default_rng(2015))
    assert len(sums.treated) == 18
    assert 0.01 <= found["team"] <= 0.045
    # by the ticket three in ten of these pilots that never were would be declared a success or a harm
    assert found["tickets"] > 0.25


# --- looks, units, volume --------------------------------------------------------------------------


def test_before_the_decision_date_there_is_no_p_value_and_no_decision():
    result = evaluate(both(spread(0.10)), as_of=datetime(2025, 9, 6, 12, tzinfo=UTC))
    assert (result.verdict, result.reason.code) == ("extend", "before_decision_date")
    assert result.decided_on == date(2025, 9, 7)
    assert [metric.pvalue for metric in result.metrics] == [None, None]
    assert result.metrics[0].ci_low is not None


def test_the_decision_date_is_the_plans_or_follows_the_longest_window():
    assert evaluate(both(MINI), teams=3, decision_date=date(2025, 9, 1)).decided_on == date(2025, 9, 1)
    plan = pilot_plan(co_primary=("response_on_time",))
    assert evaluate({"response_on_time": MINI}, teams=3, plan=plan).decided_on == DURING[1]


def test_a_pilot_that_has_not_started_is_not_decided_and_not_wrong():
    counts = both([(n, k, 0, 0) for n, k, _, _ in spread(0.0)])
    result = evaluate(counts, as_of=datetime(2025, 8, 3, 20, tzinfo=UTC))
    assert (result.verdict, result.reason.code) == ("extend", "before_decision_date")
    assert result.metrics[0].effect is result.volume is None
    json.dumps(result.to_dict(), allow_nan=False)


def test_two_pilot_teams_give_an_effect_but_no_interval_and_no_p():
    result = evaluate(both(spread(0.10, teams=(2, 18))), teams=2)
    found = result.metrics[0]
    assert (result.verdict, result.reason.code) == ("cannot_tell", "too_few_units")
    assert found.status == "no_interval"
    assert found.effect == pytest.approx(0.10, abs=0.02)
    missing = (found.ci_low, found.ci_high, found.pvalue, found.crude_ci_low, found.tickets_low)
    assert missing == (None,) * 5
    assert result.volume is result.volume_ok is None


def test_a_unit_without_decided_tickets_leaves_that_metric_only():
    rated = spread(0.10)
    rated[0] = (1000, 700, 0, 0)
    result = evaluate({"response_on_time": spread(0.10), FCR: rated})
    assert [metric.units_pilot for metric in result.metrics] == [5, 4]
    assert result.teams.set_index(["metric", "unit"]).loc[(FCR, "Team 01"), "tickets_during"] == 0


def test_volume_that_moved_against_the_controls_blocks():
    counts = [(n, k, *((3 * m, 3 * j) if i < 5 else (m, j))) for i, (n, k, m, j) in enumerate(spread(0.10))]
    counts[0] = (900, 630, 3100, 2480)
    counts[9] = (1010, 707, 990, 693)
    result = evaluate(both(counts))
    assert result.reason.code == "volume_moved"
    assert result.volume_ok is False
    assert result.volume.effect == pytest.approx(2.08, abs=0.01)
    assert result.reason.values["change"] == result.volume.effect


def test_volume_that_falls_in_both_arms_alike_has_not_moved():
    counts = [(1000 + i, 700, 500 + i, 350) for i in range(20)]
    result = evaluate(both(counts))
    assert result.volume.effect == pytest.approx(0, abs=0.02)
    assert result.volume_ok is True


def test_one_group_is_one_draw():
    assert evaluate(both(MINI), teams=3).one_group is True


# --- planned looks ---------------------------------------------------------------------------------

LOOKS = (date(2025, 8, 10), date(2025, 8, 17), date(2025, 8, 24))


def part_of(counts, share, day):
    """Return measures at the end of a day, when a share of the pilot window's tickets is decided."""
    seen = {
        name: [(n, k, round(share * m), round(share * j)) for n, k, m, j in teams]
        for name, teams in counts.items()
    }
    as_of = datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC)
    return made_measures(pilot_rows(seen, pilot=5), metrics=tuple(seen), as_of=as_of)


def watch(counts, *, until, made=LOOKS, **fields):
    """Evaluate a pilot on a day, with the measures of the looks before it."""
    plan = pilot_plan(looks=LOOKS, **fields)
    shares = {**dict(zip(LOOKS, (0.25, 0.5, 0.75), strict=True)), DECIDED.date(): 1.0}
    at = {day: part_of(counts, shares[day], day) for day in shares if day <= until}
    history = {day: found for day, found in at.items() if day in made and day < until}
    return pilot(at[until], plan=plan, rng=np.random.default_rng(1), history=history)


def test_the_bounds_of_four_looks_are_the_published_ones():
    z = [look_bound([0.25, 0.5, 0.75, 1][: k + 1], "co_primary", last=k == 3) for k in range(4)]
    assert z == pytest.approx([4.333, 2.963, 2.359, 2.014], abs=6e-4)
    pocock = [look_bound([0.25, 0.5, 0.75, 1][: k + 1], "guardrail", last=k == 3) for k in range(4)]
    assert pocock == pytest.approx([2.368, 2.368, 2.358, 2.350], abs=6e-4)
    # tickets that were withdrawn since the look before: nothing new is known
    assert look_bound([0.5, 0.4], "co_primary", last=False) == np.inf


def test_a_single_look_is_the_ordinary_evaluation():
    result = evaluate(both(spread(0.10)))
    (look,) = result.looks
    found = result.metrics[0]
    assert (look.number, look.date, look.last, look.made) == (1, date(2025, 9, 7), True, True)
    assert (look.decision, look.reason) == (result.verdict, result.reason)
    assert found.confidence == 0.95
    assert (look.metrics[0].ci_low, look.metrics[0].ci_high) == pytest.approx((found.ci_low, found.ci_high))


def test_a_clear_gain_goes_at_the_first_look_that_shows_it_and_stays_gone():
    early = watch(both(spread(0.10)), until=LOOKS[1])
    assert [look.decision for look in early.looks] == ["continue", "go", "continue", "continue"]
    assert (early.verdict, early.reason.code, early.reason.values["look"]) == ("go", "both_worth_having", 2)
    shown = early.looks[1].metrics[0]
    assert (shown.decided, shown.planned, shown.information) == (2500, 5000, 0.5)
    assert shown.bound_z == pytest.approx(2.9626, abs=1e-3)
    assert shown.ci_low == pytest.approx(shown.effect * (1 - shown.bound_t / shown.t))
    assert [metric.pvalue for metric in early.metrics] == [None, None]
    late = watch(both(spread(0.10)), until=DECIDED.date())
    assert (late.verdict, late.reason.values["look"]) == ("go", 2)


def test_at_a_look_the_interval_is_the_repeated_one():
    result = watch(both(spread(0.06)), until=LOOKS[2])
    found, look = result.metrics[0], result.looks[2].metrics[0]
    assert (result.verdict, result.reason.code) == ("extend", "before_decision_date")
    assert (found.ci_low, found.ci_high, found.status) == (look.ci_low, look.ci_high, look.status)
    assert found.confidence == pytest.approx(1 - look.nominal_p)
    assert found.confidence > 0.98


def test_between_looks_intervals_are_for_watching():
    plan = pilot_plan(looks=LOOKS)
    result = pilot(
        part_of(both(spread(0.10)), 0.5, date(2025, 8, 20)), plan=plan, rng=np.random.default_rng(1)
    )
    assert result.metrics[0].confidence == 0.95
    assert [look.made for look in result.looks] == [False] * 4
    assert result.verdict == "extend"


def test_the_last_look_spends_what_is_left_whatever_its_information():
    counts = both([(n, k, m // 2, j // 2) for n, k, m, j in spread(0.06)])
    result = watch(counts, until=DECIDED.date(), made=LOOKS[1:2])
    half, last = (result.looks[number].metrics[0] for number in (1, 3))
    assert (half.information, last.information, last.decided, last.planned) == (0.25, 1, 2500, 5000)
    assert last.bound_z == pytest.approx(1.96, abs=1e-3)


def test_windows_of_other_lengths_are_planned_in_proportion():
    plan = {"before": (date(2025, 6, 9), BEFORE[1]), "looks": LOOKS}
    measures = part_of(both(spread(0.06)), 0.5, LOOKS[1])
    look = pilot(measures, plan=pilot_plan(**plan), rng=np.random.default_rng(1)).looks[1]
    # eight weeks before, four weeks of pilot
    assert (look.metrics[0].planned, look.metrics[0].information) == (2500, 0.99)


def test_looks_to_come_say_how_far_they_will_ask_to_go():
    later = [(n, k, m // 2, j // 2) for n, k, m, j in spread(0.0)]
    result = watch({"response_on_time": spread(0.0), FCR: later}, until=LOOKS[1])
    assert [bool(look.expected) for look in result.looks] == [False, False, True, True]
    answers, resolved = result.looks[2].expected
    # three of four weeks, and for the window of seven days two
    assert (answers.information, resolved.information) == (0.75, 0.5)
    assert (answers.decided, answers.planned, answers.effect, answers.status) == (
        3750,
        5000,
        None,
        "no_interval",
    )
    # the co-primary that knows less sets the bound of both
    assert answers.bound_z == resolved.bound_z == pytest.approx(2.963, abs=1e-3)
    assert [one.information for one in result.looks[3].expected] == [1, 1]
    assert "look_not_made" not in codes(result)


def test_daily_holds_both_arms_day_by_day():
    daily = evaluate(both(MINI), teams=3).daily
    assert list(daily) == ["metric", "day", "arm", "numerator", "denominator", "undecided", "value"]
    chosen = daily[(daily["metric"] == FCR) & (daily["day"] == "2025-08-04")].set_index("arm")
    assert chosen["denominator"].to_dict() == {"pilot": 640, "control": 1460}


def test_a_look_without_its_measures_is_not_made_spends_nothing_and_is_said():
    result = watch(both(spread(0.06)), until=DECIDED.date(), made=LOOKS[1:2])
    assert [look.made for look in result.looks] == [False, True, False, True]
    assert result.looks[3].metrics[0].bound_z == pytest.approx(1.9686, abs=1e-3)
    missed = [one.values for one in result.cannot_conclude if one.code == "look_not_made"]
    assert missed == [{"date": "2025-08-10"}, {"date": "2025-08-24"}]


@pytest.mark.parametrize(("metric", "code"), [("csat", "guardrail_harmed"), (FCR, "co_primary_harmed")])
def test_harm_stops_at_an_early_look(metric, code):
    counts = {"response_on_time": spread(0.10), FCR: spread(0.10), "csat": spread(0.0), metric: spread(-0.10)}
    result = watch(counts, until=LOOKS[2], guardrail=("csat",), margin={"csat": 0.03})
    assert (result.verdict, result.reason.code, result.reason.values["metric"]) == ("stop", code, metric)


def test_a_metric_without_information_is_not_looked_at_and_holds_up_the_go():
    counts = {"response_on_time": spread(0.10), FCR: [(n, k, 0, 0) for n, k, _, _ in spread(0.10)]}
    result = watch(counts, until=LOOKS[2])
    (answers,) = result.looks[2].metrics
    # nothing is spent where a GO is out of reach
    assert (answers.metric, answers.information, answers.bound_z) == ("response_on_time", 0.75, None)
    assert (answers.ci_low, answers.status) == (None, "not_shown")
    assert result.looks[2].decision == "continue"


def test_co_primaries_share_the_bound_of_the_one_that_knows_least():
    later = [(n, k, m // 2, j // 2) for n, k, m, j in spread(0.10)]
    look = watch({"response_on_time": spread(0.10), FCR: later}, until=LOOKS[2]).looks[2]
    answers, resolved = look.metrics
    assert (answers.information, resolved.information) == (0.75, 0.375)
    alone = look_bound([0.125, 0.25, 0.375], "co_primary", last=False)
    assert answers.bound_z == resolved.bound_z == pytest.approx(alone)
    assert alone > look_bound([0.25, 0.5, 0.75], "co_primary", last=False)


def test_there_is_no_early_go_while_volume_has_moved():
    counts = [(n, k, *((2 * m, 2 * j) if i < 5 else (m, j))) for i, (n, k, m, j) in enumerate(spread(0.10))]
    counts[0], counts[9] = (900, 630, 2100, 1680), (1010, 707, 990, 693)
    result = watch(both(counts), until=LOOKS[2])
    assert result.volume_ok is False
    assert {metric.status for metric in result.looks[2].metrics} == {"worth_having"}
    assert result.looks[2].decision == "continue"


def test_a_later_stop_ends_what_an_early_look_let_go():
    looks = [
        Look(number, day, number == 3, True, (), decision, decision != "continue" and Reason(decision, {}))
        for number, (day, decision) in enumerate(zip(LOOKS, ("go", "continue", "stop"), strict=True), start=1)
    ]
    last = ("cannot_tell", Reason("volume_moved", {}))
    assert settled(looks, otherwise=last)[0] == "stop"
    assert settled(looks[:2], otherwise=last)[0] == "go"
    assert settled(looks[1:2], otherwise=last) == last


@pytest.mark.slow
def test_looks_keep_the_false_alarms_of_one():
    rng, rounds, weeks = np.random.default_rng(7), 400, 4
    plan, treated, alarms = pilot_plan(co_primary=("response_on_time",)), np.arange(20) < 5, 0
    for _ in range(rounds):
        rate = 1 / (1 + np.exp(-1.4 - rng.normal(0, 0.3, 20) - rng.normal(0, 0.1, (2, 20))))
        before = rng.binomial(800, rate[0])
        during = rng.binomial(200, rate[1], (weeks, 20)).cumsum(axis=0)
        seen = []
        for week in range(weeks):
            sums = Sums(
                CATALOGUE[0],
                np.array([before, during[week]], dtype=float)[..., None],
                np.array([[800] * 20, [200 * (week + 1)] * 20], dtype=float)[..., None],
                np.zeros((2, 20, 1)),
                treated,
            )
            seen.append(([sums], [estimate(sums, basis="crude", rng=rng)]))
            (found,) = look_metrics(seen, plan=plan, last=week == weeks - 1)
            if abs(found.t) > found.bound_t:
                alarms += 1
                break
    assert alarms / rounds == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / rounds))


def test_the_history_of_looks_is_loaded_for_those_that_are_past(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr("csimprove.metrics.load_measures", lambda _, as_of: asked.append(as_of) or as_of)
    plan = pilot_plan(looks=LOOKS)
    settings = Settings(project="P", source={"path": "x.csv"}, pilot=plan)
    measures = part_of(both(spread(0.10)), 0.5, LOOKS[1])
    assert look_history(settings, measures) == {LOOKS[0]: LOOKS[0]}
    assert asked == [LOOKS[0]]


# --- mix of tickets, equal decidedness, what cannot be concluded -----------------------------------


def test_a_mix_that_moved_against_the_controls_blocks():
    result = mix_result()
    assert (result.verdict, result.reason.code) == ("cannot_tell", "routing_moved")
    web = next(row for row in result.routing if row.value == "web")
    assert (web.column, web.effect, web.ok) == ("channel", pytest.approx(0.2), False)
    assert (web.pilot_before, web.pilot_during) == pytest.approx((0.51, 0.71))
    assert abs(result.reason.values["change"]) == pytest.approx(0.2)


def test_a_mix_that_the_process_is_to_move_does_not_block():
    result = mix_result(crude_reason="The process moves calls to the web.")
    assert result.reason.code != "routing_moved"
    assert "routing_moved" in codes(result)


def codes(result):
    return [one.code for one in result.cannot_conclude]


def test_what_cannot_be_concluded_is_listed():
    counts = both(spread(0.06)) | {"csat": spread(-0.002), "complaint_rate": spread(0.0, start=0.05)}
    result = evaluate(
        counts,
        guardrail=("csat",),
        margin={"csat": 0.003},
        secondary=("complaint_rate",),
        chosen_for="bad_results",
    )
    assert codes(result) == [
        "one_group",
        "not_randomised",
        "regression_to_the_mean",
        "not_locked",
        "co_primary_not_shown",
        "co_primary_not_shown",
        "secondary_not_shown",
        "guardrail_not_shown_safe",
    ]
    assert result.cannot_conclude[2].values == {
        "metric": "response_on_time",
        "pilot_before": 0.7,
        "control_before": 0.7,
    }
    names = tuple(f"Team {i:02}" for i in range(1, 21))
    spread_out = {"group": "team", "pilot": names[:5], "control": names[5:], "assignment": "drawn by lot"}
    lock = PlanLock("0" * 64, date(2025, 7, 1), ())
    measures = made_measures(pilot_rows(both(spread(0.10)), pilot=5))
    found = pilot(measures, plan=pilot_plan(**spread_out), rng=np.random.default_rng(1), lock=lock)
    assert codes(found) == []
    assert found.to_dict()["lock"] == {"hash": "0" * 64, "locked_on": "2025-07-01", "changes": []}
    late = PlanLock("0" * 64, date(2025, 9, 9), (PlanChange("looks", [], ["2025-08-20"]),))
    found = pilot(measures, plan=pilot_plan(**spread_out), rng=np.random.default_rng(1), lock=late)
    assert codes(found) == ["locked_late", "plan_changed"]


def test_windows_that_are_not_equally_decided_are_said():
    row = {"day": DURING[0], "region": "East", "team": "Team 01", "tickets": 100, FCR: (0, 0, 100)}
    result = evaluate(both(MINI), teams=3, rows=[row])
    assert [metric.unequally_decided for metric in result.metrics] == [False, True]
    assert result.metrics[1].decided_gap == pytest.approx(100 / 740)
    assert "unequally_decided" in codes(result)


def test_staff_feedback_is_a_share_with_its_interval():
    staff = evaluate(both(MINI), teams=3, staff_feedback={"yes": 15, "asked": 20}).staff
    assert (staff.value, staff.ci_low, staff.ci_high) == pytest.approx((0.75, 0.531, 0.888), abs=5e-4)
    assert evaluate(both(MINI), teams=3).staff is None


# --- the lock --------------------------------------------------------------------------------------


def project(folder, **fields):
    return Settings(
        project="P", source={"path": "x.csv"}, file=folder / "playbook.toml", pilot=pilot_plan(**fields)
    )


def test_a_locked_plan_is_read_back_with_what_changed(tmp_path):
    step = {"verdict": "go", "action": 'Roll out "all" \\ 推广', "owner": "Lead", "due": date(2025, 10, 1)}
    settings = project(tmp_path, next_steps=(step,), guardrail=("csat",), margin={"csat": 0.03})
    assert plan_lock(settings) is None
    path = lock_plan(settings, on=date(2025, 8, 1))
    assert path == tmp_path / "pilot.lock.toml"
    assert plan_lock(settings) == PlanLock(plan_hash(settings.pilot), date(2025, 8, 1), ())
    later = project(
        tmp_path,
        next_steps=(step,),
        guardrail=("csat",),
        margin={"csat": 0.05},
        decision_date=date(2025, 9, 20),
        staff_feedback={"yes": 1, "asked": 2},
    )
    assert plan_lock(later).changes == (
        PlanChange("margin.csat", 0.03, 0.05),
        PlanChange("decision_date", None, "2025-09-20"),
    )
    assert lock_plan(settings, on=date(2025, 8, 9)) == path
    assert plan_lock(settings).locked_on == date(2025, 8, 1)
    with pytest.raises(SettingsError) as caught:
        lock_plan(later, on=date(2025, 9, 1))
    assert str(caught.value) == (
        "pilot.lock.toml must not be replaced: another plan was locked on 2025-08-01. "
        "Go back to it, or move the file away and say why in the notes."
    )


def test_an_edited_lock_is_refused(tmp_path):
    settings = project(tmp_path)
    path = lock_plan(settings, on=date(2025, 8, 1))
    path.write_text(path.read_text(encoding="utf-8").replace("0.05", "0.01"), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        plan_lock(settings)
    assert str(caught.value) == (
        "pilot.lock.toml must be as `csimprove plan lock` wrote it: its hash does not fit. "
        "Restore it from version control."
    )


def test_a_bad_or_missing_plan_is_not_locked(tmp_path):
    with pytest.raises(SettingsError, match="`minimum_gain` must hold response_on_time"):
        lock_plan(project(tmp_path, minimum_gain={}), on=date(2025, 8, 1))
    none = Settings(project="P", source={"path": "x.csv"}, file=tmp_path / "playbook.toml")
    with pytest.raises(SettingsError, match="must have a \\[pilot\\] plan to lock"):
        lock_plan(none, on=date(2025, 8, 1))


# --- tables ----------------------------------------------------------------------------------------


def test_every_ticket_is_accounted_for():
    rows = [
        {
            "day": DURING[0],
            "region": "East",
            "team": "Team 01",
            "tickets": 20,
            "no_reply": 3,
            # 12 used, 2 undecided, 3 without need of a reply, 3 without a limit
            "response_on_time": (9, 12, 14),
            FCR: (10, 15, 20),
            "resolution_on_time": (8, 15),
        },
        {"day": DURING[0], "region": "East", "team": "", "tickets": 7, "response_on_time": (5, 6, 7)},
    ]
    plan = pilot_plan(secondary=("resolution_on_time",))
    result = evaluate({**both(MINI), "resolution_on_time": MINI}, teams=3, rows=rows, plan=plan)
    table = result.left_out
    counts = ["received", "no_unit", "no_limit", "not_counted", "undecided", "used"]
    cell = table.set_index(["metric", "arm", "period"])[counts]
    assert cell.loc[("response_on_time", "pilot", "during")].tolist() == [667, 7, 3, 3, 2, 652]
    assert cell.loc[(FCR, "pilot", "during")].tolist() == [667, 7, 0, 0, 5, 655]
    # a ticket without need of a reply still has to be resolved in time: it had no limit
    assert cell.loc[("resolution_on_time", "pilot", "during")].tolist() == [667, 7, 5, 0, 0, 655]
    assert (table["received"] == table[counts[1:]].sum(axis=1)).all()
    assert len(table) == 3 * 2 * 2
    # tickets without a unit are in no figure
    assert result.metrics[0].control_during.denominator == 1460
    weekly = result.weekly.set_index(["metric", "week", "arm", "group"])["denominator"]
    assert weekly.loc[("response_on_time", "2025-08-04", "pilot", "")] == 652


def test_weekly_holds_each_group_and_each_arm_pooled():
    weekly = evaluate(both(MINI), teams=3).weekly
    chosen = weekly[(weekly["metric"] == FCR) & (weekly["week"] == "2025-08-04")]
    table = chosen.set_index(["arm", "group"])[["numerator", "denominator", "undecided", "value"]]
    assert (
        table.loc[("pilot", "")].tolist() == table.loc[("pilot", "East")].tolist() == [587, 640, 0, 587 / 640]
    )
    assert table.loc[("control", "")].tolist() == [1179, 1460, 0, 1179 / 1460]
    assert len(table) == 4


def test_teams_hold_the_rates_that_the_effect_is_made_of():
    result = evaluate(both(MINI), teams=3)
    teams = result.teams[result.teams["metric"] == "response_on_time"]
    means = teams.groupby("arm")["change"].mean()
    assert means["pilot"] - means["control"] == pytest.approx(result.metrics[0].effect)
    assert teams["tickets_during"].tolist() == [row[2] for row in MINI]
    assert teams["unit"].is_monotonic_increasing


def test_units_may_be_the_groups_themselves():
    names = tuple(f"Team {i:02}" for i in range(1, 11))
    plan = pilot_plan(group="team", pilot=names[:3], control=names[3:])
    result = evaluate(both(MINI), teams=3, plan=plan)
    assert result.metrics[0].effect == pytest.approx(PUBLISHED["team_tests"]["effect"], abs=1e-7)
    assert result.one_group is False


def test_to_dict_is_plain_json_in_the_documented_form():
    result = evaluate(both(MINI), teams=3)
    data = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert data["verdict"] == "go"
    assert set(data["reason"]) == {"code", "values"}
    wanted = {"metric", "role", "effect", "ci_low", "ci_high", "pvalue", "units_pilot", "units_control"}
    assert wanted <= set(data["metrics"][0])
    assert data["plan"]["during"] == ["2025-08-04", "2025-08-31"]
    assert data["weekly"][0]["week"] == "2025-07-07"
    frame = result.to_frame()
    assert frame["pilot_before_numerator"].tolist() == [501, 501]


# --- bad plans -------------------------------------------------------------------------------------


def test_everything_wrong_with_a_plan_is_said_at_once():
    counts = both(spread(0.0)) | {"csat": spread(0.0)}
    counts = {name: [(100, 70, 0, 0), *teams[1:]] for name, teams in counts.items()}
    rows = [{"day": BEFORE[0], "region": "West", "team": "Team 02", "tickets": 1}]
    plan = pilot_plan(
        pilot=("East", "Est"),
        secondary=("csatt", "complaint_rate"),
        guardrail=("csat",),
        margin={"csat": 3.0},
        strata=("chanel",),
    )
    with pytest.raises(SettingsError) as caught:
        evaluate(counts, plan=plan, rows=rows, unavailable=("complaint_rate",))
    assert str(caught.value).splitlines() == [
        "`pilot` must be corrected:",
        "  metric 'csatt' is not in the catalogue; did you mean csat?",
        "  metric 'complaint_rate' needs columns that tickets.csv does not have: "
        "map them in [source.columns] or leave the metric out",
        "  `margin.csat` must be a share such as 0.05 for 5 points, not 3",
        "  `strata` 'chanel' is not a cut of these measures; did you mean channel?",
        "  `pilot` 'Est' is not a region of the data; did you mean East or West?",
        "  team 'Team 02' must belong to one region, not East and West",
        "  team 'Team 01' has no ticket in `during` (2025-08-04 to 2025-08-31): leave it out with "
        "[source.exclude] or change the window",
    ]


def test_an_unknown_unit_column_is_named_with_the_others():
    with pytest.raises(SettingsError) as caught:
        evaluate(both(MINI), plan=pilot_plan(unit="squad", secondary=("nps",)))
    assert str(caught.value) == (
        "`pilot` must be corrected:\n"
        "  metric 'nps' is not in the catalogue; "
        "it must be one of response_on_time, first_contact_resolution\n"
        "  `unit` 'squad' is not a cut of these measures; it must be one of region, team, channel, severity"
    )


def test_tickets_without_any_unit_are_a_bad_plan():
    rows = [{"day": day, "region": "East", "tickets": 5} for day in (BEFORE[0], DURING[0])]
    measures = made_measures([*rows, {"day": BEFORE[0], "region": "West", "tickets": 5}])
    with pytest.raises(SettingsError) as caught:
        pilot(measures, plan=pilot_plan(), rng=np.random.default_rng(1))
    assert str(caught.value) == (
        "`pilot` must be corrected:\n"
        "  team is empty in every ticket of both windows: map it, or choose another `unit`"
    )


def test_a_running_pilot_may_still_wait_for_a_teams_first_ticket():
    counts = both([(100, 70, 0, 0), *spread(0.0)[1:]])
    result = evaluate(counts, as_of=datetime(2025, 8, 20, tzinfo=UTC))
    assert result.metrics[0].units_pilot == 4


def test_what_the_plan_and_the_data_contradict_is_one_message():
    counts = both([(100, 70, 0, 0), *spread(0.0)[1:]])
    plan = pilot_plan(
        pilot=("East", "West"),
        before=(BEFORE[0], DURING[0]),
        co_primary=("response_on_time", "first_contact"),
        minimum_gain={"response_on_time": -0.05, "first_contact": 0.05, "csat": 0.05},
        margin={"reopen_rate": 0.02},
        looks=(date(2025, 8, 18), date(2025, 9, 5)),
    )
    with pytest.raises(SettingsError) as caught:
        evaluate(counts, plan=plan)
    assert str(caught.value).splitlines() == [
        "`pilot` must be corrected:",
        "  `before` must end before `during` starts, not 2025-08-04 and 2025-08-04",
        "  `looks` must not be after the pilot ends (2025-08-31), not 2025-09-05",
        "  `pilot` and `control` must not share West",
        "  `minimum_gain.response_on_time` must be above 0 (how far, whatever the better side), not -0.05",
        "  `minimum_gain` must be of metrics in `co_primary`, not csat: add it there or leave it out",
        "  `margin` must be of metrics in `guardrail`, not reopen_rate: add it there or leave it out",
        "  metric 'first_contact' is not in the catalogue; did you mean first_contact_resolution?",
        "  team 'Team 01' has no ticket in `during` (2025-08-04 to 2025-08-31): leave it out with "
        "[source.exclude] or change the window",
    ]


@pytest.mark.parametrize(
    ("unit", "reason"),
    [
        ("ticket_id", "not ticket_id: tickets of one team are alike, so a p-value on tickets calls"),
        ("team", "not team: each has a single ticket, and a p-value on tickets calls"),
    ],
)
def test_a_p_value_on_tickets_is_explained_and_refused(unit, reason):
    with pytest.raises(SettingsError) as caught:
        evaluate(both([(1, 1, 1, 0)] * 20), unit=unit)
    assert str(caught.value) == (
        "`pilot` must be corrected:\n  `unit` must be what was assigned to an arm, such as team, "
        f"{reason} 65 to 76 of 100 pilots without any effect significant"
    )
