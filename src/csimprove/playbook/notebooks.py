"""The playbook's notebooks as files: finding, choosing, adopting them."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import nbformat

from csimprove.errors import SettingsError
from csimprove.settings import Language, Settings
from csimprove.settings.texts import hint

if TYPE_CHECKING:  # a run with nothing to do need not wait for it
    from csimprove.report import Note

#: Folder of a project's own copies, beside its settings.
FOLDER = "notebooks"

#: Names of notebooks begin with two digits, which order them.
PATTERN = "[0-9][0-9]_*.ipynb"

#: Settings file as seen from a project's notebooks.
PROJECT_SETTINGS = "../playbook.toml"


@dataclass(frozen=True, slots=True)
class CellFailure:
    """Why a notebook did not run to its end.

    Parameters
    ----------
    notebook
        Its name.
    cell
        Number of the failing cell among the code cells of the executed notebook; 0: no cell was reached.
    source
        First line of that cell.
    reason
        Error and message, or what became of the kernel.
    """

    notebook: str
    cell: int
    source: str
    reason: str

    def __str__(self) -> str:
        where = f"failed in code cell {self.cell} (`{self.source}`)" if self.cell else "could not be started"
        return f"{self.notebook} {where}: {self.reason.rstrip('.')}."


@dataclass(slots=True)
class Notebook:
    """One notebook of a playbook: where it came from, what its run needs, then what came of it.

    Parameters
    ----------
    name
        File name without its ending, such as ``01_baseline``.
    cwd
        Folder in which its kernel runs.
    origin
        ``"project"``: the copy beside the settings; ``"package"``.
    differs
        Whether a cell differs from the package's notebook of that name (also if the package has none).
    content
        The notebook as nbformat reads it; after its run with outputs as far as it came.
    values
        Every parameter with its checked value, paths absolute.
    notes
        Words of people about it.
    seconds
        How long it ran; ``None`` before its turn.
    cell_seconds
        How much of that its cells took.
    failure
        Why it did not run to its end.
    unchanged_from
        Run from which it was taken instead.
    """

    name: str
    cwd: Path
    origin: Literal["project", "package"]
    differs: bool
    content: nbformat.NotebookNode
    values: dict[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    seconds: float | None = None
    cell_seconds: float = 0.0
    failure: CellFailure | None = None
    unchanged_from: str | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """Values without the path of the settings, which a manifest names once."""
        return {name: value for name, value in self.values.items() if name != "settings"}


def package_folder() -> Path:
    """Return the folder of the notebooks that come with the package.

    In an editable installation that is the repository's ``notebooks/``.
    """
    here = Path(__file__).resolve()
    installed = here.parents[1] / FOLDER
    return installed if installed.is_dir() else here.parents[3] / FOLDER


def available(settings: Settings) -> list[Notebook]:
    """Return every notebook of a project in order: its own copy where it has one, else the package's."""
    ours, own = (
        {path.stem: path for path in folder.glob(PATTERN)}
        for folder in (package_folder(), settings.folder / FOLDER)
    )
    found = []
    for name, path in sorted({**ours, **own}.items()):
        content = read(path)
        if name in own:
            packaged = read(ours[name]) if name in ours else None
            same = packaged and _code(content) in (_code(packaged), _code(adopted(packaged)))
            found.append(Notebook(name, path.parent, "project", not same, content))
        else:
            found.append(Notebook(name, path.parent, "package", False, content))
    return found


def chosen(settings: Settings, only: Iterable[str] = ()) -> list[Notebook]:
    """Return the notebooks to run.

    Parameters
    ----------
    settings
        The project's settings.
    only
        Numbers (``"05"``) or names (``"05_pilot_evaluation"``, ``"pilot_evaluation"``); none: every notebook
        whose needs the settings meet.

    Returns
    -------
    list of Notebook
        In order.

    Raises
    ------
    SettingsError
        If a name is unknown, or a notebook named here needs a section that the settings do not have.
    """
    every = available(settings)
    picked = []
    for name in only:
        found = [one for one in every if name in (one.name, one.name[3:]) or name.zfill(2) == one.name[:2]]
        if not found:
            raise SettingsError(
                f"`only` must name notebooks, not {name!r}.{hint(name, [one.name for one in every])}"
            )
        if missing := _missing(found[0], settings):
            advice = f" in {settings.file.name}. Add it; `csimprove init DIR` writes an example."
            if missing[0] == "pilot" and settings.only:
                advice = ": it compares groups, and a part of the tickets has none. Leave it out of `--only`."
            raise SettingsError(f"{found[0].name} needs [{missing[0]}]{advice}")
        picked += found
    return [one for one in every if (one in picked if picked else not _missing(one, settings))]


def title(notebook: nbformat.NotebookNode, name: str) -> str:
    """Return the question that is the notebook's first heading, else its name."""
    prose = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    found = re.search(r"^# (.+)$", "\n".join(prose), flags=re.MULTILINE)
    return found[1].strip() if found else name


def read(path: Path) -> nbformat.NotebookNode:
    """Read one notebook file; a file that is none is a SettingsError."""
    try:
        notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise SettingsError(f"{path.name} must be a notebook: {reason}. Copy it again.") from None
    return notebook


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """Return the tags of a cell, sorted."""
    return sorted(cell.metadata.get("tags", ()))


def text(notebook: nbformat.NotebookNode) -> str:
    """Return a notebook as the text of its file."""
    return f"{nbformat.writes(notebook)}\n"  # type: ignore[no-untyped-call]


def in_language(notebook: nbformat.NotebookNode, language: Language) -> nbformat.NotebookNode:
    """Return a copy without the prose of the other languages (cells tagged ``lang-...``)."""
    result = copy.deepcopy(notebook)
    result.cells = [
        cell
        for cell in result.cells
        if {tag for tag in tags(cell) if tag.startswith("lang-")} <= {f"lang-{language}"}
    ]
    return result


def adopted(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a project's copy: without outputs, and its settings are the playbook.toml one folder up."""
    result = without_outputs(notebook)
    for cell in result.cells:
        if "parameters" in tags(cell):
            cell.source = re.sub(
                r'^(settings\b[^=]*= )"[^"]*"', rf'\1"{PROJECT_SETTINGS}"', cell.source, flags=re.MULTILINE
            )
    return result


def without_outputs(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a copy as if it had never been run."""
    result = copy.deepcopy(notebook)
    for cell in result.cells:
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    return result


def plain(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Keep of the metadata only what does not depend on who ran the notebook, when and with which Python."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        **{key: value for key, value in notebook.metadata.items() if key == "csimprove"},
    }
    for cell in notebook.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key == "tags" and value}
    return notebook


def _missing(one: Notebook, settings: Settings) -> list[str]:
    """Sections that the settings lack, without which the notebook has nothing to say."""
    needs = one.content.metadata.get("csimprove", {}).get("needs", ())
    return [section for section in needs if not getattr(settings, section, None)]


def _code(notebook: nbformat.NotebookNode) -> list[tuple[str, str, list[str]]]:
    """Return what a reader sees, without what a run adds; code counts by what it says, not how it is set."""
    return [(cell.cell_type, _said(cell), tags(cell)) for cell in notebook.cells]


def _said(cell: nbformat.NotebookNode) -> str:
    if cell.cell_type != "code":
        return str(cell.source).strip()
    try:
        return ast.dump(ast.parse(cell.source))
    except SyntaxError:
        return str(cell.source)
