"""The promises of the repository as a whole: its layout, its documents and its size."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tokenize
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "csimprove"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SIX = ["jupyterlab", "pandas", "seaborn", "statsmodels", "papermill", "nbval"]
MODULES = sorted(path for path in SOURCE.rglob("*.py") if path.name != "__init__.py" or path.parent != SOURCE)


def names(requirements: list[str]) -> list[str]:
    return [re.split(r"[ <>=!\[]", requirement, maxsplit=1)[0] for requirement in requirements]


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_environment_yml_names_the_six_packages_as_pyproject_does_and_installs_the_project() -> None:
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    wanted = {r.replace(">=", " >=") for r in PYPROJECT["project"]["dependencies"] if names([r])[0] in SIX}
    listed = {line.strip()[2:] for line in text.splitlines() if line.startswith("  - ")}
    assert listed == wanted | {
        f"python {PYPROJECT['project']['requires-python']}",
        "pip",
        "pip:",
        "conda-forge",
    }
    assert "      - --editable ." in text.splitlines()


def test_no_more_than_eight_run_time_dependencies_beyond_the_six() -> None:
    assert len(set(names(PYPROJECT["project"]["dependencies"])) - set(SIX)) <= 8


def test_constraints_pin_every_dependency_and_name_no_host() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line) for line in lines)
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    wanted = names(
        PYPROJECT["project"]["dependencies"] + PYPROJECT["project"]["optional-dependencies"]["dev"]
    )
    assert set(wanted) <= pinned


def test_every_module_has_its_test_file() -> None:
    wanted = {path.stem if path.parent == SOURCE else path.parent.name for path in SOURCE.rglob("*.py")}
    missing = [
        name for name in wanted - {"__init__", "csimprove"} if not (ROOT / f"tests/test_{name}.py").exists()
    ]
    assert missing == []


#: Ceiling of code lines, blanks, comments and docstrings aside; docs/decisions/0007 says what they buy.
CODE_LINES = 22_895


def test_code_stays_within_its_budget() -> None:
    total = 0
    for path in SOURCE.rglob("*.py"):
        with path.open("rb") as stream:
            lines = {
                line
                for token in tokenize.tokenize(stream.readline)
                if token.type
                not in (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
                and token.type not in (tokenize.ENCODING, tokenize.ENDMARKER)
                for line in range(token.start[0], token.end[0] + 1)
            }
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            body = getattr(node, "body", None)
            if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
                value = body[0].value
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    lines -= set(range(body[0].lineno, (body[0].end_lineno or body[0].lineno) + 1))
        total += len(lines)
    assert total <= CODE_LINES, f"{total} code lines: a decision file must say what going over buys"


def public_functions() -> list[tuple[str, ast.FunctionDef]]:
    found = []
    for path in MODULES:
        if path.name.startswith("_") and path.name != "__init__.py":
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                found.append((f"{path.relative_to(SOURCE)}:{node.name}", node))
    return found


def test_public_docstrings_name_every_parameter() -> None:
    """Functions whose docstring has a section of parameters; a line that says it all needs none."""
    missing = []
    for where, node in public_functions():
        text = ast.get_docstring(node) or ""
        if "Parameters\n" not in text:
            continue
        for argument in (*node.args.args, *node.args.kwonlyargs):
            if not re.search(rf"^(\w+, )*{argument.arg}(, \w+)*( :|$)", text, flags=re.MULTILINE):
                missing.append(f"{where}: {argument.arg}")
    assert missing == []


def test_docstring_sections_keep_their_underlines() -> None:
    pattern = re.compile(r"(Notes|Returns|Parameters|Raises|Examples) -----")
    assert [str(path) for path in MODULES if pattern.search(path.read_text(encoding="utf-8"))] == []


def test_changelog_begins_with_the_numbers_that_change() -> None:
    headings = re.findall(r"^#+ .*", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert headings[2] == "### Numbers that change"


def test_decisions_are_short() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert decisions
    assert [path.name for path in decisions if len(path.read_text(encoding="utf-8").splitlines()) > 40] == []


def test_readme_shows_the_two_commands_first_and_every_command_of_the_line() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.index("make demo") < readme.index("make test") < readme.index("conda")
    tree = ast.parse((SOURCE / "cli.py").read_text(encoding="utf-8"))
    decorated = [
        (ast.unparse(item), node.name.rstrip("_"))
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        for item in node.decorator_list
        if "command" in ast.unparse(item)
    ]
    # @app.command() names itself by its function, @code_app.command('sample') is `code sample`
    commands = [
        " ".join(grouped.groups()) if (grouped := re.match(r"(\w+)_app\.command\('(\w+)'", call)) else name
        for call, name in decorated
    ]
    assert len(commands) >= 5
    assert [name for name in commands if f"csimprove {name}" not in readme] == []
    assert len({name.split()[0] for name in commands}) <= 12


def test_no_tracked_file_names_a_machine_or_a_workplace() -> None:
    forbidden = re.compile(r"/(?:work|root|home)/\w|\.library|https?://(?:\d+\.){3}\d+")
    allowed = {Path(__file__).resolve()}
    found = []
    for path in tracked():
        if path.suffix in {".png", ".pdf", ".ttf", ".otf", ".woff2", ".parquet"} or path in allowed:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if forbidden.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    assert found == []


def test_documents_speak_of_the_project_alone() -> None:
    documents = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        *(ROOT / "docs").rglob("*.md"),
    ]
    documents += list((ROOT / "notebooks").glob("*.ipynb")) + list((ROOT / "data" / "sample").glob("*.toml"))
    assert [path.name for path in documents if "shared/" in path.read_text(encoding="utf-8")] == []


def test_no_committed_notebook_is_stripped_or_failed() -> None:
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = [
            cell
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
            if cell["cell_type"] == "code"
        ]
        assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1)), path.name
        kinds = [output["output_type"] for cell in cells for output in cell["outputs"]]
        assert "error" not in kinds, path.name
        assert "display_data" in kinds or "execute_result" in kinds, path.name
