"""The runner's side of the kernel server: starting it, asking it for kernels, ending it."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import csimprove

#: What every kernel imports.
_KERNEL = (
    "ipykernel.kernelapp",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.extensions.storemagic",
    "psutil",
    "sqlite3",
    "tornado.platform.asyncio",
)

#: Own modules that no notebook needs.
_NOT_PRELOADED = ("cli", "playbook", "samples")

#: Libraries read these when they are imported: no thread may be started in the server.
_QUIET = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
_BACKEND = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}

#: Kernels that were started, not forked.
running: list[subprocess.Popen[bytes]] = []

_starting = threading.Lock()


def can_fork() -> bool:
    """Whether kernels may be forked: not on Windows, and not on a Mac, whose libraries forbid it."""
    return hasattr(os, "fork") and sys.platform != "darwin"


def preloaded() -> list[str]:
    """Return the modules that the server imports: what a kernel is, and this package with its libraries."""
    own = sorted(module.name for module in pkgutil.iter_modules(csimprove.__path__))
    return [*_KERNEL, *(f"csimprove.{name}" for name in own if not name.startswith(_NOT_PRELOADED))]


class KernelServer:
    """A running kernel server; requests of several threads are answered one after the other."""

    def __init__(self, modules: list[str] | None = None) -> None:
        ours, theirs = socket.socketpair()
        program = [sys.executable, "-P", "-m", "csimprove.playbook.forking", str(theirs.fileno())]
        with theirs:
            self.process = subprocess.Popen(
                [*program, *(preloaded() if modules is None else modules)],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**_BACKEND, **os.environ, **_QUIET},
                start_new_session=True,  # an interrupt is the runner's to answer
            )
        with ours:
            self._stream = ours.makefile("rw", encoding="utf-8")
        self._lock = threading.Lock()
        self._ready: dict[str, Any] | None = None

    def ready(self) -> bool:
        """Wait until the server has imported everything; whether it may fork."""
        with self._lock, contextlib.suppress(OSError, ValueError):
            if self._ready is None:
                self._ready = {}
                self._ready = json.loads(self._stream.readline())
        return (self._ready or {}).get("threads") == 1

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send one request and return its answer; OSError if the server is gone."""
        answer = ""
        with self._lock, contextlib.suppress(OSError, ValueError):  # gone, or closed
            self._stream.write(json.dumps(request) + "\n")
            self._stream.flush()
            answer = self._stream.readline()
        if not answer:
            raise ConnectionResetError("the server of kernels ended")
        return dict(json.loads(answer))

    def close(self) -> None:
        """End the server and every kernel that still runs."""
        with contextlib.suppress(OSError):
            self._stream.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class ForkedProcess:
    """A forked kernel, as jupyter_client expects a process to be."""

    stdin = stdout = stderr = None

    def __init__(self, server: KernelServer, **request: Any) -> None:
        self._server = server
        self.pid: int = server.ask(**request)["pid"]
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Say how it ended; ``None`` while it runs."""
        if self.returncode is None:
            try:
                self.returncode = self._server.ask(pid=self.pid)["returncode"]
            except OSError:  # the server is gone, and its kernels with it
                self.returncode = -signal.SIGKILL
        return self.returncode

    def wait(self) -> int:
        """Wait for the end and say how it was."""
        while (code := self.poll()) is None:
            time.sleep(0.01)
        return code

    def send_signal(self, signum: int) -> None:
        """Send a signal while it runs."""
        if self.poll() is None:
            os.kill(self.pid, signum)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


_current: KernelServer | None = None


def serve() -> KernelServer:
    """Return the running server, started now if there is none; it ends with this process at the latest."""
    global _current
    with _starting:
        if _current is None:
            _current = KernelServer()
            atexit.register(stop)
        return _current


def stop() -> None:
    """End the running server, if there is one, and every kernel that still runs."""
    global _current
    while running:
        running.pop().kill()  # of one that has ended nothing is left to kill
    with _starting:
        if _current is not None:
            _current.close()
            atexit.unregister(stop)
            _current = None


@contextmanager
def server(*, isolated: bool = False) -> Iterator[None]:
    """Keep a server while a run lasts: what it imported is then as old as the run, and nothing is left."""
    outermost = _current is None
    if can_fork() and not isolated:
        serve()
    try:
        yield
    finally:
        if outermost:
            stop()
