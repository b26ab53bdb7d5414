"""How far people who judge the same things agree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csimprove.inference.rates import Floats

#: Draws of the bootstrap interval.
DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement on nominal codes.

    Parameters
    ----------
    units
        Things that at least two people coded; only they tell anything.
    codes
        Codes given to them.
    raw
        Share of the pairs of codes on one thing that are equal.
    alpha
        Krippendorff's alpha: 1 is full agreement, 0 what chance alone gives; ``None`` where it is not
        defined, because only one code was ever used.
    ci_low, ci_high
        95 % bootstrap interval of alpha; ``None`` where more than half of the draws have no alpha.
    """

    units: int
    codes: int
    raw: float | None
    alpha: float | None
    ci_low: float | None
    ci_high: float | None


def agreement(
    codes: Sequence[Sequence[str | None]], *, rng: np.random.Generator, level: float = 0.95
) -> Agreement:
    """Compute raw agreement and Krippendorff's alpha for nominal codes, missing ones allowed.

    Parameters
    ----------
    codes
        One row a thing, one column a coder; ``None`` where a coder gave no code.
    rng
        Draws of the bootstrap.
    level
        Coverage wanted.

    Returns
    -------
    Agreement
        Over the things with at least two codes.

    Notes
    -----
    Krippendorff (2011), Computing Krippendorff's Alpha-Reliability: alpha = 1 - observed / expected
    disagreement, both from coincidences, in which a thing with m codes counts each pair 1 / (m - 1). The
    interval is the percentile one over things drawn anew, not Krippendorff's own resampling of pairs.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> found = agreement([("a", "a"), ("a", "a"), ("b", "b"), ("b", "a"), ("a", None)], rng=rng)
    >>> found.units, found.raw, round(found.alpha, 3)
    (4, 0.75, 0.533)
    """
    kept = [given for row in codes if len(given := [code for code in row if code is not None]) > 1]
    names = {name: place for place, name in enumerate(sorted({code for row in kept for code in row}))}
    counts = np.zeros((len(kept), len(names)))
    for place, row in enumerate(kept):
        for code in row:
            counts[place, names[code]] += 1
    made = counts.sum(axis=1)
    # of each thing: codes that differ from their pair, counted so that a thing weighs its number of codes
    unequal = made - (counts * (counts - 1)).sum(axis=1) / np.maximum(made - 1, 1)
    every = _alpha(counts.sum(axis=0), float(made.sum()), float(unequal.sum()))
    draws = []
    for _ in range(DRAWS if len(kept) > 1 and every is not None else 0):
        weight = np.bincount(rng.integers(len(kept), size=len(kept)), minlength=len(kept))
        draws.append(_alpha(weight @ counts, float(weight @ made), float(weight @ unequal)))
    there = [draw for draw in draws if draw is not None]
    low, high = math.nan, math.nan
    if len(there) > len(draws) / 2:
        low, high = np.quantile(there, [0.5 - level / 2, 0.5 + level / 2])
    total = float(made.sum())
    return Agreement(
        units=len(kept),
        codes=int(total),
        raw=1 - float(unequal.sum()) / total if total else None,
        alpha=every,
        ci_low=None if math.isnan(low) else float(low),
        ci_high=None if math.isnan(high) else float(high),
    )


def _alpha(totals: Floats, n: float, unequal: float) -> float | None:
    expected = n * n - float((totals**2).sum())
    return 1 - (n - 1) * unequal / expected if expected > 0 else None
