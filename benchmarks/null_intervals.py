"""Do intervals of a pilot that does nothing hold zero: many sample programmes, counted without files.

    python benchmarks/null_intervals.py

The full way (``benchmarks/false_go.py``) affords 200 programmes, and chance spreads 5 % over 2 to 8 % of
them. Here the same programmes are drawn, their response on time is summed by team and stratum as a reading
of the file would, and the product's standardisation and Welch interval are applied.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd

from csimprove import inference
from csimprove.pilot.effects import ratio, standardised
from csimprove.samples import _SALT, TICKETS
from csimprove.samples.process import draw_outcomes
from csimprove.samples.stream import DAY, Variant, draw_stream, settings

Row = dict[str, tuple[float, float, bool]]


def one(task: tuple[int, Variant]) -> Row:
    """Return effect, standard error and whether the interval misses zero, standardised and crude."""
    seed, variant = task
    rng = np.random.default_rng([_SALT, seed])
    stream = draw_stream(rng, TICKETS[False], easy_mix=variant == "mix_shift")
    tickets, _ = draw_outcomes(rng, stream, variant)
    tickets = tickets[tickets["first_response"] > 0]  # no reply was needed
    plan = settings()["pilot"]
    day = pd.to_datetime(tickets["opened"] // DAY, unit="D").to_numpy()
    windows = [np.array(plan[name], dtype="datetime64[ns]") for name in ("before", "during")]
    inside = [(day >= first) & (day <= last) for first, last in windows]
    stratum = tickets.groupby(["channel", "severity"]).ngroup().to_numpy()
    place = np.where(inside[1], 1, 0), tickets["team"].to_numpy(), stratum
    counted = inside[0] | inside[1]
    shape = 2, int(tickets["team"].max()) + 1, int(stratum.max()) + 1
    met, decided = np.zeros(shape), np.zeros(shape)
    at = tuple(part[counted] for part in place)
    np.add.at(decided, at, 1)
    np.add.at(met, at, tickets["on_time"].to_numpy()[counted])
    pilot = np.isin(np.arange(shape[1]), tickets.loc[tickets["pilot"], "team"])
    values = {
        "standardised": standardised(met, decided)[0],
        "crude": ratio(met.sum(axis=2), decided.sum(axis=2)),
    }
    found = {}
    for name, (before, during) in values.items():
        test = inference.welch((during - before)[pilot], (during - before)[~pilot])
        found[name] = test.effect, test.se, not test.ci_low <= 0 <= test.ci_high
    return found


def main() -> None:
    """Print bias, spread, mean standard error and intervals without zero."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=1_000)
    seeds = parser.parse_args().seeds
    variants: tuple[Variant, ...] = ("null", "mix_shift")
    for variant in variants:
        with ProcessPoolExecutor(2) as pool:
            rows = list(pool.map(one, [(seed, variant) for seed in range(seeds)], chunksize=10))
        for name in rows[0]:
            effect, se, missed = np.array([row[name] for row in rows]).T
            spread = (
                f"mean effect {effect.mean():+.4f}, sd {effect.std():.4f}, se {np.sqrt((se**2).mean()):.4f}"
            )
            shares = f"without zero {missed.mean():.1%}, of the first 200 {missed[:200].mean():.1%}"
            print(f"{variant}, {name}: {spread}; {shares}")


if __name__ == "__main__":
    main()
