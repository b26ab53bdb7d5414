"""How often a pilot that does nothing gets a GO, and whether intervals hold the planted effects.

Runs the whole way (write, read, measure, evaluate) on seeded programmes::

    python benchmarks/false_go.py --seeds 200 --coverage-seeds 20

The promise: at most 5 in 200 for `null` and for `mix_shift`. `--shock-seeds` shows a regional shock beside:
one region is one draw, so no analysis of a one-region pilot can promise anything there.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from tqdm import tqdm

from csimprove.metrics import load_measures
from csimprove.pilot import PilotResult, pilot
from csimprove.samples import Variant, programme, write_sample
from csimprove.settings import read_settings


def evaluated(seed: int, variant: Variant) -> PilotResult:
    """Evaluate one programme through files as a user would have it."""
    with tempfile.TemporaryDirectory() as folder:
        settings = read_settings(write_sample(Path(folder), seed=seed, variant=variant))
        assert settings.pilot is not None
        measures = load_measures(settings)
        return pilot(measures, plan=settings.pilot, rng=np.random.default_rng(seed))


def verdicts(variant: Variant, seeds: int) -> None:
    """Print how often each verdict falls, and how often a co-primary's interval misses no effect."""
    counts: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for seed in tqdm(range(seeds), desc=variant):
        result = evaluated(seed, variant)
        counts[result.verdict] += 1
        for metric in result.metrics:
            if metric.ci_low is not None and metric.ci_high is not None:
                missed[metric.metric] += not metric.ci_low <= 0 <= metric.ci_high
    shares = ", ".join(f"{name} {count / seeds:.1%}" for name, count in sorted(missed.items()))
    print(f"{variant}: GO {counts['go']} of {seeds} ({dict(counts)}); intervals without zero: {shares}")


def coverage(seeds: int) -> None:
    """Print the share of planted effects inside their intervals."""
    inside: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for seed in tqdm(range(seeds), desc="standard"):
        result, planted = evaluated(seed, "standard"), programme(seed=seed).truth.effect
        counts[result.verdict] += 1
        for metric in result.metrics:
            effect = getattr(planted, metric.metric, None)
            if effect is not None and metric.ci_low is not None and metric.ci_high is not None:
                inside[metric.metric] += metric.ci_low <= effect <= metric.ci_high
    shares = ", ".join(f"{name} {count} of {seeds}" for name, count in sorted(inside.items()))
    print(f"standard: {dict(counts)}; planted effect inside the interval: {shares}")


def main() -> None:
    """Run what the options ask for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--coverage-seeds", type=int, default=20)
    parser.add_argument("--shock-seeds", type=int, default=0)
    options = parser.parse_args()
    if options.coverage_seeds:
        coverage(options.coverage_seeds)
    for variant in ("null", "mix_shift"):
        if options.seeds:
            verdicts(variant, options.seeds)
    if options.shock_seeds:
        verdicts("regional_shock", options.shock_seeds)


if __name__ == "__main__":
    main()
