"""An engine of papermill whose kernels are forked: ``papermill --engine csimprove in.ipynb out.ipynb``."""

from __future__ import annotations

import os
import tempfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager
from traitlets.config import Config

from csimprove.playbook import kernels

#: Characters of a folder whose files can be sockets; systems allow 104 in all.
_LONGEST = 90


class KnownManager(AsyncKernelManager):
    """Manager of one kernel, which is started; an interrupted run ends it."""

    async def _async_launch_kernel(self, kernel_cmd: list[str], **options: Any) -> None:
        await super()._async_launch_kernel(kernel_cmd, **options)
        kernels.running.append(self.provisioner.process)  # type: ignore[union-attr]

    async def _async_finish_shutdown(
        self, waittime: float | None = None, pollinterval: float = 0.01, restart: bool = False
    ) -> None:
        await super()._async_finish_shutdown(waittime, pollinterval, restart)


class ForkingManager(KnownManager):
    """Manager of one kernel that is forked, if the server may fork, else started."""

    async def _async_launch_kernel(self, kernel_cmd: list[str], **options: Any) -> None:
        server, place = kernels.serve(), self.provisioner
        assert place is not None
        if not server.ready():
            await super()._async_launch_kernel(kernel_cmd, **options)
            return
        argv = kernel_cmd[kernel_cmd.index("-f") :]
        folder, environment = options.get("cwd") or ".", options.get("env") or {**os.environ}
        process = kernels.ForkedProcess(server, argv=argv, cwd=str(Path(folder).resolve()), env=environment)
        place.process = process  # type: ignore[attr-defined]
        place.pid = place.pgid = process.pid  # type: ignore[attr-defined]
        self._reconcile_connection_info(place.connection_info)


class PatientClient(PapermillNotebookClient):  # type: ignore[misc]
    """Papermill's client; its kernel starts at once, its cells wait for their turn."""

    turn: AbstractContextManager[object]

    def papermill_execute_cells(self) -> None:
        """Execute the cells when their turn comes."""
        with self.turn:
            super().papermill_execute_cells()


class FastEngine(NBClientEngine):  # type: ignore[misc]
    """Papermill's own engine, with kernels that are forked where the system can."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        isolated: bool = False,
        turn: AbstractContextManager[object] | None = None,
        execution_timeout: float | None = None,
        start_timeout: int = 60,
        **options: Any,
    ) -> None:
        """Execute a notebook in a kernel of its own.

        Parameters
        ----------
        nb_man
            Papermill's hold on the notebook.
        kernel_name
            Name of the kernel; a forked one is Python of this environment.
        isolated
            Start the kernel as papermill does.
        turn
            Entered while cells are executed, after the start of the kernel and before its end.
        execution_timeout, start_timeout
            Seconds for a cell and for the start of the kernel.
        **options
            As of papermill's client.
        """
        forking = kernels.can_fork() and not isolated
        with tempfile.TemporaryDirectory(prefix="csimprove-") as place:
            # a port that is free when it is chosen may be taken when the kernel wants it: a file is not
            files = {"transport": "ipc", "ip": f"{place}/k"}
            can = os.name == "posix" and len(place) < _LONGEST
            client = PatientClient(
                nb_man,
                kernel_name=kernel_name,
                kernel_manager_class=ForkingManager if forking else KnownManager,
                timeout=execution_timeout,
                startup_timeout=start_timeout,
                config=Config(KernelManager=files if can else {}),
                **{name: value for name, value in options.items() if name != "input_path"},
            )
            client.turn = turn or nullcontext()
            client.execute()
