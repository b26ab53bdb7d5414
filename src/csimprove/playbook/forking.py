"""The kernel server: a process that has imported the libraries, and forks one kernel a notebook.

Run as ``python -m csimprove.playbook.forking SOCKET MODULE ...`` by :mod:`csimprove.playbook.kernels`. It
imports and never computes: no table, no figure, no engine. A fork copies only the thread that forks, so
threads of DuckDB, Arrow or BLAS would leave their locks behind in the copy; the server says how many threads
it has, and one with more than its own is not used. Standard library only: what it imports, kernels have.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import random
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

#: Linux: the signal that a process gets when its parent ends.
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Import the modules, say that the server is ready, fork a kernel for each request until the last."""
    channel, *modules = sys.argv[1:]
    connection = socket.socket(fileno=int(channel))
    connection.set_inheritable(False)
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # 0.3 s for a debugger that no run has a use for
    gc.disable()  # imports leave little behind, and looking for it takes a seventh of their time
    for module in modules:
        importlib.import_module(module)
    gc.enable()
    gc.collect()
    gc.freeze()  # what lies still need not be copied
    kernels: dict[int, int | None] = {}
    # a runner that ends before the imports do has closed its side
    with suppress(BrokenPipeError), connection, connection.makefile("rw", encoding="utf-8") as stream:
        answer: dict[str, Any] = {"threads": threads()}
        while True:
            stream.write(json.dumps(answer) + "\n")
            stream.flush()
            line = stream.readline()
            if not line:  # the runner has closed it, or is gone
                break
            request = json.loads(line)
            if "argv" in request:
                server, pid = os.getpid(), os.fork()
                if pid == 0:
                    stream.close()
                    connection.close()
                    become_kernel(request, server=server)
                kernels[pid] = None
                answer = {"pid": pid}
            else:
                answer = {"returncode": _returncode(kernels, request["pid"])}
    for pid, code in kernels.items():
        if code is None and _returncode(kernels, pid) is None:
            os.kill(pid, signal.SIGKILL)


def threads() -> int:
    """Count the threads of this process, on Linux also those that Python did not start."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else threading.active_count()


def become_kernel(request: dict[str, Any], *, server: int) -> None:
    """Turn the copy into a kernel with its own folder, environment and random numbers; end with it.

    Parameters
    ----------
    request
        Folder (``cwd``), environment (``env``) and arguments (``argv``) of the kernel.
    server
        Process id of the server, with which the kernel ends.
    """
    from ipykernel.kernelapp import IPKernelApp  # noqa: PLC0415  (the server imported it)

    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:  # it ended before the line above
        os._exit(1)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    sys.argv = ["ipykernel_launcher.py", *request["argv"]]
    kernel: Any = IPKernelApp.instance()
    # beside the signal: where there is none, it looks every second whether the server is there
    kernel.initialize([*request["argv"], f"--IPKernelApp.parent_handle={server}"])
    del sys.modules["debugpy"]
    kernel.start()
    # it may still flush through a thread that the exit ends first: then each would wait for the other
    kernel.control_thread.join(1)
    sys.exit()


def _returncode(kernels: dict[int, int | None], pid: int) -> int | None:
    """Say how a kernel ended, as a negative number if by a signal; ``None`` while it runs."""
    if kernels[pid] is None:
        done, status = os.waitpid(pid, os.WNOHANG)
        kernels[pid] = os.waitstatus_to_exitcode(status) if done else None
    return kernels[pid]


if __name__ == "__main__":
    main()
