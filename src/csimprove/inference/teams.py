"""Intervals of means and tests on small groups of teams."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from csimprove.inference.rates import Floats

#: Up to this many assignments of teams to arms are all tried, else `RANDOM_ASSIGNMENTS` at random.
ENUMERATED = 200_000
RANDOM_ASSIGNMENTS = 20_000

#: Up to this many units all signs of the wild bootstrap are tried, else `RANDOM_SIGNS` at random.
ENUMERATED_UNITS = 16
RANDOM_SIGNS = 9_999


@dataclass(frozen=True, slots=True)
class TeamTest:
    """Difference of the means of two groups of teams, first minus second.

    Parameters
    ----------
    effect, se
        The difference and its standard error, in the values' unit.
    df, t, pvalue
        Degrees of freedom, ``effect / se`` and the two-sided p-value of the t distribution.
    ci_low, ci_high
        Interval of the effect.
    """

    effect: float
    se: float
    df: float
    t: float
    pvalue: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True, slots=True)
class Permutation:
    """Test by assigning the teams to the arms in every possible way.

    Parameters
    ----------
    pvalue
        Share of assignments with a difference of means at least as extreme as the observed, two-sided.
    smallest
        The smallest p-value that this many teams can give (:func:`smallest_pvalue`).
    assignments
        How many were tried: all, or the random ones plus the observed.
    """

    pvalue: float
    smallest: float
    assignments: int


@dataclass(frozen=True, slots=True)
class WildBootstrap:
    """Test by flipping the signs of the units' deviations.

    Parameters
    ----------
    t
        Effect divided by its CRV1 standard error.
    pvalue
        Share of sign vectors with a t at least as extreme, two-sided.
    draws
        How many were tried: all, or the random ones plus the observed.
    """

    t: float
    pvalue: float
    draws: int


def mean_interval(
    total: ArrayLike, squares: ArrayLike, n: ArrayLike, *, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Student's t interval of a mean, from sums.

    Parameters
    ----------
    total, squares, n
        Sum of the values, sum of their squares and their number; numbers or arrays.
    level
        Coverage wanted.

    Returns
    -------
    tuple of arrays
        Lower and upper limits in the values' unit; NaN where ``n`` is below 2.

    Examples
    --------
    >>> low, high = mean_interval(10.0, 30.0, 4)  # the values 1, 2, 3, 4
    >>> print(f"{low:.3f} {high:.3f}")
    0.446 4.554
    """
    total, squares, n = (np.asarray(part, dtype=float) for part in (total, squares, n))
    n = np.where(n >= 2, n, np.nan)
    mean = total / n
    variance = np.maximum(squares - total * mean, 0.0) / (n - 1)
    half = stdtrit(n - 1, 0.5 + level / 2) * np.sqrt(variance / n)
    return mean - half, mean + half


def one_sample_t(values: ArrayLike, *, level: float = 0.95) -> tuple[float, float, float]:
    """Mean of one value per team with its t interval.

    Parameters
    ----------
    values
        One number per team.
    level
        Coverage wanted.

    Returns
    -------
    tuple of float
        Mean, lower and upper limit; the limits are NaN for fewer than 2 teams.

    Examples
    --------
    >>> print("{:.2f} {:.2f} {:.2f}".format(*one_sample_t([0.90, 0.94, 0.92])))
    0.92 0.87 0.97
    """
    x = np.asarray(values, dtype=float)
    if not len(x):
        return math.nan, math.nan, math.nan
    # sums of squares about the mean: raw ones lose the digits that matter
    mean = float(x.mean())
    low, high = mean_interval(0.0, ((x - mean) ** 2).sum(), len(x), level=level)
    return mean, mean + float(low), mean + float(high)


def welch(a: ArrayLike, b: ArrayLike, *, level: float = 0.95) -> TeamTest:
    """Difference of two means of teams, each arm with its own variance.

    Parameters
    ----------
    a, b
        One number per team, usually its change, of the pilot and of the control.
    level
        Coverage of the interval.

    Returns
    -------
    TeamTest
        ``mean(a) - mean(b)``; all but the effect is NaN when an arm has fewer than 2 teams.

    Notes
    -----
    Welch (1947), degrees of freedom by Satterthwaite (1946). Teams without any spread give an
    interval of width 0.

    Examples
    --------
    >>> test = welch([0.11, 0.14, 0.12], [0.01, -0.02, 0.03, 0.00])
    >>> print(f"{test.effect:.3f} ({test.ci_low:.3f} to {test.ci_high:.3f}), {test.df:.1f} df")
    0.118 (0.083 to 0.153), 5.0 df
    """
    (mean_a, var_a, n_a), (mean_b, var_b, n_b) = _moments(a), _moments(b)
    share_a, share_b = var_a / n_a, var_b / n_b
    spread = share_a**2 / max(n_a - 1, 1) + share_b**2 / max(n_b - 1, 1)
    df = (share_a + share_b) ** 2 / spread if spread else n_a + n_b - 2.0
    return _team_test(mean_a - mean_b, math.sqrt(share_a + share_b), df, level)


def pooled_t(a: ArrayLike, b: ArrayLike, *, level: float = 0.95) -> TeamTest:
    """Difference of two means of teams, one variance for both arms.

    Parameters
    ----------
    a, b
        One number per team of the pilot and of the control.
    level
        Coverage of the interval.

    Returns
    -------
    TeamTest
        ``mean(a) - mean(b)``; all but the effect is NaN when both arms have fewer than 2 teams. One team
        against several takes their spread for its own.

    Notes
    -----
    Student (1908). A sensitivity beside :func:`welch`: with arms of 5 and 15 teams and rates near
    the ceiling its 95 % interval covers 92.6-97.5 %, Welch's 94.1-94.8 %.

    Examples
    --------
    >>> pooled_t([0.11, 0.14, 0.12], [0.01, -0.02, 0.03, 0.00]).df
    5.0
    """
    (mean_a, var_a, n_a), (mean_b, var_b, n_b) = _moments(a), _moments(b)
    df = n_a + n_b - 2.0
    squares = sum((n - 1) * var for n, var in ((n_a, var_a), (n_b, var_b)) if n != 1)
    variance = squares / df if df > 0 else math.nan
    return _team_test(mean_a - mean_b, math.sqrt(variance * (1 / n_a + 1 / n_b)), df, level)


def exact_permutation(values: ArrayLike, treated: ArrayLike, *, rng: np.random.Generator) -> Permutation:
    """Test the difference of means by re-assigning the teams to the arms.

    Parameters
    ----------
    values
        One number per team, usually its change.
    treated
        True for the teams of the pilot, same order.
    rng
        Source of the random assignments; used only where there are more than 200,000 of them.

    Returns
    -------
    Permutation
        Two-sided p-value, the smallest one that the design can give, and the number of assignments.

    Notes
    -----
    Fisher (1935), The Design of Experiments. The statistic is the difference of means; an
    assignment counts when its absolute value is at least the observed, ties included. With more than 200,000
    assignments 20,000 random ones and the observed are used (Phipson and Smyth, 2010).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> exact_permutation([12, 9, 11, 1, 2, 0, 3], [1, 1, 1, 0, 0, 0, 0], rng=rng)
    Permutation(pvalue=0.02857142857142857, smallest=0.02857142857142857, assignments=35)
    """
    x, chosen = np.asarray(values, dtype=float), np.asarray(treated, dtype=bool)
    n, k = len(x), int(chosen.sum())
    count = math.comb(n, k)
    # the difference of means is k (n - k) / n times smaller than this, the same for every assignment
    x = x - x.mean() if n else x
    observed = abs(x[chosen].sum())
    tolerance = 1e-9 * np.abs(x).sum()
    every = count <= ENUMERATED
    picked = _assignments(n, k) if every else rng.random((RANDOM_ASSIGNMENTS, n)).argsort(axis=1)[:, :k]
    extreme = int((np.abs(x[picked].sum(axis=1)) >= observed - tolerance).sum())
    if not every:
        count, extreme = RANDOM_ASSIGNMENTS + 1, extreme + 1
    return Permutation(extreme / count, smallest_pvalue(k, n - k), count)


def smallest_pvalue(a: int, b: int) -> float:
    """Smallest two-sided p-value that :func:`exact_permutation` can give for arms of ``a`` and ``b`` teams.

    Examples
    --------
    >>> round(smallest_pvalue(3, 3), 3), round(smallest_pvalue(3, 4), 3), smallest_pvalue(1, 26) > 0.03
    (0.1, 0.029, True)
    """
    count = math.comb(a + b, a)
    if count > ENUMERATED:
        return 1 / (RANDOM_ASSIGNMENTS + 1)
    # in equal arms an assignment and its mirror image are equally extreme
    return min(1.0, (2 if a == b else 1) / count)


def cluster_robust(
    values: ArrayLike,
    treated: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    parameters: int = 4,
    level: float = 0.95,
) -> TeamTest:
    """Difference in differences with a cluster-robust (CRV1) standard error.

    Parameters
    ----------
    values
        Shape (2 periods, clusters): the value of each cluster (a team, an agent) before and during the pilot.
    treated
        True for the clusters of the pilot.
    weights
        Same shape as ``values``: what each value stands for, e.g. its tickets; by default 1 each.
    parameters
        Coefficients that the small-sample correction counts: 4 for two arms in two periods.
    level
        Coverage of the interval.

    Returns
    -------
    TeamTest
        Change of the pilot minus change of the control, with clusters - 1 degrees of freedom; all but the
        effect is NaN when there is no standard error.

    Notes
    -----
    Liang and Zeger (1986), Biometrika 73:13-22, times G / (G - 1) * (N - 1) / (N - k), N = the sum of the
    weights. With few clusters it is too narrow: of pilots without effect 10 % were significant at 5 % by team
    and 20 % by agent where teams drift. For comparison only.

    Examples
    --------
    >>> before, during = [0.79, 0.82, 0.78, 0.80, 0.77], [0.91, 0.95, 0.80, 0.79, 0.80]
    >>> test = cluster_robust([before, during], [1, 1, 0, 0, 0])
    >>> print(f"{test.effect:.3f}, se {test.se:.3f}, p {test.pvalue:.4f}")
    0.112, se 0.014, p 0.0014
    """
    y, chosen = np.asarray(values, dtype=float), np.asarray(treated, dtype=bool)
    w = np.ones_like(y) if weights is None else np.asarray(weights, dtype=float)
    effect, pull = 0.0, np.zeros(y.shape[1])
    for sign, arm in ((1, chosen), (-1, ~chosen)):
        total = w[:, arm].sum(axis=1, keepdims=True)
        if not total.all():
            return _team_test(math.nan, math.nan, math.nan, level)
        share = w[:, arm] / total
        mean = (share * y[:, arm]).sum(axis=1, keepdims=True)
        effect += sign * float(np.diff(mean, axis=0).item())
        pull[arm] = np.diff(share * (y[:, arm] - mean), axis=0)[0]
    clusters, n = len(chosen), float(w.sum())
    spare = (clusters - 1) * (n - parameters)
    correction = clusters * (n - 1) / spare if spare > 0 else math.nan
    return _team_test(effect, math.sqrt(correction * float(pull @ pull)), clusters - 1.0, level)


def wild_cluster_bootstrap(
    changes: ArrayLike, treated: ArrayLike, *, rng: np.random.Generator
) -> WildBootstrap:
    """Test the difference of mean changes by a wild cluster bootstrap with the null imposed.

    Parameters
    ----------
    changes
        One change per unit, during minus before.
    treated
        True for the units of the pilot, same order.
    rng
        Source of the random signs; used only where there are more than 16 units.

    Returns
    -------
    WildBootstrap
        t with the CRV1 standard error, two-sided p-value and number of sign vectors; NaN without units in
        both arms.

    Notes
    -----
    Cameron, Gelbach and Miller (2008), Review of Economics and Statistics 90:414-427: Rademacher signs per
    unit, times the residuals under no effect. In a panel of two periods those come down to the changes about
    their common mean. Ties count as extreme. With one or two pilot units it cannot be trusted (MacKinnon and
    Webb 2017, Journal of Applied Econometrics 32:233-254).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> wild_cluster_bootstrap([12, 9, 11, 1, 2, 0, 3], [1, 1, 1, 0, 0, 0, 0], rng=rng).draws
    128
    """
    x, chosen = np.asarray(changes, dtype=float), np.asarray(treated, dtype=bool)
    n = len(x)
    if not chosen.any() or chosen.all():
        return WildBootstrap(math.nan, math.nan, 0)
    residual = x - x.mean()
    every = n <= ENUMERATED_UNITS
    if every:
        # a sign vector and its mirror image have the same |t|: half of them will do
        signs = 1.0 - 2.0 * ((np.arange(2 ** (n - 1))[:, None] >> np.arange(n)) & 1)
    else:
        signs = rng.choice([-1.0, 1.0], size=(RANDOM_SIGNS, n))
    t = _crv1_t(np.vstack([residual, signs * residual]), chosen)
    # ties, a t of 0 among them, must survive rounding
    extreme = int((np.abs(t[1:]) >= abs(t[0]) * (1 - 1e-9) - 1e-9).sum())
    if every:
        return WildBootstrap(float(t[0]), 2 * extreme / 2**n, 2**n)
    return WildBootstrap(float(t[0]), (extreme + 1) / (RANDOM_SIGNS + 1), RANDOM_SIGNS + 1)


def _crv1_t(changes: Floats, treated: NDArray[np.bool_]) -> Floats:
    """Effect over its CRV1 standard error, of each row of changes."""
    effect, variance = np.zeros(len(changes)), np.zeros(len(changes))
    for sign, arm in ((1, treated), (-1, ~treated)):
        mean = changes[:, arm].mean(axis=1)
        effect += sign * mean
        variance += ((changes[:, arm] - mean[:, None]) ** 2).sum(axis=1) / arm.sum() ** 2
    n = len(treated)
    # two values a unit, four coefficients
    variance *= n / (n - 1) * (2 * n - 1) / (2 * n - 4)
    return np.divide(effect, np.sqrt(variance), out=np.copysign(np.inf, effect), where=variance > 0)


@lru_cache(maxsize=8)
def _assignments(n: int, k: int) -> NDArray[np.intp]:
    """Every choice of ``k`` of ``n`` teams, one a row; kept because all metrics of a pilot need the same."""
    flat: Any = itertools.chain.from_iterable(itertools.combinations(range(n), k))
    return np.fromiter(flat, dtype=np.intp, count=math.comb(n, k) * k).reshape(math.comb(n, k), k)


def _moments(values: ArrayLike) -> tuple[float, float, float]:
    """Mean, variance and number; what cannot be had is NaN."""
    x = np.asarray(values, dtype=float)
    n = len(x)
    return float(x.mean()) if n else math.nan, float(x.var(ddof=1)) if n > 1 else math.nan, n or math.nan


def _team_test(effect: float, se: float, df: float, level: float) -> TeamTest:
    t = effect / se if se else math.copysign(math.inf, effect) if effect else 0.0
    half = float(stdtrit(df, 0.5 + level / 2)) * se
    return TeamTest(effect, se, df, t, 2 * float(stdtr(df, -abs(t))), effect - half, effect + half)
