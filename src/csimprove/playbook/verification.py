"""Verifying a delivered run: executed again from its manifest and data, its figures compared."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from csimprove import metrics, pdca
from csimprove.errors import RunError, SettingsError
from csimprove.playbook import notebooks, runs
from csimprove.playbook.execution import INJECTED, execute_all
from csimprove.playbook.notebooks import Notebook
from csimprove.settings import Settings, read_settings

#: Largest difference, relative or absolute, that counts as equal.
TOLERANCE = 1e-9

#: What names a row of a result, so that a difference can be told.
_LABELS = ("title", "metric", "role", "cut", "group", "unit", "arm", "period", "week")


@dataclass(frozen=True, slots=True)
class Verification:
    """What a re-execution showed.

    Parameters
    ----------
    differences
        One line a value that differs; empty if the run is reproduced.
    notes
        What changed around it (data, settings, versions) without being a difference itself.
    values
        How many values were compared.
    """

    differences: tuple[str, ...]
    notes: tuple[str, ...]
    values: int


def verify(run: str | Path, *, quiet: bool = False) -> Verification:
    """Execute a delivered run again, from its own notebooks and its data, and compare results.json.

    Parameters
    ----------
    run
        Folder of the run.
    quiet
        Do not tell on stderr where it stands.

    Returns
    -------
    Verification
        Differences above 1e-9, relative and absolute.

    Raises
    ------
    SettingsError
        If the folder is not a good run or its settings are not found.
    RunError
        If a notebook of the run fails now.
    """
    folder = Path(run)
    manifest, before = (_read(folder, name) for name in ("manifest.json", "results.json"))
    settings = read_settings(f"{folder}/{manifest['settings']['file']}")
    # figures must come from the data again, not from the table that the run left behind
    shutil.rmtree(settings.reports / "measures", ignore_errors=True)
    moment = manifest["as_of"]
    measures = metrics.load_measures(settings)
    asked = any(entry["parameters"].get("as_of") for entry in manifest["notebooks"])
    if not asked and measures.as_of.isoformat() == moment:
        moment = None  # as it was run: the register may go on after the data
    else:
        measures = metrics.load_measures(settings, as_of=moment)
    jobs = [
        _job(folder, entry, settings, file=manifest["settings"]["file"], as_of=moment)
        for entry in manifest["notebooks"]
    ]
    if failures := execute_all(jobs, told=runs.told(jobs, quiet=quiet)):
        raise RunError(f"{folder} cannot be verified: {' '.join(map(str, failures))}")
    after = runs.results(jobs, settings, measures.as_of)
    old, new = (dict(_flat(results["results"])) for results in (before, after))
    return Verification(tuple(_differences(old, new)), tuple(_notes(manifest, settings, measures)), len(old))


def _read(folder: Path, name: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise SettingsError(
            f"`run` must be the folder of a good run, with its {name}, not {folder}. "
            "Give one below the reports folder."
        ) from None
    return found


def _job(
    folder: Path, entry: dict[str, Any], settings: Settings, *, file: str, as_of: str | None
) -> Notebook:
    """Take a notebook as it was delivered, without the cell that papermill put in."""
    content = notebooks.without_outputs(notebooks.read(folder / f"{entry['name']}.ipynb"))
    content.cells = [cell for cell in content.cells if INJECTED not in notebooks.tags(cell)]
    query = "".join(file.partition("?")[1:])
    values = {**entry["parameters"], "settings": f"{settings.file.resolve()}{query}", "as_of": as_of}
    return Notebook(entry["name"], folder, entry["from"], entry["differs_from_package"], content, values)


def _notes(manifest: dict[str, Any], settings: Settings, measures: metrics.Measures) -> Iterator[str]:
    source = manifest["source"]
    if measures.reading.sha256 != source["sha256"]:
        yield (
            f"the data changed since the run: {source['file']} had {source['rows']:,} rows, "
            f"{measures.reading.source} has {measures.reading.rows:,}"
        )
    if runs.sha256(settings.file) != manifest["settings"]["sha256"]:
        yield f"the settings changed since the run: {settings.file.name}"
    if pdca.register_hash(settings) != manifest.get("register", pdca.register_hash(settings)):
        yield f"the register changed since the run: {settings.pdca.folder}"
    for name, now in runs.versions().items():
        then = manifest["versions"].get(name)
        if then != now:
            yield f"{name} was {then}, is {now}"


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every leaf with a name that a person can follow: rows are told by what they are about."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        seen: dict[str, int] = {}
        for number, item in enumerate(value):
            label = _label(item, number)
            seen[label] = seen.get(label, 0) + 1
            yield from _flat(item, f"{path}[{label}{f' #{seen[label]}' if seen[label] > 1 else ''}]")
    else:
        yield path, value


def _label(item: Any, number: int) -> str:
    named = [str(item[key]) for key in _LABELS if item.get(key)] if isinstance(item, dict) else []
    return " ".join(named) or str(number)


def _differences(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for path in {**old, **new}:
        if path not in new:
            yield f"{path}: {old[path]} is gone"
        elif path not in old:
            yield f"{path}: {new[path]} is new"
        elif not _equal(old[path], new[path]):
            yield f"{path}: {old[path]} became {new[path]}"


def _equal(old: Any, new: Any) -> bool:
    numbers = isinstance(old, int | float) and isinstance(new, int | float)
    return bool(old == new) or (numbers and math.isclose(old, new, rel_tol=TOLERANCE, abs_tol=TOLERANCE))
