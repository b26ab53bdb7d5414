"""How long things take while some are not over yet."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from csimprove.inference.rates import Floats

#: Durations are counted in bins: whole minutes below ``EXACT``, then ``PER_DOUBLING`` bins each time they
#: double, ``DOUBLINGS`` times (91 days); one last bin holds what is longer.
EXACT, PER_DOUBLING, DOUBLINGS = 32, 16, 12

#: Lower ends of the bins in minutes.
BIN_STARTS: Floats = np.concatenate(
    [
        np.arange(EXACT, dtype=float),
        EXACT * np.outer(2.0 ** np.arange(DOUBLINGS), 1 + np.arange(PER_DOUBLING) / PER_DOUBLING).ravel(),
        [EXACT * 2.0**DOUBLINGS],
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Survival:
    """Share that is not over after each time, by Kaplan and Meier.

    Parameters
    ----------
    starts, ends
        Bins of the durations; for exact times both are the times at which something ended.
    at_risk, events
        Number that could end in the bin (those censored in it count half) and number that did.
    survival, se
        Share not over at the end of the bin and its standard error (Greenwood).
    last
        Longest duration observed, ended or not.
    """

    starts: Floats
    ends: Floats
    at_risk: Floats
    events: Floats
    survival: Floats
    se: Floats
    last: float

    def quantile(self, share: float, *, level: float = 0.95) -> tuple[float, float, float]:
        """Duration within which a share is over: 0.5 the median, 0.9 the P90.

        Returns
        -------
        tuple of float
            Duration, lower and upper limit; infinite where the observation ends before.

        Notes
        -----
        Brookmeyer and Crowley (1982), Biometrics 38:29-41, with the log-log interval of the curve: the limits
        are where the limits of the curve reach ``1 - share``.
        """
        z = float(ndtri(0.5 + level / 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(self.survival)
            spread = z * self.se / (self.survival * -logs)
            low, high = (self.survival ** np.exp(sign * spread) for sign in (1, -1))
        # the log-log interval is not defined at 1 and 0
        edge = (self.survival >= 1) | (self.survival <= 0)
        low, high = np.where(edge, self.survival, low), np.where(edge, np.nan, high)
        high = np.fmin.accumulate(np.where(self.survival >= 1, 1.0, high))
        value, lower, upper = (self._reached(curve, 1 - share) for curve in (self.survival, low, high))
        return value, lower, upper

    def restricted_mean(self, horizon: float) -> tuple[float, float]:
        """Mean duration when each counts as at most ``horizon``, and its standard error.

        Returns
        -------
        tuple of float
            NaN when the observation ends before ``horizon`` and not all are over.

        Notes
        -----
        Area under the curve up to ``horizon`` (Irwin 1949); Greenwood's variance. Unlike a quantile it needs
        no tail beyond ``horizon``.
        """
        if self.last < horizon and (not len(self.survival) or self.survival[-1] > 0):
            return math.nan, math.nan
        inside = self.starts < horizon
        starts, ends = self.starts[inside], np.minimum(self.ends[inside], horizon)
        width = self.ends[inside] - starts
        part = np.divide(ends - starts, width, out=np.ones_like(width), where=width > 0)
        at_risk, events = self.at_risk[inside], part * self.events[inside]
        begin = np.concatenate([[1.0], self.survival[inside][:-1]]) if inside.any() else np.empty(0)
        end = begin * (1 - events / at_risk)
        level = np.diff(np.concatenate([starts, [horizon]]))
        flat = level - (ends - starts)
        area = (ends - starts) * (begin + end) / 2 + flat * end
        after = np.cumsum(area[::-1])[::-1] - (ends - starts) * begin / 2
        alive = at_risk - events
        ratio = np.divide(events, at_risk * alive, out=np.zeros_like(alive), where=alive > 0)
        lead = float(starts[0]) if len(starts) else horizon
        return lead + float(area.sum()), math.sqrt(float((after**2 * ratio).sum()))

    def _reached(self, curve: Floats, share: float) -> float:
        """First duration at which the curve is down to a share, on a straight line within a bin."""
        # a hair of rounding must not move a step
        down = np.flatnonzero(curve <= share + 1e-12)
        if not len(down):
            return math.inf
        first = int(down[0])
        begin = 1.0 if first == 0 else float(curve[first - 1])
        fall = begin - float(curve[first])
        part = (begin - share) / fall if fall > 0 else 1.0
        start, end = float(self.starts[first]), float(self.ends[first])
        return start + min(max(part, 0.0), 1.0) * (end - start)


def kaplan_meier(
    ends: ArrayLike, events: ArrayLike, censored: ArrayLike, *, starts: ArrayLike | None = None
) -> Survival:
    """Estimate how long things take when some are still open.

    Parameters
    ----------
    ends
        Durations, or the upper ends of the bins of grouped durations.
    events, censored
        How many were over at that duration (in that bin), and how many were open and only known to last
        longer.
    starts
        Lower ends of the bins, rising and without overlap; ``None``: ``ends`` are exact, in any order.

    Returns
    -------
    Survival
        The curve with ``quantile`` and ``restricted_mean``.

    Notes
    -----
    Kaplan and Meier (1958), Journal of the American Statistical Association 53:457-481; standard error by
    Greenwood (1926). In bins those censored count as at risk for half of it and the curve is a straight line
    (the life table).

    Examples
    --------
    Minutes of six tickets, of which the fourth and the last are still open:

    >>> curve = kaplan_meier([3, 5, 5, 6, 8, 9], [1, 1, 1, 0, 1, 0], [0, 0, 0, 1, 0, 1])
    >>> curve.survival.round(3).tolist()
    [0.833, 0.5, 0.5, 0.25, 0.25]
    >>> curve.quantile(0.5)[0]
    5.0
    >>> print("{:.2f}, se {:.2f}".format(*curve.restricted_mean(8)))
    6.17, se 0.80
    """
    moments, counts = np.asarray(ends, dtype=float), np.asarray([events, censored], dtype=float)
    if starts is None:
        moments, place = np.unique(moments, return_inverse=True)
        counts = np.array([np.bincount(place, part, len(moments)) for part in counts], dtype=float)
    over, still = counts
    begin = moments if starts is None else np.asarray(starts, dtype=float)
    left = (over + still)[::-1].cumsum()[::-1]
    at_risk = left if starts is None else left - still / 2
    keep = at_risk > 0
    begin, end, at_risk, over = begin[keep], moments[keep], at_risk[keep], over[keep]
    alive = at_risk - over
    survival = np.cumprod(alive / at_risk)
    variance = np.divide(over, at_risk * alive, out=np.zeros_like(alive), where=alive > 0).cumsum()
    return Survival(
        starts=begin,
        ends=end,
        at_risk=at_risk,
        events=over,
        survival=survival,
        se=survival * np.sqrt(variance),
        last=float(end[-1]) if len(end) else 0.0,
    )


@dataclass(frozen=True, slots=True)
class DurationSummary:
    """How long things take, from counts in bins.

    Parameters
    ----------
    n, events, censored
        Things counted; those that are over and those still open.
    median, median_low, median_high
        Minutes within which half are over, with its 95 % interval; NaN where the observation ends before.
    p90, p90_low, p90_high
        The same for 90 of 100.
    restricted_mean, mean_low, mean_high
        Mean minutes when each counts as at most ``horizon``, with its 95 % interval.
    horizon
        Minutes.
    """

    n: int
    events: int
    censored: int
    median: float
    median_low: float
    median_high: float
    p90: float
    p90_low: float
    p90_high: float
    restricted_mean: float
    mean_low: float
    mean_high: float
    horizon: float


def summarise(bins: ArrayLike, events: ArrayLike, censored: ArrayLike, *, horizon: float) -> DurationSummary:
    """Summarise durations counted in bins, open ones included.

    Parameters
    ----------
    bins
        Places in `BIN_STARTS`, rising, each at most once.
    events, censored
        How many were over, and how many were still open, at that duration.
    horizon
        Minutes at which the restricted mean stops counting.

    Returns
    -------
    DurationSummary
        Median, P90 and restricted mean by :func:`kaplan_meier`, straight lines within bins. The intervals
        take the things counted as independent.

    Examples
    --------
    Four tickets answered after 3, 5, 5 and 20 minutes, one still open after 8:

    >>> found = summarise([3, 5, 8, 20], [1, 2, 0, 1], [0, 0, 1, 0], horizon=60)
    >>> found.n, found.censored, round(found.median, 2), round(found.restricted_mean, 2)
    (5, 1, 5.75, 11.1)
    """
    place = np.asarray(bins, dtype=int)
    over, still = np.asarray(events, dtype=float), np.asarray(censored, dtype=float)
    longer = place == len(BIN_STARTS) - 1
    curve = kaplan_meier(
        np.append(BIN_STARTS, BIN_STARTS[-1])[place + 1],
        np.where(longer, 0, over),
        # of what ends in the last bin only that it lasts longer is known
        np.where(longer, over + still, still),
        starts=BIN_STARTS[place],
    )
    median, p90 = (
        [value if math.isfinite(value) else math.nan for value in curve.quantile(share)]
        for share in (0.5, 0.9)
    )
    mean, se = curve.restricted_mean(horizon)
    spread = float(ndtri(0.975)) * se
    ended, opened = int(over.sum()), int(still.sum())
    return DurationSummary(
        *(ended + opened, ended, opened),
        *(median[0], median[1], median[2]),
        *(p90[0], p90[1], p90[2]),
        *(mean, mean - spread, mean + spread, horizon),
    )
