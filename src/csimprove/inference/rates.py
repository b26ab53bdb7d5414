"""Intervals and tests on rates: of one, of the difference of two, and over strata."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, gammaincinv, ndtri

Floats = NDArray[np.float64]


def wilson(k: ArrayLike, n: ArrayLike, *, level: float = 0.95) -> tuple[Floats, Floats]:
    """Wilson's score interval of a rate.

    Parameters
    ----------
    k, n
        Successes and trials, numbers or arrays.
    level
        Coverage wanted.

    Returns
    -------
    tuple of arrays
        Lower and upper limits, 0-1; NaN where ``n`` is 0.

    Notes
    -----
    Wilson (1927); method 3 of Newcombe (1998), Statistics in Medicine 17:857-872. Trials are
    taken as independent.

    Examples
    --------
    >>> low, high = wilson(81, 263)
    >>> print(f"{low:.4f} {high:.4f}")
    0.2553 0.3662
    """
    k, n = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
    z2 = float(ndtri(0.5 + level / 2)) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        center = (k + z2 / 2) / (n + z2)
        half = np.sqrt(z2 * (k * (n - k) / n + z2 / 4)) / (n + z2)
    # rounding would leave 1e-17 where the limit is exactly 0 or 1
    low = np.where(k == 0, np.where(n > 0, 0.0, np.nan), center - half)
    return low, np.where((k == n) & (n > 0), 1.0, center + half)


def poisson_interval(k: ArrayLike, *, level: float = 0.95) -> tuple[Floats, Floats]:
    """Exact interval of the expected number of events.

    Parameters
    ----------
    k
        Events counted, a number or an array.
    level
        Coverage wanted, at least.

    Returns
    -------
    tuple of arrays
        Lower and upper limits.

    Notes
    -----
    Garwood (1936), Biometrika 28:437-442. Events are taken as independent.

    Examples
    --------
    >>> low, high = poisson_interval(10)
    >>> print(f"{low:.4f} {high:.4f}")
    4.7954 18.3904
    """
    k = np.asarray(k, dtype=float)
    tail = (1 - level) / 2
    low = np.where(k > 0, gammaincinv(np.maximum(k, 1), tail), 0.0)
    return low, np.asarray(gammaincinv(k + 1, 1 - tail), dtype=float)


def binomial_below(k: int, n: int, threshold: float) -> float:
    """Compute the one-sided exact p-value that the true rate is below ``threshold``.

    Parameters
    ----------
    k, n
        Successes and trials.
    threshold
        Rate to be below of, 0-1.

    Returns
    -------
    float
        Chance of ``k`` or fewer successes if the true rate were ``threshold``.

    Examples
    --------
    Of 100 audited tickets, 84 on time are evidence against 90 %, 85 are not:

    >>> [k for k in (83, 84, 85, 86) if binomial_below(k, 100, 0.9) <= 0.05]
    [83, 84]
    """
    return float(bdtr(k, n, threshold))


def newcombe(
    k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike, *, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Interval of the difference of two independent rates, from their Wilson limits.

    Parameters
    ----------
    k1, n1, k2, n2
        Successes and trials of the first and of the second group, numbers or arrays.
    level
        Coverage wanted.

    Returns
    -------
    tuple of arrays
        Limits of ``k1 / n1 - k2 / n2``, from -1 to 1; NaN where a group has no trial.

    Notes
    -----
    Method 10 of Newcombe (1998), Statistics in Medicine 17:873-890. Trials are taken as independent: on
    tickets, which teams and agents share, it is too narrow.

    Examples
    --------
    >>> low, high = newcombe(56, 70, 48, 80)
    >>> print(f"{low:.4f} {high:.4f}")
    0.0524 0.3339
    """
    k1, n1, k2, n2 = (np.asarray(part, dtype=float) for part in (k1, n1, k2, n2))
    (low1, high1), (low2, high2) = wilson(k1, n1, level=level), wilson(k2, n2, level=level)
    with np.errstate(invalid="ignore"):
        p1, p2 = k1 / n1, k2 / n2
    low = p1 - p2 - np.hypot(p1 - low1, high2 - p2)
    return low, p1 - p2 + np.hypot(high1 - p1, p2 - low2)


def score_difference(
    k1: ArrayLike,
    n1: ArrayLike,
    k2: ArrayLike,
    n2: ArrayLike,
    *,
    level: float = 0.95,
    variant: Literal["mee", "miettinen_nurminen"] = "miettinen_nurminen",
) -> tuple[Floats, Floats]:
    """Score interval of the difference of two independent rates.

    Parameters
    ----------
    k1, n1, k2, n2
        Successes and trials of the first and of the second group, numbers or arrays.
    level
        Coverage wanted.
    variant
        ``"miettinen_nurminen"`` multiplies the variance by n / (n - 1), n = both groups; ``"mee"`` does not.

    Returns
    -------
    tuple of arrays
        Limits of ``k1 / n1 - k2 / n2``: the differences that the score test does not reject.

    Notes
    -----
    Mee (1984), Biometrics 40:1175-1176; Miettinen and Nurminen (1985), Statistics in Medicine 4:213-226. The
    rates under a difference are the maximum likelihood ones, by the closed solution of the cubic.

    Examples
    --------
    >>> low, high = score_difference(56, 70, 48, 80)
    >>> print(f"{low:.4f} {high:.4f}")
    0.0528 0.3382
    """
    k1, n1, k2, n2 = np.broadcast_arrays(*(np.asarray(part, dtype=float) for part in (k1, n1, k2, n2)))
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = k1 / n1 - k2 / n2
        inflation = (n1 + n2) / (n1 + n2 - 1) if variant == "miettinen_nurminen" else np.ones_like(observed)
    limit = float(ndtri(0.5 + level / 2)) ** 2 * inflation

    def kept(difference: Floats) -> NDArray[np.bool_]:
        p1, p2 = _constrained(k1, n1, k2, n2, difference)
        # multiplied out, so that no trial divides by 0: NaN is never kept and stays NaN
        spread = p1 * (1 - p1) * n2 + p2 * (1 - p2) * n1
        return np.asarray((observed - difference) ** 2 * n1 * n2 <= limit * spread)

    return _edge(kept, observed, -np.ones_like(observed)), _edge(kept, observed, np.ones_like(observed))


def mantel_haenszel_difference(
    k1: ArrayLike, n1: ArrayLike, k2: ArrayLike, n2: ArrayLike, *, level: float = 0.95
) -> tuple[float, float, float, float]:
    """Difference of two rates over strata, weighted as Mantel and Haenszel do.

    Parameters
    ----------
    k1, n1, k2, n2
        Successes and trials of the first and of the second group, one per stratum. Strata in which a group
        has no trial do not count.
    level
        Coverage wanted.

    Returns
    -------
    tuple of float
        Difference, its standard error, lower and upper limit.

    Notes
    -----
    Sato (1989), Biometrics 45:1323-1324: the standard error holds for few large and for many small strata.
    Trials are taken as independent.

    Examples
    --------
    Admissions to two departments: the second group applied where few are admitted.

    >>> print("{:.3f} {:.3f} ({:.3f} to {:.3f})".format(
    ...     *mantel_haenszel_difference([512, 22], [825, 373], [89, 24], [108, 341])))
    -0.078 0.020 (-0.117 to -0.040)
    """
    k1, n1, k2, n2 = (np.asarray(part, dtype=float) for part in (k1, n1, k2, n2))
    # a stratum with one group alone adds nothing below; an empty one would divide by 0
    n = np.maximum(n1 + n2, 1.0)
    weight = (n1 * n2 / n).sum()
    if not weight:
        return (math.nan,) * 4
    effect = float(((k1 * n2 - k2 * n1) / n).sum() / weight)
    uneven = ((n1**2 * k2 - n2**2 * k1 + n1 * n2 * (n2 - n1) / 2) / n**2).sum()
    spread = ((k1 * (n2 - k2) + k2 * (n1 - k1)) / (2 * n)).sum()
    se = float(np.sqrt(effect * uneven + spread) / weight)
    half = float(ndtri(0.5 + level / 2)) * se
    return effect, se, effect - half, effect + half


def _constrained(k1: Floats, n1: Floats, k2: Floats, n2: Floats, difference: Floats) -> tuple[Floats, Floats]:
    """Most likely rates that lie so far apart: a root of Miettinen and Nurminen's cubic."""
    n, k = n1 + n2, k1 + k2
    square = (difference * (n1 + 2 * n2) - n - k) / n
    linear = (difference * (n2 * difference - n - 2 * k2) + k) / n
    constant = k2 * difference * (1 - difference) / n
    q = square**3 / 27 - square * linear / 6 + constant / 2
    p = np.sqrt(np.maximum(square**2 / 9 - linear / 3, 0.0)) * np.where(q < 0, -1.0, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        angle = np.arccos(np.clip(np.nan_to_num(q / p**3), -1.0, 1.0))
    p2 = np.clip(2 * p * np.cos((np.pi + angle) / 3) - square / 3, 0.0, 1.0)
    return np.clip(p2 + difference, 0.0, 1.0), p2


def _edge(kept: Callable[[Floats], NDArray[np.bool_]], inside: Floats, outside: Floats) -> Floats:
    """Where what is kept ends, between a point inside and the end of the scale, by bisection."""
    for _ in range(50):
        middle = (inside + outside) / 2
        good = kept(middle)
        inside, outside = np.where(good, middle, inside), np.where(good, outside, middle)
    return outside


def holm(pvalues: ArrayLike) -> Floats:
    """Correct p-values for their number, step by step from the smallest.

    Parameters
    ----------
    pvalues
        One per hypothesis.

    Returns
    -------
    array
        Corrected p-values, same order.

    Notes
    -----
    Holm (1979), Scandinavian Journal of Statistics 6:65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(pvalues, dtype=float)
    order = p.argsort()
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return corrected
