"""Time the whole evaluation of twelve metrics beside CausalPy's difference in differences for one.

The whole is what the evaluation notebook needs: verdict and tables, and the credibility checks beside.

Usage: ``python benchmarks/pilot_speed.py --peer PYTHON``; PYTHON is the interpreter of an environment of
its own with causalpy (it brings PyMC). Both start from the same teams and weeks, in the same run; CausalPy
samples with its defaults. Imports, and for both a first run (CausalPy compiles), are not counted: least of
three runs after it. The placebo on history is timed beside.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from csimprove.metrics import Measures, load_measures
from csimprove.pilot import credibility, pilot, pilot_design
from csimprove.pilot.design import LENGTHS
from csimprove.settings import PilotPlan, read_settings

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "sample" / "playbook.toml"
METRICS = 12

PEER = """
import sys, time, warnings
import pandas as pd
warnings.simplefilter("ignore")
import causalpy as cp
frame = pd.read_csv(sys.argv[1])
def fit():
    started = time.perf_counter()
    cp.DifferenceInDifferences(
        frame, formula="rate ~ 1 + group * post_treatment", time_variable_name="t",
        group_variable_name="group", model=cp.pymc_models.LinearRegression(
            sample_kwargs={"random_seed": 2025, "progressbar": False}),
    )
    return time.perf_counter() - started
fit()
print(min(fit() for _ in range(3)))
"""


def twelve(measures: Measures, plan: PilotPlan) -> tuple[Measures, PilotPlan]:
    """Return measures and plan with the sample's metrics repeated under other names up to twelve."""
    names = list(plan.metrics)
    frame, metrics = measures.frame.copy(), list(measures.metrics)
    for number in range(METRICS - len(names)):
        source = names[number % len(plan.metrics)]
        name = f"{source}_{number}"
        for column in [column for column in frame.columns if column.startswith(f"{source}__")]:
            frame[column.replace(source, name, 1)] = frame[column]
        metrics.append(replace(measures.metric(source), name=name))
        names.append(name)
    secondary = tuple(name for name in names if name not in (*plan.co_primary, *plan.guardrail))
    return (
        replace(measures, frame=frame, metrics=tuple(metrics)),
        plan.model_copy(update={"secondary": secondary, "looks": ()}),
    )


def panel(measures: Measures, plan: PilotPlan) -> pd.DataFrame:
    """Return one row a team and week: the rate of the first co-primary."""
    groups = {plan.group: (*plan.pilot, *plan.control)}
    rows = measures.pooled(
        "week", plan.group, plan.unit, metrics=plan.co_primary[:1],
        first=plan.before[0], last=plan.during[1], where=groups,
    )  # fmt: skip
    rows = rows[rows["denominator"] > 0]
    weeks = (pd.to_datetime(rows["week"]) - pd.Timestamp(plan.during[0])).dt.days // 7
    return pd.DataFrame(
        {
            "unit": rows[plan.unit],
            "t": weeks,
            "group": rows[plan.group].isin(plan.pilot).astype(int),
            "post_treatment": weeks >= 0,
            "rate": rows["numerator"] / rows["denominator"],
        }
    )


def least(call: Callable[[], object]) -> float:
    """Return the least time of three runs after a first one."""
    times = []
    for _ in range(4):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times[1:])


def main() -> None:
    """Print the times and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--peer", required=True, help="interpreter of an environment with causalpy")
    python = parser.parse_args().peer
    settings = read_settings(SAMPLE)
    assert settings.pilot is not None
    with tempfile.TemporaryDirectory() as folder:
        loaded = load_measures(settings, folder=Path(folder))
        measures, plan = twelve(loaded, settings.pilot)
        own = least(lambda: pilot(measures, plan=plan, rng=np.random.default_rng(2025)))
        beside = least(lambda: credibility(measures, plan=plan, rng=np.random.default_rng(2025)))
        design = settings.pilot
        history = least(lambda: pilot_design(loaded, plan=design, rng=np.random.default_rng(2025)))
        data = Path(folder) / "panel.csv"
        panel(loaded, settings.pilot).to_csv(data, index=False)
        peer = subprocess.run([python, "-c", PEER, str(data)], capture_output=True, text=True, check=False)
    if peer.returncode:
        sys.exit(peer.stderr)
    other = float(peer.stdout.split()[-1])
    print(f"evaluation, {len(plan.metrics)} metrics:    {own:.3f} s")
    print(f"credibility, the same:     {beside:.3f} s")
    print(f"CausalPy, one metric:      {other:.3f} s")
    print(f"evaluation : CausalPy      {own / other:.3f} (bar: 0.1)")
    print(f"with credibility           {(own + beside) / other:.3f}")
    print(f"placebo on history, {len(LENGTHS)} lengths: {history:.2f} s (bar: 20 s)")


if __name__ == "__main__":
    main()
