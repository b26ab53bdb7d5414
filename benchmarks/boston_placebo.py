"""How often does a pilot that never was look like one: random neighbourhoods of Boston as "pilot", June 2015.

Usage: ``python benchmarks/boston_placebo.py tests/settings/boston.toml``. The settings name the city's file
of requests, which is not part of the project.

In each of 2,000 draws five of the neighbourhoods with at least 20 decided cases in each half of the month are
taken as the pilot, the others as control, and the two halves as before and during. Nothing happened in the
middle of June, so every "effect" is a false alarm; 5 % of them are allowed. The metric is resolution on time
by the city's own due times.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from csimprove.metrics import Measures, load_measures
from csimprove.pilot.effects import Sums, estimate
from csimprove.settings import Calendar, read_settings

METRIC = "resolution_on_time"
SECOND_HALF = "2015-06-16"
CASES = 20
PILOTS = 5
LEVEL = 0.05


def boston_measures(file: Path, folder: Path) -> Measures:
    """Return the city's measures by local day."""
    settings = read_settings(file)
    zone = Calendar(zone=settings.source.zone)
    return load_measures(settings.model_copy(update={"calendar": zone}), folder=folder)


def neighbourhoods(measures: Measures) -> Sums:
    """Return the sums of every neighbourhood that takes part, by half of the month and channel."""
    rows = measures.pooled("day", "region", "channel", metrics=(METRIC,))
    rows = rows[rows["region"] != ""]
    rows = rows.assign(half=(rows["day"] >= SECOND_HALF).astype(int))
    region, channel = (rows[name].astype("category").cat for name in ("region", "channel"))
    place = rows["half"], region.codes, channel.codes
    shape = 2, len(region.categories), len(channel.categories)
    cubes = []
    for column in ("numerator", "denominator", "undecided"):
        cubes.append(np.zeros(shape))
        np.add.at(cubes[-1], place, rows[column])
    kept = (cubes[1].sum(axis=2) >= CASES).all(axis=0)
    numerator, decided, undecided = (cube[:, kept] for cube in cubes)
    return Sums(measures.metric(METRIC), numerator, decided, undecided, np.zeros(kept.sum(), dtype=bool))


def placebo(sums: Sums, *, draws: int, rng: np.random.Generator) -> dict[str, float]:
    """Return the share of draws in which each analysis finds an effect.

    ``team`` is the analysis of the product: the Welch interval of the standardised effect excludes 0 and the
    exact permutation p-value is at most 0.05 (``interval`` and ``permutation`` alone beside). ``tickets`` and
    ``tickets_after`` are z-tests on tickets: on the difference in differences, and of the second half alone.
    """
    found = dict.fromkeys(("team", "interval", "permutation", "tickets", "tickets_after"), 0)
    for _ in range(draws):
        treated = np.zeros(len(sums.treated), dtype=bool)
        treated[rng.choice(len(treated), PILOTS, replace=False)] = True
        result = estimate(replace(sums, treated=treated), basis="standardised", rng=rng)
        interval = not result.test.ci_low <= 0 <= result.test.ci_high
        permutation = result.permutation.pvalue <= LEVEL
        change, after = _ticket_level(sums, treated)
        for name, hit in (
            ("team", interval and permutation),
            ("interval", interval),
            ("permutation", permutation),
            ("tickets", abs(change) > 1.96),
            ("tickets_after", abs(after) > 1.96),
        ):
            found[name] += hit
    return {name: count / draws for name, count in found.items()}


def _ticket_level(sums: Sums, treated: NDArray[np.bool_]) -> tuple[float, float]:
    """Return z of the difference in differences and of the second half, as if tickets were independent."""
    arms = [
        (sums.numerator[:, chosen].sum(axis=(1, 2)), sums.decided[:, chosen].sum(axis=(1, 2)))
        for chosen in (treated, ~treated)
    ]
    (pilot, n_pilot), (control, n_control) = ((k / n, n) for k, n in arms)
    variance = pilot * (1 - pilot) / n_pilot + control * (1 - control) / n_control
    gap = pilot - control
    pooled = sum(k[1] for k, _ in arms) / sum(n[1] for _, n in arms)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n_pilot[1] + 1 / n_control[1]))
    return float((gap[1] - gap[0]) / np.sqrt(variance.sum())), float(gap[1] / error)


def main() -> None:
    """Print one line an analysis."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", type=Path)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=2015)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sums = neighbourhoods(boston_measures(options.settings, Path(folder)))
    print(f"{len(sums.treated)} neighbourhoods, {options.draws} draws of {PILOTS}")
    for name, share in placebo(sums, draws=options.draws, rng=np.random.default_rng(options.seed)).items():
        print(f"{name:14} {share:6.1%}")


if __name__ == "__main__":
    main()
