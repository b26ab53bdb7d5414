"""What has not changed is not executed again; what has, in any part that a notebook can read, is."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

import csimprove
from csimprove import metrics, playbook, samples
from csimprove.pilot import lock_plan
from csimprove.playbook import notebooks, runs, unchanged
from csimprove.playbook.notebooks import Notebook

SETTINGS = """\
project = "Fake"
[source]
path = "data/*.csv"
pauses = "pauses.csv"
"""
PARAMETERS = 'settings: str = ""\nas_of: str | None = None\nlanguage: str = "en"\ntop: int = 3'


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the notebooks that are executed; here no kernel does it."""
    names: list[str] = []

    def stand_in(jobs: list[Notebook], **_: object) -> list[object]:
        for job in jobs:
            if not job.unchanged_from:
                names.append(job.name)
                job.seconds = 1.0
                for cell in job.content.cells:
                    if cell.cell_type == "code":
                        cell.execution_count = len(names)
        return []

    monkeypatch.setattr(runs, "execute_all", stand_in)
    return names


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two notebooks, and a package of one file."""
    home, package = tmp_path / "project", tmp_path / "package"
    for folder in (home / "notebooks", home / "data", home / "notes", package):
        folder.mkdir(parents=True)
    (package / "__init__.py").write_text("# code")
    (home / "playbook.toml").write_text(SETTINGS, encoding="utf-8")
    (home / "data" / "a.csv").write_text("1")
    for name in ("01_first", "02_second"):
        cells = [
            nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}, id="p"),
            nbformat.v4.new_markdown_cell("# Why?", id="w"),
        ]
        content = nbformat.v4.new_notebook(cells=cells)
        (home / "notebooks" / f"{name}.ipynb").write_text(notebooks.text(content), encoding="utf-8")
    reading = SimpleNamespace(source="a.csv", sha256="0" * 64, rows=3, used=2)
    measures = SimpleNamespace(reading=reading, as_of=datetime(2026, 1, 31, tzinfo=UTC), key="k", zone="UTC")
    monkeypatch.setattr(metrics, "load_measures", lambda settings, **_: measures)
    monkeypatch.setattr(notebooks, "package_folder", lambda: tmp_path / "none")
    monkeypatch.setattr(csimprove, "__file__", str(package / "__init__.py"))
    return home


def run(project: Path, **options: object) -> Path:
    return playbook.run(project / "playbook.toml", quiet=True, isolated=True, **options).parent  # type: ignore[arg-type]


def entries(folder: Path) -> dict[str, dict[str, object]]:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return {entry["name"]: entry for entry in manifest["notebooks"]}


def test_a_run_in_which_nothing_changed_is_the_earlier_one(project: Path, executed: list[str]) -> None:
    first = run(project)
    assert run(project) == first
    assert executed == ["01_first", "02_second"]
    assert run(project, force=True) != first
    assert executed == ["01_first", "02_second"] * 2


def test_what_is_unchanged_is_taken_over_and_the_manifest_names_its_run(
    project: Path, executed: list[str]
) -> None:
    first = run(project)
    path = project / "notebooks" / "02_second.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("Why?", "How?"), encoding="utf-8")
    second = run(project)
    assert executed == ["01_first", "02_second", "02_second"]
    told = {name: (one["status"], one.get("unchanged_from")) for name, one in entries(second).items()}
    assert told == {"01_first": ("unchanged", first.name), "02_second": ("ok", None)}
    for file in ("01_first.ipynb", "01_first.html"):
        assert (second / file).read_bytes() == (first / file).read_bytes()
    assert "unchanged" in (second / "index.html").read_text(encoding="utf-8")
    # in a third run the notebook still names the run that executed it
    third = run(project, only=("01",))
    assert entries(third)["01_first"]["unchanged_from"] == first.name
    assert executed == ["01_first", "02_second", "02_second"]
    # and a run that was retouched is no source
    for folder in (first, second, third):
        (folder / "01_first.html").write_text("better words", encoding="utf-8")
    run(project)
    assert executed == ["01_first", "02_second", "02_second", "01_first"]


def write(name: str, text: str) -> Callable[[Path, pytest.MonkeyPatch], dict[str, object]]:
    def change(project: Path, _: pytest.MonkeyPatch) -> dict[str, object]:
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
        return {}

    return change


def library(project: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    (project / "site" / "pandas-99.dist-info").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [*sys.path, str(project / "site")])
    return {}


def python(_: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    monkeypatch.setattr(unchanged.platform, "python_version", lambda: "3.99.0")
    return {}


BOTH = ["01_first", "02_second"]
CHANGES: dict[str, tuple[Callable[[Path, pytest.MonkeyPatch], dict[str, object]], list[str]]] = {
    "a parameter": (lambda *_: {"parameters": {"top": "4"}}, BOTH),
    "the moment": (lambda *_: {"as_of": "2026-01-30"}, BOTH),
    "the language": (lambda *_: {"language": "zh"}, BOTH),
    "the settings": (write("playbook.toml", SETTINGS + "# other\n"), BOTH),
    "the data": (write("data/a.csv", "2"), BOTH),
    "another file of data": (write("data/b.csv", "2"), BOTH),
    "a file that comes to be": (write("pauses.csv", "1"), BOTH),
    "an action": (write("pdca/A-001.toml", "title = 'x'"), BOTH),
    "the lock of the plan": (write("pilot.lock.toml", ""), BOTH),
    "a note": (write("notes/02_second.en.md", "author: A\ndate: 2026-02-01\n\nWords.\n"), ["02_second"]),
    "a note in another language": (write("notes/02_second.zh.md", "author: A\n"), []),
    "what nothing reads": (write("todo.txt", "call Li"), []),
    "the package": (write("../package/report/style.css", "p {}"), BOTH),
    "a library": (library, BOTH),
    "Python": (python, BOTH),
}


@pytest.mark.parametrize("part", CHANGES)
def test_every_part_of_the_key_means_a_new_execution(
    project: Path, executed: list[str], monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    change, again = CHANGES[part]
    run(project)
    executed.clear()
    run(project, **change(project, monkeypatch))
    assert executed == again


def test_a_pattern_of_files_may_lie_anywhere(project: Path, executed: list[str], tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    text = SETTINGS.replace("data/*.csv", f"{tmp_path.as_posix()}/exports/*.csv")
    (project / "playbook.toml").write_text(text, encoding="utf-8")
    run(project)
    (tmp_path / "exports" / "2026-01.csv").write_text("1")
    run(project)
    run(project)
    assert executed == BOTH * 2


def test_a_failed_or_damaged_run_is_no_source(project: Path, executed: list[str]) -> None:
    first = run(project)
    manifest = json.loads((first / "manifest.json").read_text(encoding="utf-8"))
    (first / "manifest.json").write_text(json.dumps({**manifest, "status": "failed"}), encoding="utf-8")
    second = run(project)
    assert executed == BOTH * 2
    (second / "manifest.json").write_text("{", encoding="utf-8")
    run(project)
    assert executed == BOTH * 3


WATCH = """\
import sys
_opened = set()
def _watch(event, found):
    if event == "open" and isinstance(found[0], str):
        _opened.add(found[0])
sys.addaudithook(_watch)"""


@pytest.mark.slow
def test_no_notebook_opens_a_file_of_the_project_that_its_key_does_not_cover(tmp_path: Path) -> None:
    settings_file = samples.write_sample(tmp_path / "project", small=True)
    settings = runs.read_settings(settings_file)
    lock_plan(settings, on=date(2025, 8, 1))
    jobs = notebooks.chosen(settings)
    for job in jobs:
        job.content = notebooks.in_language(notebooks.without_outputs(job.content), "en")
        job.content.cells.insert(0, nbformat.v4.new_code_cell(WATCH))
        job.content.cells.append(nbformat.v4.new_code_cell("print(*sorted(_opened), sep='\\n')"))
        job.values = {"settings": str(settings_file)}
    # of the key of pseudonyms no figure depends, and the first run itself may write it
    covered = {*unchanged._inputs(settings), settings.folder / ".csimprove.key"}
    metrics.load_measures(settings)
    assert runs.execute_all(jobs) == []
    for job in jobs:
        opened = [Path(name) for name in job.content.cells[-1].outputs[0].text.splitlines()]
        ours = {path for path in opened if path.is_relative_to(settings.folder)}
        assert settings_file in ours
        assert {path for path in ours if settings.reports not in path.parents} <= covered
