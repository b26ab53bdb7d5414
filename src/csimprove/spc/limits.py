"""Centre line and limits of one phase."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csimprove.spc.result import Kind

Floats = NDArray[np.float64]

#: Mean moving range of two normal points / their sigma. The exact constant differs by 0.05 %; the published
#: 2.66 is 3 / 1.128.
D2 = 1.128
#: Upper limit of the moving range / its mean (Montgomery, appendix VI).
D4 = 3.267
#: Share of the units at either end whose standardised values are pulled in before dispersion is estimated.
WINSORISED = 0.1

#: Charts of counts, whose points have limits of their own.
COUNTS: tuple[Kind, ...] = ("p", "p_laney", "u", "u_laney", "funnel")


@dataclass(frozen=True, slots=True)
class Fit:
    """What one phase says of the process.

    Parameters
    ----------
    center
        Centre line.
    sigma
        Of one value; for counts of a value with denominator 1. NaN: cannot be had.
    sigma_z
        Dispersion included in ``sigma``, ``None`` where it is not measured.
    mean_range, screened
        Mean moving range, and how many ranges were left out of it as too wide.
    """

    center: float
    sigma: float
    sigma_z: float | None = None
    mean_range: float = np.nan
    screened: int = 0


def fit(kind: Kind, numerator: Floats, denominator: Floats, *, screen_ranges: bool = False) -> Fit:
    """Estimate centre line and sigma of one kind of chart from the points of one phase.

    Parameters
    ----------
    kind
        Kind of chart; ``funnel`` takes rates of units.
    numerator, denominator
        The points that count, in order, none missing.
    screen_ranges
        XmR and EWMA: leave moving ranges of 3.267 times their mean and more out, once.

    Returns
    -------
    Fit
        All NaN without a point.

    Notes
    -----
    Counts: centre = pooled rate c; sigma = sqrt(c (1 - c)) for p and funnel, sqrt(c) for u. Laney (2002):
    times sigma_z, the mean moving range of the values standardised by their own sigma / 1.128. Funnel
    (Spiegelhalter 2005, Statistics in Medicine 24:1185): times the root mean square of the
    standardised values, winsorised at 10 %, if above 1. Values: centre = mean, sigma = mean
    moving range / 1.128. Run chart: centre = median, no sigma.

    Examples
    --------
    >>> found = fit("p_laney", np.array([12.0, 15, 8, 10]), np.full(4, 50.0))
    >>> print(f"{found.center:.3f} {found.sigma_z:.3f}")
    0.225 1.201
    """
    if not len(numerator):
        return Fit(np.nan, np.nan)
    value = numerator / denominator
    if kind == "run":
        return Fit(float(np.median(value)), np.nan)
    if kind not in COUNTS:
        ranges, screened = moving_ranges(value), 0
        mean_range = float(ranges.mean()) if len(ranges) else np.nan
        if screen_ranges and len(ranges):
            kept = ranges[ranges < D4 * mean_range] if mean_range else ranges
            screened, mean_range = len(ranges) - len(kept), float(kept.mean())
        return Fit(float(value.mean()), mean_range / D2, None, mean_range, screened)
    center = float(numerator.sum() / denominator.sum())
    by_chance = float(np.sqrt(center if kind.startswith("u") else max(center * (1 - center), 0)))
    if kind in ("p", "u") or not by_chance:
        return Fit(center, by_chance)
    standardised = (value - center) / by_chance * np.sqrt(denominator)
    if kind == "funnel":
        low, high = np.quantile(standardised, [WINSORISED, 1 - WINSORISED])
        sigma_z = max(1.0, float(np.sqrt(np.mean(np.clip(standardised, low, high) ** 2))))
    elif len(value) > 1:
        sigma_z = float(moving_ranges(standardised).mean()) / D2
    else:
        return Fit(center, np.nan)
    return Fit(center, by_chance * sigma_z, sigma_z)


def moving_ranges(value: Floats) -> Floats:
    """Return the absolute differences of successive values."""
    return np.abs(np.diff(value))


def smoothed(value: Floats, start: float, *, weight: float) -> Floats:
    """Return the exponentially weighted moving average that starts at ``start``; NaN is carried through.

    Examples
    --------
    >>> smoothed(np.array([9.45, 7.99]), 10, weight=0.1)
    array([9.945 , 9.7495])
    """
    result = np.full(len(value), np.nan)
    last = start
    for place, point in enumerate(value.tolist()):
        if not math.isnan(point):
            result[place] = last = weight * point + (1 - weight) * last
    return result


def smoothed_spread(there: NDArray[np.bool_], *, weight: float) -> Floats:
    """Return the sigma of the moving average, in sigmas of a value, by the number of points so far."""
    count = np.cumsum(there)
    return np.asarray(np.sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * count))))


def levelled(residual: Floats) -> Floats:
    """Return residuals without their one largest shift: each part around its own mean.

    Neighbours in a series with a shift resemble each other too; that is a signal to be seen, no reason to
    look away.

    Examples
    --------
    >>> levelled(np.array([0.0, 1, 5, 6]))
    array([-0.5,  0.5, -0.5,  0.5])
    """
    there = np.flatnonzero(~np.isnan(residual))
    if len(there) < 3:
        return residual
    known = residual[there]
    before = np.arange(1, len(known))
    sums = np.cumsum(known)
    left, right = sums[:-1] / before, (sums[-1] - sums[:-1]) / before[::-1]
    most = int(np.argmax((left - right) ** 2 * before * before[::-1]))
    level = np.where(np.arange(len(residual)) < there[most + 1], left[most], right[most])
    return np.asarray(residual - level)


def autocorrelation(residual: Floats, lag: int) -> float | None:
    """Return the correlation of a series around 0 with itself ``lag`` points before.

    Missing points make no pair; ``None`` with fewer than 12 pairs or a constant series.

    Examples
    --------
    >>> round(autocorrelation(np.tile([1.0, -1.0], 10), 1), 2)
    -0.95
    """
    there = ~np.isnan(residual)
    known = np.where(there, residual, 0)
    square = float(known @ known)
    if (there[lag:] & there[:-lag]).sum() < 12 or square < 1e-12:
        return None
    return float(known[lag:] @ known[:-lag] / square)
