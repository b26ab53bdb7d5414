"""Published answers and identities.

Of the reference cases of pilots the product computes, within their tolerances: intervals of one rate (Wilson)
and of two (Newcombe's method 10, Mee, Miettinen-Nurminen); Card and Krueger's difference in differences, all
stores and balanced; organ donations (CRV1 by state, placebo rank, one against the rest, wild bootstrap); the
Mantel-Haenszel risk difference of UCB admissions with Sato's standard error; Kaplan-Meier with Greenwood's
standard error and the medians of Freireich's leukemia trial; Holm on Benjamini and Hochberg's p-values; every
test by team of the ten invented teams and the interval of their tickets during; Lan-DeMets bounds and the
false alarms of up to 28 looks; Krippendorff's alpha of his own three examples. Not computed: paired sign
flips (Darwin's maize), odds ratios and their tests, log-rank and Cox, design-effect power, CRV3 and the
unrestricted bootstrap, the constant bounds of Pocock and of O'Brien and Fleming.
"""

import itertools
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from csimprove import inference
from csimprove.inference import (
    binomial_below,
    cluster_robust,
    exact_permutation,
    holm,
    kaplan_meier,
    mantel_haenszel_difference,
    mean_interval,
    newcombe,
    nominal_t,
    one_sample_t,
    pooled_t,
    score_difference,
    smallest_pvalue,
    spending_bounds,
    welch,
    wild_cluster_bootstrap,
    wilson,
)
from csimprove.inference.sequential import _Walk

PUBLISHED = tomllib.loads((Path(__file__).parent / "reference" / "inference.toml").read_text("utf-8"))
TEAMS = np.array(PUBLISHED["team_tests"]["teams"], dtype=float)
TREATED = TEAMS[:, 0] == 1
RATES = np.array([TEAMS[:, 2] / TEAMS[:, 1], TEAMS[:, 4] / TEAMS[:, 3]])
CHANGES = RATES[1] - RATES[0]
SHARED = Path(__file__).resolve().parents[2] / "shared"

# multiples of 1/64 are exact, so that equal values have no spread at all
changes = st.lists(st.integers(-50, 50).map(lambda x: x / 64), min_size=2, max_size=6)


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.mark.parametrize(("k", "n", "low", "high"), PUBLISHED["wilson"]["cases"])
def test_wilson_gives_the_published_limits(k, n, low, high):
    assert [float(limit) for limit in wilson(k, n)] == pytest.approx([low, high], abs=1e-4)


@given(n=st.integers(1, 10**6), share=st.floats(0, 1))
def test_wilson_holds_the_rate_stays_in_0_1_and_mirrors(n, share):
    k = round(n * share)
    low, high = wilson(k, n)
    mirrored_low, mirrored_high = wilson(n - k, n)
    assert 0 <= low <= k / n <= high <= 1
    assert np.array([1 - mirrored_high, 1 - mirrored_low]) == pytest.approx(np.array([low, high]), abs=1e-12)


def test_wilson_of_no_trial_is_nan_and_arrays_work():
    low, high = wilson([0, 15], [0, 148])
    assert np.isnan([low[0], high[0]]).all()
    assert [low[1], high[1]] == pytest.approx([0.0624, 0.1605], abs=1e-4)


def test_wilson_widens_with_the_level():
    assert float(wilson(15, 148, level=0.99)[0]) < float(wilson(15, 148)[0])


def test_84_of_100_is_statistically_below_90_percent_and_85_is_not():
    assert binomial_below(84, 100, 0.9) == pytest.approx(stats.binom.cdf(84, 100, 0.9))
    assert binomial_below(84, 100, 0.9) <= 0.05 < binomial_below(85, 100, 0.9)


@given(values=st.lists(st.integers(0, 10_000), min_size=2, max_size=30))
def test_mean_interval_from_sums_equals_the_one_from_values(values):
    x = np.array(values, dtype=float)
    low, high = mean_interval(x.sum(), (x**2).sum(), len(x))
    mean, expected_low, expected_high = one_sample_t(x)
    assert [float(low), float(high)] == pytest.approx([expected_low, expected_high], abs=1e-4)
    if x.std() > 0:
        oracle = stats.t.interval(0.95, len(x) - 1, loc=mean, scale=stats.sem(x))
        assert (expected_low, expected_high) == pytest.approx(oracle)


def test_a_single_value_has_a_mean_and_no_interval():
    mean, low, high = one_sample_t([3.0])
    assert mean == 3
    assert np.isnan([low, high, *mean_interval(3.0, 9.0, 1), *one_sample_t([])]).all()


def test_welch_gives_the_published_answer():
    test, expected = welch(CHANGES[TREATED], CHANGES[~TREATED]), PUBLISHED["team_tests"]["welch"]
    assert test.effect == pytest.approx(PUBLISHED["team_tests"]["effect"], abs=1e-7)
    assert {name: getattr(test, name) for name in expected} == pytest.approx(expected, abs=1e-6)


def test_pooled_t_gives_the_published_answer():
    test, expected = pooled_t(CHANGES[TREATED], CHANGES[~TREATED]), PUBLISHED["team_tests"]["pooled"]
    assert {name: getattr(test, name) for name in expected} == pytest.approx(expected, abs=1e-6)


@given(a=changes.filter(np.ptp), b=changes.filter(np.ptp))
def test_team_tests_equal_scipy(a, b):
    for test, equal_var in ((welch(a, b), False), (pooled_t(a, b), True)):
        oracle = stats.ttest_ind(a, b, equal_var=equal_var)
        interval = oracle.confidence_interval()
        assert (test.t, test.df, test.pvalue) == pytest.approx((oracle.statistic, oracle.df, oracle.pvalue))
        assert (test.ci_low, test.ci_high) == pytest.approx((interval.low, interval.high))


@given(a=changes, b=changes, shift=st.integers(-100, 100))
def test_team_tests_swap_sign_with_the_arms_and_ignore_a_common_shift(a, b, shift):
    test, swapped = welch(a, b), welch(b, a)
    shifted = welch([x + shift for x in a], [x + shift for x in b])
    assert (swapped.effect, swapped.ci_low) == pytest.approx((-test.effect, -test.ci_high))
    assert (shifted.effect, shifted.se) == pytest.approx((test.effect, test.se), abs=1e-9)


def test_too_few_teams_give_the_effect_and_nothing_else():
    for test in (welch([0.1], [0.2, 0.3]), welch([0.1, 0.1], [0.3])):
        assert np.isfinite(test.effect)
        assert np.isnan([test.se, test.df, test.pvalue, test.ci_low, test.ci_high]).all()
    assert np.isnan(welch([], [0.1]).effect)


def test_teams_without_spread_have_an_interval_of_width_0():
    same = welch([0.5, 0.5], [0.5, 0.5, 0.5])
    apart = welch([0.75, 0.75], [0.5, 0.5, 0.5])
    assert (same.pvalue, same.ci_low, same.ci_high) == (1, 0, 0)
    assert (apart.pvalue, apart.ci_low, apart.ci_high) == (0, 0.25, 0.25)


def test_exact_permutation_gives_the_published_answer(rng):
    found, expected = exact_permutation(CHANGES, TREATED, rng=rng), PUBLISHED["team_tests"]["permutation"]
    assert found.assignments == expected["assignments"]
    assert found.pvalue == found.smallest == pytest.approx(expected["pvalue"], abs=1e-8)


@given(values=st.lists(st.integers(-5, 5), min_size=2, max_size=9), data=st.data())
def test_exact_permutation_equals_a_plain_enumeration(values, data):
    k = data.draw(st.integers(1, len(values) - 1))
    found = exact_permutation(values, np.arange(len(values)) < k, rng=np.random.default_rng(1))

    def difference(chosen):
        inside = [values[i] for i in chosen]
        outside = [value for i, value in enumerate(values) if i not in chosen]
        return abs(sum(inside) * len(outside) - sum(outside) * len(inside))

    everything = [difference(chosen) for chosen in itertools.combinations(range(len(values)), k)]
    assert found.assignments == len(everything)
    assert found.pvalue == np.mean([value >= difference(range(k)) for value in everything])
    assert found.pvalue >= found.smallest


def test_ties_count_as_extreme_despite_rounding(rng):
    # 0.1 + 0.2 is not 0.3 in floating point
    found = exact_permutation([0.1, 0.2, 0.3, 0.0, 0.3, 0.3], [1, 1, 0, 0, 0, 0], rng=rng)
    whole = exact_permutation([1, 2, 3, 0, 3, 3], [1, 1, 0, 0, 0, 0], rng=rng)
    assert found.pvalue == whole.pvalue


def test_large_designs_use_random_assignments_and_the_observed():
    values, treated = np.arange(24) / 24, np.arange(24) >= 12
    found = exact_permutation(values, treated, rng=np.random.default_rng(1))
    again = exact_permutation(values, treated, rng=np.random.default_rng(1))
    assert found == again
    assert found.assignments == 20_001
    assert found.pvalue == found.smallest == 1 / 20_001


def test_random_assignments_agree_with_full_enumeration(rng, monkeypatch):
    values, treated = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3], np.arange(10) >= 6
    exact = exact_permutation(values, treated, rng=rng).pvalue
    monkeypatch.setattr(inference.teams, "ENUMERATED", 10)
    assert exact_permutation(values, treated, rng=rng).pvalue == pytest.approx(exact, abs=4 * 0.0035)


def test_smallest_pvalue_counts_the_mirror_image_of_equal_arms():
    assert smallest_pvalue(3, 3) == 0.1
    assert smallest_pvalue(3, 7) == 1 / 120
    assert smallest_pvalue(0, 5) == 1
    assert smallest_pvalue(15, 15) == 1 / 20_001


def test_holm_rejects_as_published():
    corrected = holm(PUBLISHED["holm"]["pvalues"])
    assert (corrected <= 0.05).sum() == PUBLISHED["holm"]["rejections"]


@pytest.mark.slow
@settings(max_examples=15)  # the oracle takes 30 ms a call
@given(pvalues=st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_equals_statsmodels(pvalues):
    assert holm(pvalues) == pytest.approx(multipletests(pvalues, method="holm")[1])


def test_holm_of_nothing_is_nothing():
    assert holm([]).tolist() == []


def test_welch_covers_and_permutation_keeps_its_size_with_5_against_15_teams(rng):
    # arms of unequal size and spread: what Welch is for; equal spread: what permutation assumes
    rounds, nominal = 2000, 0.05
    error = 4 * np.sqrt(nominal * (1 - nominal) / rounds)
    pilot, control = rng.normal(0, 0.06, (rounds, 5)), rng.normal(0, 0.04, (rounds, 15))
    missed = np.mean([not test.ci_low <= 0 <= test.ci_high for test in map(welch, pilot, control)])
    assert missed == pytest.approx(nominal, abs=error)
    treated = np.arange(20) < 5
    teams = rng.normal(0, 0.05, (rounds // 2, 20))
    alarms = np.mean([exact_permutation(values, treated, rng=rng).pvalue <= nominal for values in teams])
    assert alarms == pytest.approx(nominal, abs=error * np.sqrt(2))


def shared(path):
    if not (SHARED / path).exists():
        pytest.skip(f"{path} is not at hand: it is not part of the package")
    return pd.read_csv(SHARED / path)


def test_the_ten_teams_tickets_during_give_the_published_interval():
    (n1, k1), (n2, k2) = (TEAMS[arm][:, 3:].sum(axis=0) for arm in (TREATED, ~TREATED))
    expected = PUBLISHED["team_tests"]["newcombe_during"]
    assert newcombe(k1, n1, k2, n2) == pytest.approx(expected, abs=PUBLISHED["team_tests"]["tolerance"])


@pytest.mark.parametrize("case", PUBLISHED["differences"]["cases"])
def test_intervals_of_a_difference_give_the_published_limits(case):
    counts, published = case[:4], case[4:]
    found = [
        *score_difference(*counts, variant="mee"),
        *score_difference(*counts),
        *newcombe(*counts),
    ]
    assert [float(limit) for limit in found] == pytest.approx(
        published, abs=PUBLISHED["differences"]["tolerance"]
    )


trials = st.integers(1, 300)


@pytest.mark.slow
@given(
    n1=trials, n2=trials, share1=st.floats(0, 1), share2=st.floats(0, 1), method=st.sampled_from([0, 1, 2])
)
def test_intervals_of_a_difference_hold_it_and_swap_with_the_groups(n1, n2, share1, share2, method):
    k1, k2 = round(n1 * share1), round(n2 * share2)
    interval = (newcombe, score_difference, lambda *a: score_difference(*a, variant="mee"))[method]
    low, high = map(float, interval(k1, n1, k2, n2))
    swapped_low, swapped_high = map(float, interval(k2, n2, k1, n1))
    mirrored_low, mirrored_high = map(float, interval(n1 - k1, n1, n2 - k2, n2))
    assert -1 - 1e-9 <= low <= k1 / n1 - k2 / n2 + 1e-9
    assert k1 / n1 - k2 / n2 - 1e-9 <= high <= 1 + 1e-9
    assert (-swapped_high, -swapped_low) == pytest.approx((low, high), abs=1e-8)
    assert (-mirrored_high, -mirrored_low) == pytest.approx((low, high), abs=1e-8)


def test_score_interval_ends_where_the_score_test_rejects():
    # at a difference of 0 the constrained rates are the pooled one
    low, _ = score_difference(30, 100, 20, 100, level=0.9, variant="mee")
    z = 0.1 / np.sqrt(0.25 * 0.75 * 2 / 100)
    at_z, _ = score_difference(30, 100, 20, 100, level=float(2 * stats.norm.cdf(z) - 1), variant="mee")
    assert float(at_z) == pytest.approx(0, abs=1e-9)
    assert float(low) < 0 < z


def test_intervals_of_a_difference_without_trials_are_nan():
    for low, high in (newcombe([0, 9], [0, 10], 3, 10), score_difference([0, 9], [0, 10], 3, 10)):
        assert np.isnan([low[0], high[0]]).all()
        assert np.isfinite([low[1], high[1]]).all()
    assert np.isnan([float(limit) for limit in score_difference(0, 0, 1, 1)]).all()


def test_mantel_haenszel_gives_the_published_difference():
    expected = PUBLISHED["mantel_haenszel"]
    k1, no1, k2, no2 = np.array(PUBLISHED["standardisation"]["departments"]).T
    effect, se, low, high = mantel_haenszel_difference(k1, k1 + no1, k2, k2 + no2)
    assert (effect, se) == pytest.approx((expected["effect"], expected["se"]), abs=expected["tolerance"] / 10)
    assert (low, high) == pytest.approx((effect - 1.959964 * se, effect + 1.959964 * se))


@given(st.lists(st.tuples(*[st.integers(0, 30)] * 4), min_size=1, max_size=5))
def test_mantel_haenszel_swaps_with_the_groups_and_of_one_stratum_is_the_difference(cells):
    k1, no1, k2, no2 = np.array(cells).T
    found = mantel_haenszel_difference(k1, k1 + no1, k2, k2 + no2)
    effect, se, low, high = mantel_haenszel_difference(k2, k2 + no2, k1, k1 + no1)
    assert found == pytest.approx((-effect, se, -high, -low), nan_ok=True)
    first = slice(0, 1)
    if k1[0] + no1[0] and k2[0] + no2[0]:
        alone = mantel_haenszel_difference(k1[first], (k1 + no1)[first], k2[first], (k2 + no2)[first])[0]
        assert alone == pytest.approx(k1[0] / (k1[0] + no1[0]) - k2[0] / (k2[0] + no2[0]))


def test_mantel_haenszel_leaves_out_strata_with_one_group():
    whole = mantel_haenszel_difference([5, 1, 0, 0], [10, 10, 0, 0], [3, 1, 9, 0], [10, 9, 9, 0])
    assert whole == mantel_haenszel_difference([5, 1], [10, 10], [3, 1], [10, 9])
    assert np.isnan(mantel_haenszel_difference([1], [2], [0], [0])).all()


def test_cluster_robust_gives_the_published_answer():
    expected = PUBLISHED["cluster"]
    test = cluster_robust(RATES, TREATED)
    names = ("se", "t", "df", "pvalue", "ci_low", "ci_high")
    assert test.effect == pytest.approx(PUBLISHED["team_tests"]["effect"], abs=1e-7)
    assert {name: getattr(test, name) for name in names} == pytest.approx(
        {name: expected[name] for name in names}, abs=expected["tolerance"]
    )
    tickets = TEAMS[:, [1, 3]].T
    weighted, n = cluster_robust(RATES, TREATED, weights=tickets), tickets.sum()
    assert weighted.effect == pytest.approx(expected["weighted_effect"], abs=1e-7)
    correction = 10 / 9 * (n - 1) / (n - 4)
    assert weighted.se == pytest.approx(
        expected["weighted_se_uncorrected"] * np.sqrt(correction), abs=expected["tolerance"]
    )


def test_card_krueger_minimum_wages():
    stores = shared("reference/pilot/card_krueger_1994_fte.csv")
    fte = stores[["fte_before", "fte_after"]].T.to_numpy()
    there = np.isfinite(fte)
    every = cluster_robust(np.nan_to_num(fte), stores["nj"], weights=there)
    assert every.effect == pytest.approx(2.7536, abs=1e-4)
    balanced, jersey = np.diff(fte[:, there.all(axis=0)], axis=0)[0], stores["nj"][there.all(axis=0)] == 1
    test = welch(balanced[jersey], balanced[~jersey])
    assert (jersey.sum(), (~jersey).sum()) == (309, 75)
    cells = [fte[period, (stores["nj"] == arm) & there[period]] for period in (0, 1) for arm in (0, 1)]
    assert [len(cell) for cell in cells] == [77, 321, 77, 319]
    assert [one_sample_t(cell)[0] for cell in cells] == pytest.approx(
        [23.3312, 20.4394, 21.1656, 21.0274], abs=0.005
    )
    assert (test.effect, test.se) == pytest.approx((2.75, 1.3423), abs=0.005)


def test_organ_donations_one_state_against_26():
    rates = shared("data/organ_donation.csv").pivot_table("Rate", "State", "Quarter")
    halves = ["Q42010", "Q12011", "Q22011"], ["Q32011", "Q42011", "Q12012"]
    values = np.array([rates[quarters].mean(axis=1) for quarters in halves])
    california, changes = rates.index == "California", values[1] - values[0]
    # 27 states x 6 quarters; six quarters and the effect are counted
    test = cluster_robust(values, california, weights=np.full(values.shape, 3), parameters=7)
    assert (test.effect, test.se, test.pvalue) == pytest.approx(
        (-0.02245897, 0.00613123, 0.00111848), abs=1e-5
    )
    rest = pooled_t(changes[california], changes[~california])
    assert (rest.t, rest.df, rest.pvalue) == pytest.approx((-0.717936, 25, 0.479452), abs=1e-5)
    placebo = exact_permutation(changes, california, rng=np.random.default_rng(1))
    assert (placebo.pvalue, placebo.assignments) == (5 / 27, 27)
    wild = wild_cluster_bootstrap(changes, california, rng=np.random.default_rng(1))
    assert wild.pvalue == pytest.approx(0.45, abs=0.02)  # where the t says 0.001


def test_wild_bootstrap_gives_the_published_answer(rng):
    found, expected = wild_cluster_bootstrap(CHANGES, TREATED, rng=rng), PUBLISHED["cluster"]
    assert found.draws == 1024
    assert found.t == pytest.approx(expected["t"], abs=expected["tolerance"])
    assert found.pvalue == expected["wild_pvalue"]


@pytest.mark.slow
@given(values=st.lists(st.integers(-9, 9), min_size=3, max_size=8), data=st.data())
def test_wild_bootstrap_equals_a_plain_enumeration_of_panels(values, data):
    k = data.draw(st.integers(1, len(values) - 1))
    treated, x = np.arange(len(values)) < k, np.array(values, dtype=float)
    found = wild_cluster_bootstrap(x, treated, rng=np.random.default_rng(1))

    def t(changes):
        test = cluster_robust([np.zeros_like(changes), changes], treated)
        return abs(test.effect) / test.se if test.se > 1e-9 else np.inf if abs(test.effect) > 1e-9 else 0.0

    signs = np.array(list(itertools.product([1, -1], repeat=len(values))))
    drawn = np.array([t(sign * (x - x.mean())) for sign in signs])
    if np.isfinite(drawn).all():  # changes that are all rounding have no t
        assert found.pvalue == np.mean(drawn >= t(x) - 1e-8)
    assert found.draws == len(signs)


def test_wild_bootstrap_draws_beyond_16_units_and_agrees_with_enumeration(rng, monkeypatch):
    changes, treated = rng.normal(0, 0.05, 14), np.arange(14) < 5
    exact = wild_cluster_bootstrap(changes, treated, rng=rng)
    monkeypatch.setattr(inference.teams, "ENUMERATED_UNITS", 13)
    drawn = wild_cluster_bootstrap(changes, treated, rng=rng)
    assert (exact.draws, drawn.draws) == (2**14, 10_000)
    assert drawn.t == exact.t
    assert drawn.pvalue == pytest.approx(exact.pvalue, abs=4 * 0.005)


def test_cluster_methods_need_both_arms(rng):
    assert np.isnan(wild_cluster_bootstrap([1, 2], [1, 1], rng=rng).pvalue)
    assert np.isnan(cluster_robust([[1, 2], [1, 2]], [1, 1]).effect)
    # two units: as many values as coefficients
    assert np.isnan(cluster_robust([[1, 2], [1, 3]], [0, 1]).se)


@given(a=changes, b=changes, shift=st.integers(-9, 9))
def test_cluster_robust_swaps_sign_with_the_arms_and_ignores_a_common_shift(a, b, shift):
    values = np.array([np.zeros(len(a) + len(b)), [*a, *b]])
    treated = np.arange(values.shape[1]) < len(a)
    test, swapped = cluster_robust(values, treated), cluster_robust(values, ~treated)
    shifted = cluster_robust(values + np.array([[shift], [2 * shift]]), treated)
    assert (test.effect, test.se) == pytest.approx((-swapped.effect, swapped.se), abs=1e-9)
    assert (test.effect, test.se) == pytest.approx((shifted.effect, shifted.se), abs=1e-9)
    assert test.effect == pytest.approx(welch(a, b).effect, abs=1e-9)


def random_panel(units, pilot):
    """Rates of teams before and during, and which of them are the pilot's."""
    treated = np.arange(units) < pilot
    values = np.random.default_rng([units, pilot]).normal(0.8, 0.05, (2, units))
    return values + 0.05 * np.outer([0, 1], treated), treated


PANELS = {
    "mini pilot": (RATES, TREATED),
    **{f"{k} of {n}": random_panel(n, k) for n, k in ((6, 3), (8, 3), (10, 3), (11, 5), (12, 5))},
}


@pytest.mark.filterwarnings("ignore")  # what the oracles warn about is theirs
@pytest.mark.slow
@pytest.mark.parametrize("panel", PANELS)
def test_cluster_methods_agree_with_three_libraries(panel, rng):
    import diff_diff
    import pyfixest
    import statsmodels.api as sm
    from wildboottest.wildboottest import wildboottest

    values, treated = PANELS[panel]
    units = len(treated)
    panel = pd.DataFrame(
        {
            "y": values.ravel(),
            "team": np.tile(np.arange(units), 2),
            "post": np.repeat([0, 1], units),
            "treat": np.tile(treated.astype(int), 2),
        }
    )
    panel["did"] = panel["post"] * panel["treat"]
    test = cluster_robust(values, treated)
    wild = wild_cluster_bootstrap(values[1] - values[0], treated, rng=rng)
    answer = pytest.approx((test.effect, test.se, test.pvalue), abs=1e-8)
    fit = pyfixest.feols("y ~ treat + post + did", data=panel, vcov={"CRV1": "team"}).tidy().loc["did"]
    assert tuple(fit[["Estimate", "Std. Error", "Pr(>|t|)"]]) == answer
    model = diff_diff.DifferenceInDifferences(cluster="team", df_convention="cluster")
    did = model.fit(panel, outcome="y", treatment="treat", time="post")
    assert (did.att, did.se, did.p_value) == answer
    # so many draws make it try every vector of signs
    ols = sm.OLS(panel["y"], sm.add_constant(panel[["treat", "post", "did"]]))
    oracle = wildboottest(ols, param="did", cluster=panel["team"], B=99_999, seed=1, show=False)
    assert (oracle["statistic"].item(), wild.draws) == (pytest.approx(wild.t, abs=1e-8), 2**units)
    # by rounding the oracle may miss that the observed signs, and their mirror image, tie with themselves
    assert oracle["p-value"].item() == pytest.approx(wild.pvalue, abs=2 / 2**units + 1e-9)


def test_bounds_are_the_published_ones():
    for kind in ("obrien_fleming", "pocock"):
        for published in PUBLISHED["spending"][kind]:
            looks = np.arange(1, len(published) + 1) / len(published)
            assert spending_bounds(looks, kind=kind) == pytest.approx(
                published, abs=PUBLISHED["spending"]["tolerance"]
            )


def test_repeated_looks_alarm_as_published():
    for looks, published in PUBLISHED["repeated_looks"]["cases"]:
        walk, alarms = _Walk(), 0.0
        for look in range(1, looks + 1):
            walk.advance(look)
            alarms += 2 * walk.beyond(1.959964 * np.sqrt(look))
            walk.stop_beyond(1.959964 * np.sqrt(look))
        assert alarms == pytest.approx(published, abs=PUBLISHED["repeated_looks"]["tolerance"])


@settings(max_examples=25, deadline=None)
@given(
    looks=st.lists(st.integers(20, 1000), min_size=1, max_size=5, unique=True),
    kind=st.sampled_from(["obrien_fleming", "pocock"]),
)
def test_bounds_spend_what_was_planned_in_simulation(looks, kind):
    information = np.sort(looks) / 1000
    bounds = spending_bounds(information, kind=kind)
    steps = np.random.default_rng(1).normal(0, np.sqrt(np.diff(information, prepend=0)), (40_000, len(looks)))
    z = steps.cumsum(axis=1) / np.sqrt(information)
    assert (np.abs(z) > bounds).any(axis=1).mean() == pytest.approx(0.05, abs=4 * 0.0011)


@settings(max_examples=25, deadline=None)
@given(
    looks=st.lists(st.integers(1, 99), min_size=1, max_size=4, unique=True),
    kind=st.sampled_from(["obrien_fleming", "pocock"]),
    alpha=st.sampled_from([0.01, 0.05, 0.2]),
)
def test_bounds_do_not_depend_on_later_looks_and_exceed_a_single_test(looks, kind, alpha):
    information = [*np.sort(looks) / 100, 1.0]
    bounds = spending_bounds(information, kind=kind, alpha=alpha)
    assert spending_bounds([information[0], 1], kind=kind, alpha=alpha)[0] == pytest.approx(bounds[0])
    assert (bounds >= -stats.norm.ppf(alpha / 2) - 1e-9).all()


def test_evenly_spaced_obrien_fleming_bounds_fall():
    for looks in (2, 5, 12):
        assert (np.diff(spending_bounds(np.arange(1, looks + 1) / looks)) < 0).all()


def test_looks_without_news_have_no_bound_and_the_last_look_spends_what_is_left():
    bounds = spending_bounds([0, 0.5, 0.5, 0.8, 0.8])
    assert np.isinf(bounds).tolist() == [True, False, True, False, False]
    assert bounds[3] == spending_bounds([0.5, 0.8, 1])[1]
    assert spending_bounds([1.0])[0] == pytest.approx(1.959964, abs=1e-6)
    assert spending_bounds([0.8])[0] == pytest.approx(1.959964, abs=1e-6)
    assert bounds[4] < bounds[3]


def test_nominal_t_has_the_same_p_value_as_z():
    z = np.array([4.333, 2.963, 2.359, 2.014])
    assert nominal_t(z, 18) == pytest.approx([5.87, 3.42, 2.59, 2.17], abs=0.005)
    assert 2 * stats.t.sf(nominal_t(z, 7.5), 7.5) == pytest.approx(2 * stats.norm.sf(z))
    assert np.isinf(nominal_t(np.inf, 18))


def freireich(arm):
    weeks, relapse = np.array(PUBLISHED["survival"][arm]).T
    return kaplan_meier(weeks, relapse, 1 - relapse)


def test_kaplan_meier_gives_the_published_curve_and_medians():
    expected = PUBLISHED["survival"]
    curve = freireich("6mp")
    found = [
        [week, level, se]
        for week, level, se, events in zip(curve.ends, curve.survival, curve.se, curve.events, strict=True)
        if events
    ]
    assert np.array(found) == pytest.approx(np.array(expected["curve_6mp"]), abs=expected["tolerance"])
    assert curve.quantile(0.5)[0] == expected["median_6mp"]
    assert freireich("control").quantile(0.5)[0] == expected["median_control"]


@pytest.mark.filterwarnings("ignore")  # the oracle divides by 0 at the ends of the curve
def test_limits_of_quantiles_equal_statsmodels():
    from statsmodels.duration.survfunc import SurvfuncRight

    for arm in ("6mp", "control"):
        weeks, relapse = np.array(PUBLISHED["survival"][arm]).T
        oracle = SurvfuncRight(weeks, relapse)
        for share in (0.25, 0.5, 0.6):
            _, low, high = freireich(arm).quantile(share)
            expected = oracle.quantile_ci(share, method="cloglog")
            assert low == expected[0]
            assert high == expected[1] or (np.isinf(high) and not np.isfinite(expected[1]))


@given(values=st.lists(st.integers(1, 50), min_size=1, max_size=30), horizon=st.integers(1, 60))
def test_without_censoring_the_curve_is_the_empirical_one(values, horizon):
    x = np.array(values, dtype=float)
    curve = kaplan_meier(x, np.ones_like(x), np.zeros_like(x))
    assert curve.survival == pytest.approx([(x > end).mean() for end in curve.ends], abs=1e-9)
    cut = np.minimum(x, horizon)
    assert curve.restricted_mean(horizon) == pytest.approx(
        (cut.mean(), cut.std() / np.sqrt(len(x))), abs=1e-7
    )
    for share in (0.5, 0.9):
        assert curve.quantile(share)[0] == np.quantile(x, share, method="inverted_cdf")


def test_grouped_durations_agree_with_exact_ones(rng):
    minutes, gives_up = rng.exponential(100, 20_000), rng.exponential(300, 20_000)
    seen, over = np.minimum(minutes, gives_up), minutes <= gives_up
    edges = np.concatenate([[0], np.geomspace(1, 3000, 90)])
    counts = [np.histogram(seen[chosen], edges)[0] for chosen in (over, ~over)]
    exact, grouped = kaplan_meier(seen, over, ~over), kaplan_meier(edges[1:], *counts, starts=edges[:-1])
    for share in (0.5, 0.9):
        assert grouped.quantile(share) == pytest.approx(exact.quantile(share), rel=0.005)
    assert grouped.quantile(0.5)[0] == pytest.approx(100 * np.log(2), rel=0.03)
    # a horizon within a bin
    for horizon in (60, 480):
        assert grouped.restricted_mean(horizon) == pytest.approx(exact.restricted_mean(horizon), rel=0.005)


def test_empty_bins_change_nothing():
    full = kaplan_meier([10, 20, 30], [4, 0, 3], [1, 0, 2], starts=[0, 10, 20])
    gap = kaplan_meier([10, 30], [4, 3], [1, 2], starts=[0, 20])
    assert full.quantile(0.3) == gap.quantile(0.3)
    assert full.restricted_mean(25) == pytest.approx(gap.restricted_mean(25))


def test_what_the_observation_does_not_reach_is_not_given():
    curve = kaplan_meier([5, 8, 9], [1, 0, 0], [0, 1, 1])
    assert curve.quantile(0.5) == (np.inf, 5.0, np.inf)
    assert np.isnan(curve.restricted_mean(10)).all()
    assert curve.restricted_mean(9)[0] == pytest.approx(5 / 3 + 9 * 2 / 3)
    nothing = kaplan_meier([], [], [])
    assert nothing.quantile(0.5) == (np.inf, np.inf, np.inf)
    assert np.isnan(nothing.restricted_mean(10)).all()


def test_limits_of_the_restricted_mean_and_of_the_median_cover(rng):
    rounds, inside = 400, np.zeros(2)
    for _ in range(rounds):
        minutes, gives_up = rng.exponential(100, 150), rng.exponential(200, 150)
        over = minutes <= gives_up
        curve = kaplan_meier(np.minimum(minutes, gives_up), over, ~over)
        mean, se = curve.restricted_mean(150)
        _, low, high = curve.quantile(0.5)
        inside += [abs(mean - 100 * (1 - np.exp(-1.5))) < 1.96 * se, low <= 100 * np.log(2) <= high]
    assert inside / rounds == pytest.approx([0.95, 0.95], abs=4 * 0.011)


# --- agreement of coders ------------------------------------------------------------------------------

AGREEMENT = tomllib.loads(
    (Path(__file__).parent / "reference" / "agreement.toml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", AGREEMENT["alpha"], ids=lambda case: case["name"])
def test_alpha_is_that_of_krippendorffs_own_examples(case: dict[str, Any]) -> None:
    units = [[None if code == "." else code for code in unit] for unit in zip(*case["coders"], strict=True)]
    found = inference.agreement(units, rng=np.random.default_rng(1))
    assert found.alpha is not None
    assert found.ci_low is not None
    assert found.ci_high is not None
    assert round(found.alpha, 3) == case["alpha"]
    assert found.ci_low < found.alpha < found.ci_high


def test_nearly_all_equal_codes_can_be_little_more_than_chance() -> None:
    units = [("no", "no")] * 94 + [("yes", "yes")] * 2 + [("yes", "no")] * 3 + [("no", "yes")] * 1
    found = inference.agreement(units, rng=np.random.default_rng(1))
    assert (found.units, found.codes, found.raw) == (100, 200, 0.96)
    assert found.alpha == pytest.approx(1 - 199 * 8 / (200**2 - 192**2 - 8**2))
    assert 0.45 < found.alpha < 0.5


def test_alpha_needs_two_codes_and_two_coders() -> None:
    rng = np.random.default_rng(1)
    alone = inference.agreement([("a", None), (None, "b")], rng=rng)
    assert (alone.units, alone.raw, alone.alpha, alone.ci_low) == (0, None, None, None)
    same = inference.agreement([("a", "a")] * 5, rng=rng)
    assert (same.units, same.raw, same.alpha, same.ci_high) == (5, 1.0, None, None)


def test_the_same_draws_give_the_same_interval() -> None:
    units = [("a", "b"), ("a", "a"), ("b", "b"), ("c", "c"), ("c", "a"), ("b", None)]
    one, two = (inference.agreement(units, rng=np.random.default_rng(5)) for _ in range(2))
    assert one == two


def test_the_interval_of_alpha_covers_the_truth_about_as_often_as_it_says() -> None:
    """Two coders who read two equally frequent codes right in 85 %: alpha is (2 * 0.85 - 1)^2 = 0.49."""
    rng, covered, runs = np.random.default_rng(11), 0, 60
    for _ in range(runs):
        truth = rng.integers(2, size=150)
        codes = [np.where(rng.random(150) < 0.85, truth, 1 - truth) for _ in range(2)]
        found = inference.agreement([(str(a), str(b)) for a, b in zip(*codes, strict=True)], rng=rng)
        assert found.ci_low is not None
        assert found.ci_high is not None
        covered += found.ci_low <= 0.49 <= found.ci_high
    assert 0.87 <= covered / runs <= 1


def test_the_difference_of_two_shares_of_a_whole_is_wider_than_that_of_independent_ones() -> None:
    low, high = inference.paired_difference(64, 52, 214)
    alone_low, alone_high = (float(end) for end in inference.newcombe(64, 214, 52, 214))
    assert low < alone_low < 12 / 214 < alone_high < high
    assert inference.paired_difference(5, 5, 20)[0] == pytest.approx(
        -inference.paired_difference(5, 5, 20)[1]
    )
