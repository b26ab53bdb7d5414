import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from csimprove import inference
from csimprove.inference import (
    binomial_below,
    exact_permutation,
    holm,
    mean_interval,
    one_sample_t,
    pooled_t,
    smallest_pvalue,
    welch,
    wilson,
)

PUBLISHED = tomllib.loads((Path(__file__).parent / "reference" / "inference.toml").read_text("utf-8"))
TEAMS = np.array(PUBLISHED["team_tests"]["teams"], dtype=float)
TREATED = TEAMS[:, 0] == 1
CHANGES = TEAMS[:, 4] / TEAMS[:, 3] - TEAMS[:, 2] / TEAMS[:, 1]

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
