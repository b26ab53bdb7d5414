"""One notebook through papermill, and whether it truly ran to its end.

Papermill's own word cannot be trusted: after a killed kernel or a timeout its file says "completed", and
``sys.exit(0)`` in a cell is a success to it. So the executed cells are looked at.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from csimprove.playbook import notebooks
from csimprove.report import Note

#: Tag of the cell in which papermill puts the values of a run.
INJECTED = "injected-parameters"


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


@dataclass(frozen=True, slots=True)
class Executed:
    """A notebook after its run: outputs as far as it came, seconds, and the failure if there was one."""

    notebook: nbformat.NotebookNode
    seconds: float
    failure: CellFailure | None


@dataclass(slots=True)
class Job:
    """One notebook with what its run needs, and then what came of it.

    Parameters
    ----------
    name
        File name without its ending.
    notebook
        The notebook, in one language.
    origin, differs
        As of :class:`csimprove.playbook.notebooks.Playbook`.
    cwd
        Folder in which the kernel runs.
    values
        Every parameter with its checked value, paths absolute.
    notes
        Words of people about it.
    executed
        What came of it; ``None`` before its turn.
    """

    name: str
    notebook: nbformat.NotebookNode
    origin: str
    differs: bool
    cwd: Path
    values: dict[str, Any]
    notes: tuple[Note, ...] = ()
    executed: Executed | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """Values without the path of the settings, which a manifest names once."""
        return {name: value for name, value in self.values.items() if name != "settings"}


def execute(job: Job, *, output: Path, timeout: float, bar: bool = False) -> Executed:
    """Run a notebook in a fresh kernel.

    Parameters
    ----------
    job
        What to run.
    output
        File that papermill writes while it runs.
    timeout
        Seconds that one cell may take.
    bar
        Show a progress bar on stderr.

    Returns
    -------
    Executed
        Never raises for what happens inside the kernel.

    Raises
    ------
    OSError
        If ``output`` cannot be written.
    """
    # an import of 1 s that only a run needs
    import papermill  # noqa: PLC0415
    from nbclient.exceptions import CellTimeoutError, DeadKernelError  # noqa: PLC0415

    # what papermill and the kernel log is said here, once
    logging.getLogger("papermill").setLevel(logging.CRITICAL + 1)
    output.write_text(notebooks.text(job.notebook), encoding="utf-8")
    braced = str(output).replace("{", "{{").replace("}", "}}")  # papermill formats paths
    started = time.monotonic()
    reason = None
    try:
        papermill.execute_notebook(
            braced,
            braced,
            parameters=job.values,
            kernel_name="python3",
            language="python",
            cwd=str(job.cwd),
            progress_bar={"desc": job.name, "file": sys.stderr, "leave": False} if bar else False,
            execution_timeout=timeout,
            record_timing=False,
            extra_arguments=["--log-level=CRITICAL"],
        )
    except papermill.PapermillExecutionError:
        pass  # the cell holds the error
    except CellTimeoutError:  # an OSError, too
        reason = f"the cell took longer than {timeout:g} s"
    except DeadKernelError:
        reason = "the kernel died (killed, or out of memory)"
    except OSError:
        raise
    except Exception as error:  # whatever else stopped the kernel is the run's failure, not the program's
        reason = f"{type(error).__name__}: {error}"
    seconds = time.monotonic() - started
    executed = notebooks.read(output)
    return Executed(executed, seconds, _failure(executed, job.name, reason))


def tidied(notebook: nbformat.NotebookNode, parameters: Mapping[str, Any]) -> nbformat.NotebookNode:
    """Take out what papermill noted (paths, times) and write the injected cell anew with ``parameters``.

    ``parameters`` hold paths relative to where the notebook is delivered, so that it runs again from there.
    """
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        if INJECTED in cell.metadata.get("tags", ()):
            lines = [f"{name} = {value!r}" for name, value in parameters.items()]
            cell.source = "\n".join(["# Parameters of this run", *lines])
    return notebook


def _failure(notebook: nbformat.NotebookNode, name: str, reason: str | None) -> CellFailure | None:
    """Look at the executed cells; ``reason`` is what papermill raised, if it did."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if reason is not None:
        # the cell in which the kernel was when it died: the last one begun
        begun = [
            number
            for number, cell in enumerate(code, start=1)
            if cell.metadata.get("papermill", {}).get("start_time")
        ]
        number = begun[-1] if begun else 0
        return CellFailure(name, number, _line(code[number - 1]) if number else "", reason)
    for number, cell in enumerate(code, start=1):
        for output in cell.outputs:
            if output.output_type == "error":
                return CellFailure(name, number, _line(cell), _said(output))
    for number, cell in enumerate(code, start=1):
        if cell.source.strip() and cell.execution_count is None:
            return CellFailure(name, number, _line(cell), "the cell was not executed")
    return None


def _said(output: nbformat.NotebookNode) -> str:
    if output.ename == "SystemExit":
        return f"the cell ended the run (sys.exit({output.evalue}))"
    return f"{output.ename}: {output.evalue}"


def _line(cell: nbformat.NotebookNode) -> str:
    lines = [line for line in cell.source.splitlines() if line.strip() and not line.startswith("#")]
    return lines[0].strip() if lines else ""
