"""The runner: parameters before kernels, failures told, good runs published whole and never harmed."""

from __future__ import annotations

import errno
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from csimprove import metrics, playbook
from csimprove.errors import RunError, SettingsError
from csimprove.playbook import notebooks, runs
from csimprove.playbook.parameters import Parameter, checked, convert, declared

PARAMETERS = """\
settings: str = "../playbook.toml"
as_of: str = ""
language: str = "en"
top: int | None = 5  # rows shown
shape: "Literal['bar', 'line']" = "bar"
share = 0.5
"""

SETTINGS = """\
project = "Fake"
[source]
path = "tickets.csv"
"""


def code(source: str, *tags: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(
        source, metadata={"tags": list(tags)}, id=f"c{abs(hash(source)) % 10**8}"
    )


def prose(source: str, *tags: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_markdown_cell(
        source, metadata={"tags": list(tags)}, id=f"m{abs(hash(source)) % 10**8}"
    )


def notebook(*cells: nbformat.NotebookNode, parameters: str = PARAMETERS) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[prose("# Does it run?"), code(parameters, "parameters"), *cells])


def hand_over(name: str, result: str) -> nbformat.NotebookNode:
    return code(
        "from IPython.display import display\n"
        f"display({{{runs.RESULT!r}: {{'name': {name!r}, 'result': {result}}}}}, raw=True)"
    )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose only notebooks are the test's, and whose data are never read."""
    (tmp_path / "package").mkdir()
    (tmp_path / "project" / "notebooks").mkdir(parents=True)
    (tmp_path / "project" / "playbook.toml").write_text(SETTINGS, encoding="utf-8")
    reading = SimpleNamespace(source="tickets.csv", sha256="0" * 64, rows=3, used=2)
    measures = SimpleNamespace(reading=reading, as_of=datetime(2026, 1, 31, tzinfo=UTC), key="k")
    monkeypatch.setattr(metrics, "load_measures", lambda settings, **_: measures, raising=False)
    monkeypatch.setattr(notebooks, "package_folder", lambda: tmp_path / "package")
    return tmp_path / "project"


def put(project: Path, name: str, *cells: nbformat.NotebookNode, parameters: str = PARAMETERS) -> None:
    text = notebooks.text(notebook(*cells, parameters=parameters))
    (project / "notebooks" / f"{name}.ipynb").write_text(text, encoding="utf-8")


def run(project: Path, **options: object) -> playbook.RunOutcome:
    return playbook.run(project / "playbook.toml", progress="quiet", **options)  # type: ignore[arg-type]


def published(project: Path) -> list[str]:
    """Every file below the reports, hidden ones too, the times in names taken out."""
    found = (
        path.relative_to(project / "reports" / "fake").as_posix()
        for path in project.rglob("reports/fake/**/*")
    )
    return sorted(re.sub(r"\d{8}-\d{6}", "RUN", name) for name in found)


def test_a_good_run_is_published_whole_and_runs_again_from_where_it_lies(project: Path) -> None:
    put(
        project,
        "01_good",
        prose("Good morning", "lang-en"),
        prose("早上好", "lang-zh"),
        code(
            "import os\nprint(os.getcwd() == os.path.abspath(os.path.join(os.path.dirname(settings), 'notebooks')), top)"
        ),
        hand_over("good", "{'metrics': [{'metric': 'csat', 'value': 0.1 + 0.2}]}"),
    )
    outcome = run(project, parameters={"top": "none"}, language="zh")
    assert published(project) == ["RUN", *(f"RUN/{name}" for name in FILES)]
    executed = notebooks.read(outcome.folder / "01_good.ipynb")
    assert [cell.source for cell in executed.cells if cell.cell_type == "markdown"] == [
        "# Does it run?",
        "早上好",
    ]
    injected = executed.cells[2]
    assert injected.source.splitlines()[1:5] == [
        "settings = '../../../playbook.toml'",
        "as_of = '2026-01-31T00:00:00+00:00'",
        "language = 'zh'",
        "top = None",
    ]
    assert executed.cells[4].outputs[0].text == "True None\n"
    assert str(project) not in (outcome.folder / "01_good.ipynb").read_text(encoding="utf-8")
    results = json.loads((outcome.folder / "results.json").read_text(encoding="utf-8"))
    assert results == {
        "schema": 1,
        "project": "Fake",
        "as_of": "2026-01-31T00:00:00+00:00",
        "results": {"good": {"metrics": [{"metric": "csat", "value": 0.1 + 0.2}]}},
    }
    manifest = json.loads((outcome.folder / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["status"], manifest["failure"]) == ("ok", None)
    assert manifest["settings"]["file"] == "../../../playbook.toml"
    assert manifest["notebooks"][0] | {"seconds": 0} == {
        "name": "01_good",
        "status": "ok",
        "seconds": 0,
        "from": "project",
        "differs_from_package": True,
        "parameters": {
            "as_of": "2026-01-31T00:00:00+00:00",
            "language": "zh",
            "top": None,
            "shape": "bar",
            "share": 0.5,
        },
    }


FILES = ["01_good.ipynb", "index.html", "manifest.json", "results.json"]

FAILURES = {
    "raises": ("1 / 0", "code cell 3 (`1 / 0`): ZeroDivisionError: division by zero"),
    "exits": ("import sys\nsys.exit(0)", "code cell 3 (`import sys`): the cell ended the run (sys.exit(0))"),
    "killed": (
        "import os\nos.kill(os.getpid(), 9)",
        "code cell 3 (`import os`): the kernel died (killed, or out of memory)",
    ),
    "slow": ("import time\ntime.sleep(60)", "code cell 3 (`import time`): the cell took longer than 2 s"),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_is_named_kept_apart_and_harms_no_good_run(project: Path, kind: str) -> None:
    good = project / "reports" / "fake" / "20260101-000000"
    good.mkdir(parents=True)
    (good / "manifest.json").write_text("{}")
    source, said = FAILURES[kind]
    put(project, "01_bad", code(source), code("print('never')"))
    put(project, "02_after", code("print('never')"))
    with pytest.raises(RunError) as caught:
        run(project, timeout=2 if kind == "slow" else 60)
    (kept,) = (project / "reports" / "fake" / "failed").iterdir()
    assert str(caught.value) == (
        f"01_bad failed in {said}.\n"
        f"The failed run is kept in {kept}; the last good run, 20260101-000000, is untouched."
    )
    assert published(project) == [
        "RUN",
        "RUN/manifest.json",
        "failed",
        "failed/RUN",
        "failed/RUN/01_bad.ipynb",
        "failed/RUN/manifest.json",
    ]
    assert (good / "manifest.json").read_text() == "{}"
    manifest = json.loads((kept / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["status"] == "failed"
    assert [entry["status"] for entry in manifest["notebooks"]] == ["failed", "not_run"]
    assert manifest["failure"]["notebook"] == "01_bad"
    assert manifest["settings"]["file"] == "../../../../playbook.toml"
    assert "never" not in "".join(
        str(cell.get("outputs")) for cell in notebooks.read(kept / "01_bad.ipynb").cells
    )
