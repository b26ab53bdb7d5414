"""The runner: parameters before kernels, failures told, good runs published whole and never harmed."""

from __future__ import annotations

import errno
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace

import nbformat
import pytest

from csimprove import metrics, playbook
from csimprove.errors import RunError, SettingsError
from csimprove.playbook import notebooks, pages, runs
from csimprove.playbook.parameters import Parameter, checked, convert, declared
from csimprove.report.cells import RESULT
from csimprove.settings import read_settings

PARAMETERS = """\
settings: str = "../playbook.toml"
as_of: str | None = None
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
        f"display({{{RESULT!r}: {{'name': {name!r}, 'result': {result}}}}}, raw=True)"
    )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose only notebooks are the test's, and whose data are never read."""
    (tmp_path / "package").mkdir()
    (tmp_path / "project" / "notebooks").mkdir(parents=True)
    (tmp_path / "project" / "playbook.toml").write_text(SETTINGS, encoding="utf-8")
    reading = SimpleNamespace(source="tickets.csv", sha256="0" * 64, rows=3, used=2)
    measures = SimpleNamespace(
        reading=reading, as_of=datetime(2026, 1, 31, tzinfo=UTC), key="k", zone="Asia/Shanghai"
    )
    monkeypatch.setattr(metrics, "load_measures", lambda settings, **_: measures, raising=False)
    monkeypatch.setattr(notebooks, "package_folder", lambda: tmp_path / "package")
    return tmp_path / "project"


def put(project: Path, name: str, *cells: nbformat.NotebookNode, parameters: str = PARAMETERS) -> None:
    text = notebooks.text(notebook(*cells, parameters=parameters))
    (project / "notebooks" / f"{name}.ipynb").write_text(text, encoding="utf-8")


def run(project: Path, **options: object) -> Path:
    """Folder of a run."""
    return playbook.run(project / "playbook.toml", quiet=True, **options).parent  # type: ignore[arg-type]


def published(project: Path) -> list[str]:
    """Every file below the reports, hidden ones too, the times in names taken out."""
    found = (
        path.relative_to(project / "reports" / "fake").as_posix()
        for path in project.rglob("reports/fake/**/*")
    )
    return sorted(re.sub(r"\d{8}-\d{6}", "RUN", name) for name in found)


@pytest.mark.slow
def test_a_good_run_is_published_whole_and_runs_again_from_where_it_lies(project: Path) -> None:
    put(
        project,
        "01_good",
        prose("Good morning", "lang-en"),
        prose("早上好", "lang-zh"),
        code("import os\nprint(os.getcwd() == os.path.join(os.path.dirname(settings), 'notebooks'), top)"),
        hand_over("good", "{'metrics': [{'metric': 'csat', 'value': 0.1 + 0.2}]}"),
    )
    folder = run(project, parameters={"top": "none"}, language="zh")
    assert published(project) == ["RUN", *(f"RUN/{name}" for name in FILES), "index.html"]
    executed = notebooks.read(folder / "01_good.ipynb")
    assert [cell.source for cell in executed.cells if cell.cell_type == "markdown"] == [
        "# Does it run?",
        "早上好",
    ]
    injected = executed.cells[2]
    assert injected.source.splitlines()[1:5] == [
        "settings = '../../../playbook.toml'",
        "as_of = None",
        "language = 'zh'",
        "top = None",
    ]
    assert executed.cells[4].outputs[0].text == "True None\n"
    assert "本分析的参数" in (folder / "index.html").read_text(encoding="utf-8")
    assert str(project) not in (folder / "01_good.ipynb").read_text(encoding="utf-8")
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert results == {
        "schema": 1,
        "project": "Fake",
        "as_of": "2026-01-31T00:00:00+00:00",
        "results": {"good": {"metrics": [{"metric": "csat", "value": 0.1 + 0.2}]}},
    }
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["status"], manifest["failure"]) == ("ok", None)
    assert manifest["settings"]["file"] == "../../../playbook.toml"
    (entry,) = manifest["notebooks"]
    assert sorted(entry.pop("files")) == ["01_good.html", "01_good.ipynb"]
    assert re.fullmatch("[0-9a-f]{64}", entry.pop("key"))
    assert 0 < entry.pop("cell_seconds") < entry["seconds"]
    assert entry | {"seconds": 0} == {
        "name": "01_good",
        "status": "ok",
        "seconds": 0,
        "from": "project",
        "differs_from_package": True,
        "parameters": {
            "as_of": None,
            "language": "zh",
            "top": None,
            "shape": "bar",
            "share": 0.5,
        },
    }


FILES = ["01_good.html", "01_good.ipynb", "index.html", "manifest.json", "results.json"]

FAILURES = {
    "raises": ("1 / 0", "code cell 3 (`1 / 0`): ZeroDivisionError: division by zero"),
    "exits": ("import sys\nsys.exit(0)", "code cell 3 (`import sys`): the cell ended the run (sys.exit(0))"),
    "killed": (
        "import os\nos.kill(os.getpid(), 9)",
        "code cell 3 (`import os`): the kernel died (killed, or out of memory)",
    ),
    "slow": ("import time\ntime.sleep(60)", "code cell 3 (`import time`): the cell took longer than 2 s"),
}


@pytest.mark.slow
@pytest.mark.parametrize("isolated", [False, True], ids=["forked", "isolated"])
@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_is_named_kept_apart_and_harms_no_good_run(
    project: Path, kind: str, isolated: bool
) -> None:
    good = project / "reports" / "fake" / "20260101-000000"
    good.mkdir(parents=True)
    (good / "manifest.json").write_text("{}")
    source, said = FAILURES[kind]
    put(project, "01_bad", code(source), code("print('never')"))
    put(project, "02_after", code("print('never')"))
    with pytest.raises(RunError) as caught:
        run(project, timeout=2 if kind == "slow" else 60, workers=1, isolated=isolated)
    (kept,) = (project / "reports" / "fake" / "failed").iterdir()
    assert caught.value.folder == kept
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
        "index.html",
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


@pytest.mark.slow
def test_a_cell_that_papermill_skipped_is_a_failure(project: Path) -> None:
    put(project, "01_skips", code("print(1)", "skip-execution"))
    with pytest.raises(
        RunError, match=r"01_skips failed in code cell 3 \(`print\(1\)`\): the cell was not executed\."
    ):
        run(project)


@pytest.mark.slow
def test_notes_are_read_before_a_kernel_starts_and_shown(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(project, "01_good")
    (project / "notes").mkdir()
    note = project / "notes" / "01_good.en.md"
    note.write_text("author: Li Na\ndate: 2026-02-01\n\nThe telephone was down.\n", encoding="utf-8")
    assert "The telephone was down." in (run(project) / "01_good.html").read_text(encoding="utf-8")
    note.write_text("author: Li Na\n\nWhen?\n", encoding="utf-8")
    monkeypatch.setattr(runs, "execute_all", lambda *_, **__: pytest.fail("a kernel was started"))
    with pytest.raises(SettingsError, match=r"notes/01_good\.en\.md, note 1: `date` must be a day like"):
        run(project)


def test_every_wrong_parameter_is_told_before_a_kernel_starts(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "execute_all", lambda *_, **__: pytest.fail("a kernel was started"))
    put(project, "01_good")
    put(project, "02_other", parameters='settings: str = ""\ncut: str = "team"')
    given = {"tpo": "3", "top": "many", "shape": "pie", "cut": 3, "as_of": "2026-01-01", "colour": "red"}
    with pytest.raises(SettingsError) as caught:
        run(project, parameters=given)
    assert str(caught.value) == (
        "parameters must be corrected:\n"
        "  `tpo` is not a parameter of 01_good, 02_other. Did you mean top?\n"
        "  `top` of 01_good must be int | None, not 'many'\n"
        "  `shape` of 01_good must be Literal['bar', 'line'], not 'pie'\n"
        "  `cut` of 02_other must be str, not 3\n"
        "  `as_of` is set by --as-of, not as a parameter\n"
        "  `colour` is not a parameter of 01_good, 02_other. Known: cut, shape, share, top."
    )
    assert published(project) == []


@pytest.mark.parametrize(
    ("value", "annotation", "expected"),
    [
        ("3", "int", 3),
        (3, "int | None", 3),
        ("None", "Optional[int]", None),
        ("none", "str | None", "none"),
        ("2", "Literal[1, 2]", 2),
        ("1.5", "float", 1.5),
        ("no", "bool", False),
        ("7", "Any", "7"),
        ('["a", "b"]', "list[str]", ["a", "b"]),
    ],
)
def test_text_becomes_the_declared_type(value: object, annotation: str, expected: object) -> None:
    found = convert(value, annotation)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "annotation"),
    [("x", "int"), (3, "str"), (True, "int"), ("c", "Literal['a']"), ("[1]", "list[str]")],
)
def test_a_value_of_another_type_is_refused(value: object, annotation: str) -> None:
    with pytest.raises(ValueError, match=re.escape(annotation)):
        convert(value, annotation)


def test_a_parameter_goes_to_the_notebooks_that_declare_it() -> None:
    top = Parameter("top", "int", 5, "")
    assert checked({"top": "3"}, {"01": {"top": top}, "02": {}}) == {"01": {"top": 3}, "02": {}}


def test_the_parameters_cell_is_read_with_its_comments() -> None:
    assert list(declared(notebook()).values()) == [
        Parameter("settings", "str", "../playbook.toml", ""),
        Parameter("as_of", "str | None", None, ""),
        Parameter("language", "str", "en", ""),
        Parameter("top", "int | None", 5, "rows shown"),
        Parameter("shape", "Literal['bar', 'line']", "bar", ""),
        Parameter("share", "float", 0.5, ""),
    ]


@pytest.mark.parametrize(
    "line", ["top = 2 + len([])", "top: Path = 1", "import os", "a, b = 1, 2", "top: int"]
)
def test_a_parameters_cell_holds_literals_only(line: str) -> None:
    with pytest.raises(SettingsError) as caught:
        declared(notebook(parameters=line))
    assert str(caught.value) == (
        f"the parameters cell must hold literals such as `top: int = 5`, not `{line}`. Correct the notebook."
    )


def test_only_chooses_by_number_or_name_and_names_near_misses(project: Path) -> None:
    put(project, "01_baseline")
    put(project, "02_other")
    settings = read_settings(project / "playbook.toml")
    assert [one.name for one in notebooks.chosen(settings, ("other", "1"))] == ["01_baseline", "02_other"]
    with pytest.raises(SettingsError) as caught:
        notebooks.chosen(settings, ("01_basline",))
    assert str(caught.value) == "`only` must name notebooks, not '01_basline'. Did you mean 01_baseline?"
    with pytest.raises(SettingsError) as caught:
        notebooks.chosen(settings, ("99",))
    assert str(caught.value) == "`only` must name notebooks, not '99'. Known: 01_baseline, 02_other."


def test_a_notebook_whose_section_is_missing_is_left_out_unless_asked_for(project: Path) -> None:
    put(project, "01_good")
    needy = notebook()
    needy.metadata["csimprove"] = {"needs": ["pilot"]}
    (project / "notebooks" / "05_pilot.ipynb").write_text(notebooks.text(needy), encoding="utf-8")
    settings = read_settings(project / "playbook.toml")
    assert [one.name for one in notebooks.chosen(settings)] == ["01_good"]
    with pytest.raises(SettingsError) as caught:
        notebooks.chosen(settings, ("05",))
    assert str(caught.value) == (
        "05_pilot needs [pilot] in playbook.toml. Add it; `csimprove init DIR` writes an example."
    )
    with pytest.raises(SettingsError) as caught:
        notebooks.chosen(settings.model_copy(update={"only": {"region": ("East",)}}), ("05",))
    assert str(caught.value) == (
        "05_pilot needs [pilot]: it compares groups, and a part of the tickets has none. "
        "Leave it out of `--only`."
    )


def test_a_projects_copy_wins_and_it_is_known_whether_it_differs(project: Path, tmp_path: Path) -> None:
    package = tmp_path / "package"
    for name in ("01_same", "02_adopted", "03_changed", "04_theirs"):
        (package / f"{name}.ipynb").write_text(
            notebooks.text(
                notebook(code("top", "x"), parameters='settings: str = "../data/playbook.toml"  # where')
            )
        )
    put(project, "01_same", code("top", "x"), parameters='settings: str = "../data/playbook.toml"')
    put(project, "02_adopted", code("top  # shown", "x"), parameters='settings: str = "../playbook.toml"')
    put(project, "03_changed", code("top + 1", "x"), parameters='settings: str = "../playbook.toml"')
    found = notebooks.available(read_settings(project / "playbook.toml"))
    assert [(one.name, one.origin, one.differs) for one in found] == [
        ("01_same", "project", False),
        ("02_adopted", "project", False),
        ("03_changed", "project", True),
        ("04_theirs", "package", False),
    ]


def test_an_unwritable_reports_folder_is_told_before_anything_is_done(project: Path) -> None:
    put(project, "01_good")
    (project / "reports").write_text("a file, not a folder")
    with pytest.raises(RunError) as caught:
        run(project)
    assert str(caught.value) == (
        f"the reports folder must be one that can be written to, not {project / 'reports' / 'fake'}: "
        "Not a directory. Set `folder` in [report]."
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "step"), [(runs, "write_json"), (pages, "write_pages"), (runs, "_publish")]
)
def test_a_full_disk_leaves_nothing_half_published(
    project: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType, step: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    put(project, "01_good")
    monkeypatch.setattr(module, step, full)
    with pytest.raises(RunError) as caught:
        run(project)
    assert str(caught.value) == (
        f"the run could not be written to {project / 'reports' / 'fake'}: No space left on device. "
        "Nothing was published; there is no earlier good run. Make room and run again."
    )
    assert published(project) == []


def test_two_runs_of_one_second_get_two_folders(tmp_path: Path) -> None:
    moment = datetime(2026, 1, 31, 12, 0, 0)
    names = []
    for number in range(3):
        part = tmp_path / f".part-{number}"
        part.mkdir()
        (part / "manifest.json").write_text(str(number))
        names.append(runs._publish(part, tmp_path, moment).name)
    assert names == ["20260131-120000", "20260131-120000-2", "20260131-120000-3"]
    assert (tmp_path / names[0] / "manifest.json").read_text() == "0"


@pytest.mark.slow
def test_a_run_is_verified_from_its_own_notebooks_and_differences_are_told_by_metric(project: Path) -> None:
    put(
        project,
        "01_good",
        hand_over("good", "{'metrics': [{'metric': 'csat', 'group': 'all', 'value': 0.25}], 'n': 3}"),
    )
    folder = run(project)
    put(project, "01_good", hand_over("good", "{'n': 4}"))  # the project's notebook moved on: the run did not
    assert playbook.verify(folder, quiet=True) == playbook.Verification((), (), 4)
    results = json.loads((folder / "results.json").read_text())
    results["results"]["good"]["metrics"][0]["value"] += 2e-9
    results["results"]["good"]["n"] = 3 + 1e-10
    results["results"]["good"]["old"] = None
    (folder / "results.json").write_text(json.dumps(results))
    (project / "playbook.toml").write_text(SETTINGS + "# changed\n", encoding="utf-8")
    found = playbook.verify(folder, quiet=True)
    assert found.differences == (
        "good.metrics[csat all].value: 0.250000002 became 0.25",
        "good.old: None is gone",
    )
    assert found.notes == ("the settings changed since the run: playbook.toml",)


def test_only_the_folder_of_a_good_run_can_be_verified(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        playbook.verify(tmp_path)
    assert str(caught.value) == (
        f"`run` must be the folder of a good run, with its manifest.json, not {tmp_path}. "
        "Give one below the reports folder."
    )


def test_init_writes_a_project_that_the_settings_reader_accepts_and_never_overwrites(tmp_path: Path) -> None:
    written = playbook.init(tmp_path / "new")
    names = [path.relative_to(tmp_path / "new").as_posix() for path in written]
    ours = [f"notebooks/{path.name}" for path in sorted(notebooks.package_folder().glob(notebooks.PATTERN))]
    assert names == ["playbook.toml", ".gitignore", "notes/README.md", *ours]
    settings = read_settings(tmp_path / "new" / "playbook.toml")
    assert [one.differs for one in notebooks.available(settings)] == [False] * len(ours)
    for name in ours:
        copied = notebooks.read(tmp_path / "new" / name)
        assert declared(copied)["settings"].default == "../playbook.toml"
        assert not any(cell.get("outputs") for cell in copied.cells)
    assert ".csimprove.key" in (tmp_path / "new" / ".gitignore").read_text().splitlines()
    (tmp_path / "new" / "notes" / "README.md").unlink()
    with pytest.raises(SettingsError) as caught:
        playbook.init(tmp_path / "new")
    assert str(caught.value) == (
        f"`folder` must not hold a project already, but {tmp_path / 'new'} has "
        f"{', '.join(name for name in names if name != 'notes/README.md')}. "
        "Nothing was written; name another folder."
    )
    assert not (tmp_path / "new" / "notes" / "README.md").exists()


def test_the_template_holds_a_plan_and_monitoring_once_its_marks_are_taken_away(tmp_path: Path) -> None:
    playbook.init(tmp_path)
    file = tmp_path / "playbook.toml"
    text = file.read_text(encoding="utf-8")
    start = text.index("# [pilot]")
    marked = text[start : text.index("# --- Where reports go")]
    file.write_text(text[:start] + re.sub(r"(?m)^# (?=\[|\w+ = )", "", marked), encoding="utf-8")
    settings = read_settings(file)
    assert settings.pilot is not None
    assert settings.pilot.next_steps[0].verdict == "go"
    assert settings.phases[0].name == "Process V1.1"
    assert settings.alerts[0].cut == "team"


@pytest.mark.slow
def test_refresh_writes_the_same_bytes_twice_and_stops_at_an_error(tmp_path: Path) -> None:
    path = tmp_path / "01_good.ipynb"
    path.write_text(notebooks.text(notebook(code("settings"))), encoding="utf-8")
    assert playbook.refresh(tmp_path, write=False) == ["01_good.ipynb"]
    assert playbook.refresh(tmp_path) == ["01_good.ipynb"]
    first = path.read_bytes()
    assert playbook.refresh(tmp_path) == []
    assert path.read_bytes() == first
    assert notebooks.read(path).metadata.language_info == {"name": "python"}
    (tmp_path / "02_bad.ipynb").write_text(notebooks.text(notebook(code("1 / 0"))), encoding="utf-8")
    with pytest.raises(RunError) as caught:
        playbook.refresh(tmp_path)
    assert str(caught.value) == (
        "02_bad failed in code cell 2 (`1 / 0`): ZeroDivisionError: division by zero."
    )
