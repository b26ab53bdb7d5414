"""The notebooks: thin, in two languages, committed with outputs, and running from anywhere."""

from __future__ import annotations

import ast
import json
import re
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import jsonschema
import nbformat
import pytest

from csimprove import playbook, samples
from csimprove.playbook import notebooks
from csimprove.playbook.parameters import declared
from csimprove.report.cells import RESULT

ROOT = Path(__file__).resolve().parents[1]
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = [path.stem for path in PATHS]
SAMPLE = '"../data/sample/playbook.toml"'

#: What a thin notebook never holds: it asks the package and computes nothing.
FORBIDDEN = {
    *("FunctionDef", "AsyncFunctionDef", "ClassDef", "Lambda", "For", "While", "If", "IfExp", "Try", "With"),
    *(
        "ListComp",
        "SetComp",
        "DictComp",
        "GeneratorExp",
        "BinOp",
        "AugAssign",
        "Compare",
        "Subscript",
        "Assert",
    ),
}
HEAVY = {"pandas", "matplotlib", "seaborn", "duckdb", "papermill", "os", "sys", "pathlib", "IPython"}


def tags(cell: nbformat.NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", ()))


def imports(tree: ast.Module) -> list[ast.Import | ast.ImportFrom]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def cell_faults(cell: nbformat.NotebookNode) -> list[str]:
    """Every way in which a cell of code is not thin."""
    tree = ast.parse(cell.source)
    kinds = [type(node).__name__ for node in ast.walk(tree)]
    found = [] if "parameters" in tags(cell) else [kind for kind in kinds if kind in FORBIDDEN]
    if len(imports(tree)) not in (0, len(tree.body)):
        found.append("imports beside other code")
    for node in imports(tree):
        module = (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
        if module.split(".")[0] in HEAVY:
            found.append(f"imports {module}")
    shown = sum(isinstance(node, ast.Expr) for node in tree.body)
    if shown and len(tree.body) > 1:
        found.append("shows something beside other code")
    if re.search(r"""["'](/|[A-Za-z]:\\|~)""", cell.source) or "sys.path" in cell.source:
        found.append("path")
    if cell.source.rstrip().endswith(";"):
        found.append("ends with a semicolon")
    return found


def faults(notebook: nbformat.NotebookNode) -> list[str]:
    """Every way in which a notebook is not thin."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    found = [
        f"cell {number}: {fault}" for number, cell in enumerate(code, start=1) for fault in cell_faults(cell)
    ]
    if sum(bool(imports(ast.parse(cell.source))) for cell in code) != 1:
        found.append("not exactly one cell of imports")
    if sum("parameters" in tags(cell) for cell in code) != 1:
        found.append("not exactly one cell of parameters")
    for before, cell in pairwise(notebook.cells):
        if cell.cell_type == "code" and "parameters" not in tags(cell) and before.cell_type != "markdown":
            found.append(f"no words before `{cell.source.splitlines()[0]}`")
    return found


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_a_notebook_is_thin(path: Path) -> None:
    assert faults(notebooks.read(path)) == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("def f():\n    return 1", "cell 3: FunctionDef"),
        ("x = [a for a in b]", "cell 3: ListComp"),
        ("share = late / all", "cell 3: BinOp"),
        ("import sys", "cell 3: imports sys"),
        ("open_file('/data/x.csv')", "cell 3: path"),
        ("a\nb", "cell 3: shows something beside other code"),
        ("show(x);", "cell 3: ends with a semicolon"),
    ],
)
def test_the_rules_of_thinness_can_fail(source: str, fault: str) -> None:
    made = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("top: int = 3", metadata={"tags": ["parameters"]}),
            nbformat.v4.new_markdown_cell("Words"),
            nbformat.v4.new_code_cell("from csimprove import report"),
            nbformat.v4.new_code_cell(source),
        ]
    )
    assert fault in faults(made)
    assert f"no words before `{source.splitlines()[0]}`" in faults(made)


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_words_come_in_adjacent_pairs_and_the_first_is_a_question(path: Path) -> None:
    words = [cell for cell in notebooks.read(path).cells if cell.cell_type == "markdown"]
    languages = [tags(cell) & {"lang-en", "lang-zh"} for cell in words]
    assert languages == [{"lang-en"}, {"lang-zh"}] * (len(words) // 2)
    assert [
        tags(one) - {"lang-en"} == tags(two) - {"lang-zh"}
        for one, two in zip(words[::2], words[1::2], strict=True)
    ]
    assert re.match(r"# .+\?\n\n.*\*\*.+\*\*", words[0].source)
    assert re.match(r"# .+？\n\n.*\*\*.+\*\*", words[1].source)
    assert not [cell.source for cell in words[::2] if re.search("[一-鿿]", cell.source)]
    assert not [cell.source for cell in words[1::2] if not re.search("[一-鿿]", cell.source)]


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_parameters_are_typed_and_explained(path: Path) -> None:
    found = declared(notebooks.read(path))
    assert list(found)[:3] == ["settings", "as_of", "language"]
    assert [name for name, parameter in found.items() if not parameter.help] == []
    assert repr(found["settings"].default).replace("'", '"') == SAMPLE


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_a_committed_notebook_carries_its_outputs_and_nothing_of_the_machine(path: Path) -> None:
    notebook = notebooks.read(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert {output.output_type for output in outputs} <= {"display_data", "execute_result"}
    alts = [output.metadata["image/png"]["alt"] for output in outputs if "image/png" in output.data]
    assert alts
    assert all(len(alt.split()) >= 25 for alt in alts)
    assert RESULT in outputs[-1].data
    assert set(notebook.metadata) <= {"kernelspec", "language_info", "csimprove"}
    assert {key for cell in notebook.cells for key in cell.metadata} == {"tags"}
    assert notebooks.text(notebook) == path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sample programme in a folder of its own, with the project's copies of the notebooks."""
    return samples.write_sample(tmp_path_factory.mktemp("away from home {x}") / "项目", small=True)


@pytest.mark.slow
def test_the_playbook_runs_from_anywhere_in_both_languages_and_is_reproduced(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    english = playbook.run(project, quiet=True, as_of="2025-10-05")
    chinese = playbook.run(project, quiet=True, as_of="2025-10-05", language="zh")
    results = [
        json.loads((run.parent / "results.json").read_text(encoding="utf-8")) for run in (english, chinese)
    ]
    assert results[0] == results[1]
    schema = json.loads((files("csimprove") / "schemas" / "results.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(results[0], schema)
    assert results[0]["results"]["pilot"]["verdict"] == "go"
    for run, own, other in ((english, "lang-en", "lang-zh"), (chinese, "lang-zh", "lang-en")):
        for name in NAMES:
            executed = notebooks.read(run.parent / f"{name}.ipynb")
            found = {tag for cell in executed.cells for tag in tags(cell)}
            assert own in found
            assert other not in found
            page = (run.parent / f"{name}.html").read_text(encoding="utf-8")
            assert str(project.parent) not in page
            assert page.count('<aside class="note"') >= 2
        assert run.is_file()
        assert run.name == "index.html"
    verified = playbook.verify(english.parent, quiet=True)
    assert verified.differences == ()
    assert verified.notes == ()
    assert verified.values > 5_000


@pytest.mark.slow
def test_an_open_notebook_computes_for_itself_what_is_not_stored(tmp_path: Path) -> None:
    samples.write_sample(tmp_path, small=True)
    target = tmp_path / "notebooks"
    target.mkdir()
    path = target / PATHS[0].name
    path.write_text(notebooks.text(notebooks.adopted(notebooks.read(PATHS[0]))), encoding="utf-8")
    assert playbook.refresh(target) == [path.name]
    assert "75." in str(notebooks.read(path).cells)
