"""How long does a register of many actions take: to read, to check, to say where each stands, to report.

Usage: ``python benchmarks/register.py``. One closed action of the sample programme, with its measured check,
is copied; times are processor seconds, least of three runs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from csimprove import charts, playbook, report, wording
from csimprove.metrics import Measures, load_measures
from csimprove.pdca import read_register, statuses
from csimprove.programme import programme
from csimprove.settings import Settings, read_settings


def seconds(work: Callable[[], object]) -> float:
    """Return the least of three runs in processor seconds."""
    found = []
    for _ in range(3):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def steps(settings: Settings, measures: Measures) -> Iterator[tuple[str, float]]:
    """Yield each step with its time."""
    register = read_register(settings)
    known = {metric.name: metric for metric in measures.metrics}
    yield "read and checked", seconds(lambda: read_register(settings))
    yield (
        "where each stands",
        seconds(lambda: statuses(register, settings=settings, moment=measures.as_of, metrics=known)),
    )
    result = programme(measures, settings=settings)
    yield "the whole programme", seconds(lambda: programme(measures, settings=settings))
    yield (
        "tables, pages, figure",
        seconds(
            lambda: (
                report.overdue_table(result, settings),
                report.predicted_table(result),
                report.a3_pages(result),
                report.history_table(result),
                charts.pdca_rows(result),
                wording.pdca_rows(result),
            )
        ),
    )


def main() -> None:
    """Print a table of steps and times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, nargs="+", default=[500, 1_000, 2_000])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # without a schedule: its pilot is evaluated once, however many actions there are
        settings = read_settings(playbook.sample(folder, small=True)).model_copy(update={"schedule": None})
        measures = load_measures(settings)
        first = next((Path(folder) / "pdca").glob("0001-*.toml")).read_text(encoding="utf-8")
        for cycles in asked.cycles:
            for number in range(8, cycles + 1):
                path = Path(folder) / "pdca" / f"{number:04}-copy.toml"
                path.write_text(first.replace("id = 1\n", f"id = {number}\n"), encoding="utf-8")
            for step, taken in steps(settings, measures):
                print(f"{cycles:,} actions, {step}: {taken:.2f} s")


if __name__ == "__main__":
    main()
