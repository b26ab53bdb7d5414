"""Bounds for looking more than once while the whole keeps its false alarm rate."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri, roots_legendre, stdtrit

from csimprove.inference.rates import Floats

Spending = Literal["obrien_fleming", "pocock"]

#: Looks with less new information than this are no looks: nothing was learnt.
_NEWS = 1 / 2000

#: Beyond this many standard deviations nothing is left to integrate.
_FAR = 8.5


def spending_bounds(
    information: ArrayLike, *, alpha: float = 0.05, kind: Spending = "obrien_fleming"
) -> Floats:
    """Bounds of |z| at each look that together spend ``alpha``.

    Parameters
    ----------
    information
        Information at each look as a share of the planned one, not falling: what past looks had and what the
        later ones are planned to have. The last entry is the last look; it spends what is left, whatever its
        information. Earlier looks without new information get no bound (infinity).
    alpha
        Two-sided false alarm rate of all looks together.
    kind
        ``"obrien_fleming"`` spends almost nothing early, ``"pocock"`` about evenly.

    Returns
    -------
    array
        One bound per look; the bound of a look does not depend on the looks after it.

    Notes
    -----
    Lan and DeMets (1983), Biometrika 70:659-663; symmetric, ``alpha / 2`` on each side, by the recursive
    integration of Armitage, McPherson and Rowe (1969). One side of the bounds is a one-sided test at
    ``alpha / 2``.

    Examples
    --------
    >>> spending_bounds([0.25, 0.5, 0.75, 1]).round(3).tolist()
    [4.333, 2.963, 2.359, 2.014]
    """
    shares = np.asarray(information, dtype=float)
    spent = _spent(np.clip(shares, 0.0, 1.0), alpha / 2, kind)
    spent[-1:] = alpha / 2
    walk, bounds, before = _Walk(), np.full(len(shares), np.inf), 0.0
    for look, share in enumerate(shares):
        last = look == len(shares) - 1
        if share < walk.time + _NEWS and not last:
            continue
        walk.advance(max(share, walk.time + _NEWS))
        level = walk.bound(spent[look] - before)
        bounds[look] = level / math.sqrt(walk.time)
        if not last:
            walk.stop_beyond(level)
        before = spent[look]
    return bounds


def nominal_t(z: ArrayLike, df: ArrayLike) -> Floats:
    """Value of |t| with the same nominal two-sided p-value as ``z``.

    Parameters
    ----------
    z
        Bound of a normal statistic, positive.
    df
        Degrees of freedom of t.

    Returns
    -------
    array
        Bound of the t statistic.

    Examples
    --------
    >>> nominal_t([4.333, 2.963, 2.359, 2.014], 18).round(2).tolist()
    [5.87, 3.42, 2.59, 2.17]
    """
    bound: Floats = np.abs(stdtrit(np.asarray(df, dtype=float), ndtr(-np.asarray(z, dtype=float))))
    return bound


def normal_tail(z: float) -> float:
    """Chance that a standard normal value lies above ``z``: the one-sided nominal p-value of a bound.

    Examples
    --------
    >>> round(normal_tail(1.96), 3)
    0.025
    """
    return float(ndtr(-z))


def _spent(shares: Floats, alpha: float, kind: Spending) -> Floats:
    """One-sided false alarm rate spent up to each share of information."""
    if kind == "pocock":
        return alpha * np.log1p((math.e - 1) * shares)
    with np.errstate(divide="ignore"):
        return np.asarray(2 * ndtr(ndtri(alpha / 2) / np.sqrt(shares)))


class _Walk:
    """Density of a Brownian motion that has not been stopped, on Gauss-Legendre nodes.

    ``mass`` is density times weight; at time 0 all of it lies at 0.
    """

    def __init__(self) -> None:
        self.time = 0.0
        self.nodes, self.mass, self.step = np.zeros(1), np.ones(1), 0.0

    def advance(self, time: float) -> None:
        """Go on to a later time: what is asked next is asked there."""
        self.step, self.time = time - self.time, time

    def beyond(self, bound: float) -> float:
        """Chance of being above ``bound`` now."""
        return float(self.mass @ ndtr((self.nodes - bound) / math.sqrt(self.step)))

    def bound(self, chance: float) -> float:
        """Level above which the walk is with that chance."""
        low, high = 0.0, 2 * _FAR * math.sqrt(self.time)
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self.beyond(middle) > chance else (low, middle)
        return high

    def stop_beyond(self, bound: float) -> None:
        """Stop the walks that are beyond ``bound`` on either side."""
        end = min(bound, _FAR * math.sqrt(self.time))
        # a narrow step needs close nodes
        points, weights = roots_legendre(64 + int(6 * end / math.sqrt(self.step)))
        nodes = end * points
        gap = (nodes[:, None] - self.nodes) / math.sqrt(self.step)
        density = np.exp(-(gap**2) / 2) @ self.mass / math.sqrt(2 * math.pi * self.step)
        self.nodes, self.mass = nodes, end * weights * density
