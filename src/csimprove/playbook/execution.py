"""One notebook through papermill, and whether it truly ran to its end.

Papermill's own word cannot be trusted: after a killed kernel or a timeout its file says "completed", and
``sys.exit(0)`` in a cell is a success to it. So the executed cells are looked at.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from csimprove.errors import RunError
from csimprove.playbook import notebooks
from csimprove.playbook.notebooks import CellFailure, Notebook

#: Tag of the cell in which papermill puts the values of a run.
INJECTED = "injected-parameters"


def execute(job: Notebook, *, output: Path, timeout: float, quiet: bool = False) -> None:
    """Run a notebook in a fresh kernel; its content, seconds and failure become those of the run.

    Parameters
    ----------
    job
        What to run.
    output
        File that papermill writes while it runs.
    timeout
        Seconds that one cell may take.
    quiet
        Show no progress bar; there is none without a terminal, either.

    Raises
    ------
    OSError
        If ``output`` cannot be written; never for what happens inside the kernel.
    """
    # an import of 1 s that only a run needs
    import papermill  # noqa: PLC0415
    from nbclient.exceptions import CellTimeoutError, DeadKernelError  # noqa: PLC0415

    # what papermill and the kernel log is said here, once
    logging.getLogger("papermill").setLevel(logging.CRITICAL + 1)
    output.write_text(notebooks.text(job.content), encoding="utf-8")
    braced = str(output).replace("{", "{{").replace("}", "}}")  # papermill formats paths
    bar = {"desc": job.name, "file": sys.stderr, "leave": False, "disable": None}  # None: without a terminal
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
            progress_bar=False if quiet else bar,
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
    job.seconds = time.monotonic() - started
    job.content = notebooks.read(output)
    job.failure = _failure(job, reason)


def refresh(folder: str | Path, *, write: bool = True) -> list[str]:
    """Execute the notebooks of a folder in place, so that two refreshes write the same bytes.

    Parameters
    ----------
    folder
        Folder of the notebooks; each runs in it, with its own parameters.
    write
        False: leave the files as they are.

    Returns
    -------
    list of str
        Names of the files whose bytes change.

    Raises
    ------
    RunError
        If a cell fails; that file stays as it was.
    """
    changed = []
    for path in sorted(Path(folder).glob(notebooks.PATTERN)):
        content = notebooks.without_outputs(notebooks.read(path))
        job = Notebook(path.stem, path.parent, "package", False, content)
        with tempfile.TemporaryDirectory() as place:
            execute(job, output=Path(place, path.name), timeout=600, quiet=True)
        if job.failure:
            raise RunError(str(job.failure))
        fresh = notebooks.text(notebooks.plain(job.content))
        if fresh != path.read_text(encoding="utf-8"):
            changed.append(path.name)
            if write:
                path.write_text(fresh, encoding="utf-8")
    return changed


def _failure(job: Notebook, reason: str | None) -> CellFailure | None:
    """Look at the executed cells; ``reason`` is what papermill raised, if it did."""
    code = [*enumerate((cell for cell in job.content.cells if cell.cell_type == "code"), start=1)]
    if reason is not None:
        # the cell in which the kernel was when it died: the last one begun
        begun = [pair for pair in code if pair[1].metadata.get("papermill", {}).get("start_time")]
        number, source = (begun[-1][0], _line(begun[-1][1])) if begun else (0, "")
        return CellFailure(job.name, number, source, reason)
    for number, cell in code:
        for output in cell.outputs:
            if output.output_type == "error":
                return CellFailure(job.name, number, _line(cell), _said(output))
        if cell.source.strip() and cell.execution_count is None:
            return CellFailure(job.name, number, _line(cell), "the cell was not executed")
    return None


def _said(error: nbformat.NotebookNode) -> str:
    if error.ename == "SystemExit":
        return f"the cell ended the run (sys.exit({error.evalue}))"
    return f"{error.ename}: {error.evalue}"


def _line(cell: nbformat.NotebookNode) -> str:
    lines = (line.strip() for line in cell.source.splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "")
