"""One notebook through papermill, and whether it truly ran to its end.

Papermill's own word cannot be trusted: after a killed kernel or a timeout its file says "completed", and
``sys.exit(0)`` in a cell is a success to it. So the executed cells are looked at.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat

from csimprove.errors import RunError
from csimprove.playbook import kernels, notebooks
from csimprove.playbook.notebooks import CellFailure, Notebook

#: Tag of the cell in which papermill puts the values of a run.
INJECTED = "injected-parameters"

#: Notebooks whose cells are executed at a time.
WORKERS = 2

#: Seconds that one cell may take, unless told otherwise.
TIMEOUT = 600.0


class Turn:
    """A notebook's turn to execute its cells: in order, so many at a time, and none after a failure.

    Kernels start and end beside the cells of other notebooks: most of that is waiting.
    """

    def __init__(
        self, job: Notebook, before: Turn | None, free: threading.Semaphore, failed: threading.Event
    ) -> None:
        self.job, self._before, self._free, self._failed = job, before, free, failed
        self.came = threading.Event()
        self.waited = 0.0

    @property
    def missed(self) -> bool:
        """Whether another notebook failed before the turn came."""
        return self._failed.is_set() and not self.came.is_set()

    def __enter__(self) -> None:
        asked = time.monotonic()
        if self._before:
            self._before.came.wait()
        self._free.acquire()
        self.waited = time.monotonic() - asked
        if self.missed:
            self._free.release()
            raise TimeoutError
        self.came.set()

    def __exit__(self, *raised: object) -> None:
        # the next one must know before its turn comes
        if any(raised) or _failure(self.job, None):
            self._failed.set()
        self._free.release()


def execute(turn: Turn, *, timeout: float = TIMEOUT, isolated: bool = False) -> None:
    """Run a notebook in a kernel of its own; its content, seconds and failure become those of the run.

    Nothing is written: neither folder nor files of this process change, so threads may do it.

    Parameters
    ----------
    turn
        What to run, and when its cells are executed; a notebook whose turn is missed has no seconds.
    timeout
        Seconds that one cell may take.
    isolated
        Start the kernel anew instead of forking it.
    """
    # imports of 1 s that only a run needs
    import papermill  # noqa: PLC0415
    from jupyter_core.utils import ensure_event_loop  # noqa: PLC0415
    from nbclient.exceptions import CellTimeoutError, DeadKernelError  # noqa: PLC0415

    from csimprove.playbook.engine import FastEngine  # noqa: PLC0415
    from csimprove.tickets.masking import hide_contacts  # noqa: PLC0415

    # what papermill and the kernel log is said here, once
    logging.getLogger("papermill").setLevel(logging.CRITICAL + 1)
    python = {"kernel_name": "python3", "progress_bar": False}
    job, started = turn.job, time.monotonic()
    job.content = papermill.execute_notebook(
        job.content, None, parameters=job.values, prepare_only=True, language="python", **python
    )
    reason = None
    try:
        FastEngine.execute_notebook(
            job.content,
            **python,
            isolated=isolated,
            turn=turn,
            execution_timeout=timeout,
            record_timing=False,
            resources={"metadata": {"path": str(job.cwd)}},
            extra_arguments=["--log-level=CRITICAL"],
        )
    except CellTimeoutError:
        reason = f"the cell took longer than {timeout:g} s"
    except DeadKernelError:
        reason = "the kernel died (killed, or out of memory)"
    except Exception as error:  # whatever else stopped the kernel is the run's failure, not the program's
        if turn.missed:
            return
        reason = hide_contacts(f"{type(error).__name__}: {error}")
    finally:
        ensure_event_loop().close()  # one was opened for this thread
    job.seconds = time.monotonic() - started - turn.waited
    noted = (cell.metadata.get("papermill", {}).get("duration") for cell in job.content.cells)
    job.cell_seconds = sum(seconds or 0 for seconds in noted)
    job.content = _masked(job.content)
    job.failure = _failure(job, reason)


def execute_all(
    jobs: Sequence[Notebook],
    *,
    timeout: float = TIMEOUT,
    workers: int = WORKERS,
    isolated: bool = False,
    told: Callable[[Notebook], None] = lambda job: None,
) -> list[CellFailure]:
    """Run notebooks, several at a time; after a failure no other is begun.

    Parameters
    ----------
    jobs
        What to run, in order; those that are unchanged are only told.
    timeout
        Seconds that one cell may take.
    workers
        Notebooks whose cells are executed at a time.
    isolated
        Start every kernel anew instead of forking it.
    told
        Called for each notebook that has run, in their order.

    Returns
    -------
    list of CellFailure
        Of all that failed, in order; empty if the run is good.
    """
    free, failed = threading.Semaphore(workers), threading.Event()

    def run(turn: Turn) -> None:
        try:
            if not failed.is_set() and not turn.job.unchanged_from:
                execute(turn, timeout=timeout, isolated=isolated)
                if turn.job.failure:
                    failed.set()
        finally:
            turn.came.set()  # also of one that never had it: the next waits for this

    turns: list[Turn] = []
    for job in jobs:
        turns.append(Turn(job, turns[-1] if turns else None, free, failed))
    # one more than may work: its kernel is ready when a turn comes
    with kernels.server(isolated=isolated), ThreadPoolExecutor(workers + 1) as pool:
        pending = [pool.submit(run, turn) for turn in turns]
        try:
            for job, one in zip(jobs, pending, strict=True):
                one.result()
                if job.seconds is not None or job.unchanged_from:
                    told(job)
        except BaseException:  # an interrupt, above all
            failed.set()
            while not all(one.done() for one in pending):  # one may just be starting its kernel
                kernels.stop()
                time.sleep(0.1)
            raise
    return [job.failure for job in jobs if job.failure]


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
        If a cell fails; then every file stays as it was.
    """
    paths = sorted(Path(folder).glob(notebooks.PATTERN))
    jobs = [
        Notebook(path.stem, path.parent, "package", False, notebooks.without_outputs(notebooks.read(path)))
        for path in paths
    ]
    if failures := execute_all(jobs):
        raise RunError("\n".join(map(str, failures)))
    changed = []
    for path, job in zip(paths, jobs, strict=True):
        fresh = notebooks.text(notebooks.plain(job.content))
        if fresh != path.read_text(encoding="utf-8"):
            changed.append(path.name)
            if write:
                path.write_text(fresh, encoding="utf-8")
    return changed


def _masked(content: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Hide contacts in what cells printed and in the errors that they ended with."""
    from csimprove.tickets.masking import hide_contacts  # noqa: PLC0415  (pandas, as above)

    outputs = (output for cell in content.cells for output in cell.get("outputs", ()))
    for output in outputs:
        if output.output_type == "stream":
            output.text = hide_contacts(output.text)
        elif output.output_type == "error":
            output.evalue = hide_contacts(output.evalue)
            output.traceback = [hide_contacts(line) for line in output.traceback]
    return content


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
