"""Running notebooks: csimprove beside papermill as it is, one notebook after the other.

    python benchmarks/playbook.py

Three comparisons, each contender in processes of its own: all notebooks of the playbook on the sample
programme (measures computed before), a reference set of notebooks with under 0.5 s of work each, and a second
run in which nothing has changed. Overhead: wall time less the critical path of the cells, which is the busier
worker's time in the cells. Memory: proportional set sizes of all processes, summed, at their peak. Exits 1 if
a limit is broken.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil

ROOT = Path(__file__).resolve().parents[1]
WORKERS = 2
#: Limits: seconds of overhead, times as fast as papermill, part of the first run.
OVERHEAD, FASTER, UNCHANGED = 5.0, 5.0, 0.1
REFERENCE = 10
#: What a notebook of the reference set does: it imports what all do, computes and draws a little.
WORK = """\
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
frame = pd.DataFrame({"day": np.arange(365) % 7, "value": np.random.default_rng(1).normal(size=365)})
frame.groupby("day").value.describe()
frame.groupby("day").value.mean().plot.bar();"""
PARAMETERS = 'settings: str = ""\nas_of: str | None = None\nlanguage: str = "en"'


@dataclass
class Spent:
    """What a command took."""

    wall: float
    processor: float
    memory: float


def spend(*commands: list[str | Path], cwd: Path) -> Spent:
    """Run commands one after the other."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    peak, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            peak[0] = max(peak[0], memory(os.getpid()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for command in commands:
        subprocess.run([str(part) for part in command], cwd=cwd, check=True, capture_output=True)
    wall = time.monotonic() - started
    done.set()
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(wall, processor, peak[0])


def memory(parent: int) -> float:
    """GiB of all processes below one."""
    total = 0.0
    for child in psutil.Process(parent).children(recursive=True):
        try:
            total += child.memory_full_info().pss
        except psutil.Error:
            continue
    return total / 2**30


def papermill(folder: Path, settings: Path, paths: list[Path]) -> list[list[str | Path]]:
    """Commands of papermill as it is."""
    program = Path(sys.executable).with_name("papermill")
    given = ["-p", "settings", settings, "--cwd", folder, "--no-progress-bar", "-k", "python3"]
    return [[program, path, folder / f"stock-{path.name}", *given] for path in paths]


def csimprove(settings: Path, *options: str) -> list[str | Path]:
    """Command of a run."""
    return [Path(sys.executable).with_name("csimprove"), "run", settings, "--quiet", *options]


def newest(project: Path) -> dict[str, object]:
    """Manifest of the newest run."""
    return dict(json.loads(max(project.rglob("reports/*/*/manifest.json")).read_text(encoding="utf-8")))


def critical_path(manifest: dict[str, object]) -> float:
    """Seconds of the busier worker when each takes the next notebook as soon as it is free."""
    busy = [0.0] * WORKERS
    for entry in manifest["notebooks"]:  # type: ignore[attr-defined]
        worker = busy.index(min(busy))
        busy[worker] += entry["cell_seconds"]
    return max(busy)


def reference(folder: Path) -> list[Path]:
    """Write a project whose own notebooks are the reference set."""
    (folder / "notebooks").mkdir(parents=True)
    (folder / "tickets.csv").write_text("Ticket,Created\n1,2026-01-05 09:00:00\n2,2026-01-06 09:00:00\n")
    (folder / "playbook.toml").write_text(
        'project = "Reference"\n[source]\npath = "tickets.csv"\n[source.columns]\n'
        'ticket_id = "Ticket"\nopened_at = "Created"\n'
    )
    paths = []
    for number in range(REFERENCE):
        cells = [
            nbformat.v4.new_markdown_cell("# What does it take?"),
            nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
            nbformat.v4.new_code_cell("from csimprove import charts, report, wording"),
            nbformat.v4.new_code_cell(WORK),
        ]
        path = folder / "notebooks" / f"{50 + number}_reference.ipynb"
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        about = {"kernelspec": kernel, "language_info": {"name": "python"}}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=about), path)
        paths.append(path)
    return paths


def show(name: str, spent: Spent) -> None:
    """Print a row of the table."""
    print(f"| {name} | {spent.wall:.1f} s | {spent.processor:.1f} s | {spent.memory:.2f} GiB |", flush=True)


def main() -> None:
    """Print the table and the three figures with their limits."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    print("| | clock | processor | peak memory |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        home = Path(place, "data", "sample")
        shutil.copytree(ROOT / "data" / "sample", home)
        settings, project = home / "playbook.toml", Path(place)
        first = spend(csimprove(settings), cwd=home)
        show("the playbook, csimprove, nothing stored", first)
        forced = spend(csimprove(settings, "--force"), cwd=home)
        manifest = newest(project)
        path = critical_path(manifest)
        show(f"the playbook, csimprove, measures stored; cells {path:.1f} s", forced)
        paths = [ROOT / "notebooks" / f"{entry['name']}.ipynb" for entry in manifest["notebooks"]]  # type: ignore[attr-defined]
        show("the playbook, papermill", spend(*papermill(home, settings, paths), cwd=home))
        unchanged = spend(csimprove(settings), cwd=home)
        show("the playbook, csimprove, unchanged", unchanged)

        folder = Path(place, "reference")
        paths = reference(folder)
        names = ",".join(path.stem for path in paths)
        settings = folder / "playbook.toml"
        spend(csimprove(settings, "--only", names), cwd=folder)  # measures of two tickets
        ours = spend(csimprove(settings, "--only", names, "--force"), cwd=folder)
        work = [entry["cell_seconds"] for entry in newest(folder)["notebooks"]]  # type: ignore[attr-defined]
        show(f"reference set, csimprove; at most {max(work):.2f} s in the cells of one", ours)
        stock = spend(*papermill(folder, settings, paths), cwd=folder)
        show("reference set, papermill", stock)
    over, faster, part = forced.wall - path, stock.wall / ours.wall, unchanged.wall / first.wall
    figures = [
        ("overhead, s", over, OVERHEAD, over <= OVERHEAD),
        ("times as fast on the reference set", faster, FASTER, faster >= FASTER),
        ("unchanged run : first", part, UNCHANGED, part < UNCHANGED),
    ]
    print()
    for name, figure, limit, holds in figures:
        print(f"{name}: {figure:.2f} (limit {limit:g}{'' if holds else ', BROKEN'})")
    sys.exit(not all(holds for *_, holds in figures))


if __name__ == "__main__":
    main()
