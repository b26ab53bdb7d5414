"""Kernels: forked clean, strangers to one another, gone with the run; started anew where nothing can fork."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import nbformat
import papermill
import pytest

from csimprove.playbook import engine, execution, forking, kernels
from csimprove.playbook.notebooks import Notebook

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.skipif(not kernels.can_fork(), reason="kernels are forked on Linux only")


def job(name: str, *sources: str, cwd: Path = ROOT) -> Notebook:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    return Notebook(name, cwd, "project", True, nbformat.v4.new_notebook(cells=cells))


def run(one: Notebook, *, isolated: bool = False) -> None:
    execution.execute_all([one], isolated=isolated)


def printed(one: Notebook) -> list[str]:
    """What a notebook printed; its failure is the test's."""
    assert one.failure is None
    outputs = [output for cell in one.content.cells for output in cell.outputs]
    return "".join(output.text for output in outputs if output.output_type == "stream").split()


def gone(pid: int, seconds: float = 10) -> bool:
    """Whether a process ends within some seconds; one that waits to be reaped has ended."""
    for _ in range(int(seconds * 20)):
        stat = Path(f"/proc/{pid}/stat")
        try:
            if stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module", autouse=True)
def _leave_no_server() -> Iterator[None]:
    yield
    kernels.stop()


@pytest.fixture
def server() -> kernels.KernelServer:
    """One server for the tests that leave it as it is."""
    return kernels.serve()


@pytest.fixture
def no_server() -> None:
    """The test starts its own."""
    kernels.stop()


@pytest.mark.slow
def test_kernels_are_forked_from_a_server_of_one_thread_that_has_the_libraries(
    server: kernels.KernelServer,
) -> None:
    assert server.ready()
    one = job(
        "01_a",
        "import os, sys\nprint(os.getppid(), 'matplotlib' in sys.modules, 'narwhals' in sys.modules)",
        "print('duckdb' in sys.modules, 'debugpy' in sys.modules, os.environ.get('OPENBLAS_NUM_THREADS'))",
    )
    run(one)
    assert printed(one) == [str(server.process.pid), "True", "True", "False", "False", "None"]


@pytest.mark.slow
def test_a_server_with_threads_is_not_forked_from(
    no_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "threaded.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(kernels, "preloaded", lambda: ["threaded"])
    with kernels.server():
        assert not kernels.serve().ready()
        one = job("01_a", "import os\nprint(os.getppid())")
        run(one)
    assert printed(one) == [str(os.getpid())]


@pytest.mark.slow
def test_a_server_whose_runner_ends_before_it_is_ready_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(0.5)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    kernels.KernelServer(["slow"]).close()
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_a_server_that_cannot_import_is_not_forked_from(
    no_server: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "preloaded", lambda: ["no_such_module"])
    with kernels.server():
        assert not kernels.serve().ready()


@pytest.mark.slow
def test_notebooks_share_no_state_no_folder_and_no_random_numbers(
    server: kernels.KernelServer, tmp_path: Path
) -> None:
    sources = (
        "import csimprove.wording as module, os, random, numpy\n"
        "print(hasattr(module, 'LEFT_BEHIND'), 'LEFT_BEHIND' in os.environ)",
        "module.LEFT_BEHIND = os.environ['LEFT_BEHIND'] = 'here'\nnumpy.set_printoptions(precision=2)",
        "print(numpy.random.random(), random.random(), 'LEFT_BEHIND' in globals(), os.getcwd())",
    )
    jobs = []
    for number in range(6):
        folder = tmp_path / f"folder {number}"
        folder.mkdir()
        jobs.append(job(f"0{number}_a", *sources, cwd=folder))
    told: list[str] = []
    assert execution.execute_all(jobs, workers=3, told=lambda one: told.append(one.name)) == []
    assert told == [one.name for one in jobs]
    words = [printed(one) for one in jobs]
    assert {tuple(line[:2]) for line in words} == {("False", "False")}
    assert len({line[2] for line in words}) == len({line[3] for line in words}) == len(jobs)
    assert [" ".join(line[5:]) for line in words] == [str(one.cwd) for one in jobs]
    assert Path.cwd() not in {one.cwd for one in jobs}


@pytest.mark.slow
@pytest.mark.parametrize("isolated", [False, True], ids=["forked", "isolated"])
def test_a_figure_of_the_users_own_is_shown(server: kernels.KernelServer, isolated: bool) -> None:
    one = job("01_a", "import matplotlib.pyplot as plt\nplt.plot([1, 2]);")
    run(one, isolated=isolated)
    assert one.failure is None
    assert [list(output.data) for output in one.content.cells[0].outputs] == [["text/plain", "image/png"]]


@pytest.mark.slow
def test_a_crashed_kernel_is_told_and_the_next_one_runs(server: kernels.KernelServer) -> None:
    crashed = job("01_a", "x = 1", "import ctypes\nctypes.string_at(0)")
    after = job("02_b", "print('runs')")
    run(crashed)
    assert str(crashed.failure) == (
        "01_a failed in code cell 2 (`import ctypes`): the kernel died (killed, or out of memory)."
    )
    run(after)
    assert printed(after) == ["runs"]


@pytest.mark.slow
def test_a_server_that_ends_in_the_middle_is_a_failure_of_the_notebook(no_server: None) -> None:
    with kernels.server():
        one = job("01_a", "import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(60)")
        run(one)
        next_one = job("02_b", "1")
        run(next_one)
    assert str(one.failure) == (
        "01_a failed in code cell 1 (`import os, signal, time`): the kernel died (killed, or out of memory)."
    )
    assert str(next_one.failure) == (
        "02_b could not be started: ConnectionResetError: the server of kernels ended."
    )


@pytest.mark.slow
def test_kernels_take_no_port_and_leave_no_file(
    server: kernels.KernelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = (
        "import ipykernel, json\nsaid = json.loads(ipykernel.get_connection_info())\nprint(said['transport'])"
    )
    with tempfile.TemporaryDirectory(prefix="t") as place:
        monkeypatch.setattr(tempfile, "tempdir", place)
        one = job("01_a", source)
        run(one)
        assert printed(one) == ["ipc"]
        assert list(Path(place).iterdir()) == []
        long = Path(place, "x" * 90)
        long.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(long))
        other = job("01_a", source)
        run(other)
        assert printed(other) == ["tcp"]


@pytest.mark.slow
def test_a_kernel_ends_without_waiting_for_its_own_threads(
    server: kernels.KernelServer, tmp_path: Path
) -> None:
    for number in range(4):  # it went wrong more often than not
        note = tmp_path / str(number)
        left = f"open({str(note)!r}, 'w').write(' '.join(one.name for one in threading.enumerate()))"
        run(job("01_a", f"import atexit, threading\natexit.register(lambda: {left})"))
        assert "Control" not in note.read_text().split()


@pytest.mark.slow
def test_a_kernel_is_ready_before_its_turn_and_turns_keep_their_order(server: kernels.KernelServer) -> None:
    source = (
        "import time, psutil\nstarted = time.time()\ntime.sleep(1)\n"
        "print(*(round(one % 100_000, 2) for one in (psutil.Process().create_time(), started, time.time())))"
    )
    jobs = [job(f"0{number}", source) for number in (1, 2, 3)]
    assert execution.execute_all(jobs, workers=1) == []
    spans = [tuple(map(float, printed(one))) for one in jobs]
    for (_, _, ended), (born, started, _) in itertools.pairwise(spans):
        assert born < ended <= started
    born, _, ended = spans[-1]
    assert jobs[-1].seconds is not None
    assert jobs[-1].seconds < ended - born  # waiting is no work


@pytest.mark.slow
def test_kernels_end_with_the_runner_however_it_ends(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    source = (
        f"import os, time\nprint(os.getpid(), os.getppid(), file=open({str(note)!r}, 'w'), flush=True)\n"
        "time.sleep(90)"
    )
    program = (
        "import nbformat\nfrom pathlib import Path\nfrom csimprove.playbook import execution\n"
        "from csimprove.playbook.notebooks import Notebook\n"
        f"content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell({source!r})])\n"
        "execution.execute_all([Notebook('01_a', Path('.'), 'project', True, content)])\n"
    )
    runner = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path)
    try:
        while not (note.exists() and note.read_text().endswith("\n")):
            assert runner.poll() is None
            time.sleep(0.05)
        kernel, server = map(int, note.read_text().split())
        assert not gone(kernel, 0.1)
    finally:
        runner.send_signal(signal.SIGKILL)
        runner.wait()
    assert gone(server)
    assert gone(kernel)


@pytest.mark.slow
@pytest.mark.parametrize("isolated", [False, True], ids=["forked", "isolated"])
def test_an_interrupt_ends_the_kernels_at_once(no_server: None, isolated: bool, tmp_path: Path) -> None:
    def interrupt(_: Notebook) -> None:
        raise KeyboardInterrupt

    started = time.monotonic()
    begun = str(tmp_path / "begun")
    waiter = f"import os, time\nwhile not os.path.exists({begun!r}): time.sleep(0.05)"
    sleeper = f"import time\nopen({begun!r}, 'w').close()\ntime.sleep(90)"
    jobs = [job("01_a", waiter), *(job(name, sleeper) for name in ("02_b", "03_c", "04_d", "05_e"))]
    with pytest.raises(KeyboardInterrupt):
        execution.execute_all(jobs, isolated=isolated, told=interrupt)
    assert time.monotonic() - started < 60
    assert jobs[1].failure is not None
    assert [jobs[3].seconds, jobs[4].seconds] == [None, None]
    assert kernels.running == []


@pytest.mark.slow
def test_where_nothing_can_be_forked_kernels_are_started(
    no_server: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not kernels.can_fork()
    monkeypatch.undo()
    monkeypatch.delattr(os, "fork")
    assert not kernels.can_fork()
    monkeypatch.setattr(kernels, "KernelServer", lambda: pytest.fail("a server was started"))
    one = job("01_a", "import os\nprint(os.getppid())")
    assert execution.execute_all([one]) == []
    assert printed(one) == [str(os.getpid())]


@pytest.mark.slow
def test_papermill_writes_nothing_while_a_notebook_runs(
    server: kernels.KernelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (papermill.engines, papermill.execute):
        write = module.write_ipynb
        monkeypatch.setattr(
            module, "write_ipynb", lambda nb, path, write=write: path and pytest.fail("written")
        )
    one = job("01_a", "print(1)", "print(2)")
    run(one)
    assert printed(one) == ["1", "2"]


@pytest.mark.slow
def test_papermill_finds_the_engine_by_its_name(server: kernels.KernelServer, tmp_path: Path) -> None:
    (found,) = (one for one in entry_points(group="papermill.engine") if one.name == "csimprove")
    assert found.load() is engine.FastEngine
    nbformat.write(job("01_a", "import os\nprint(os.getppid())").content, tmp_path / "in.ipynb")
    done = papermill.execute_notebook(
        str(tmp_path / "in.ipynb"), None, engine_name="csimprove", kernel_name="python3", progress_bar=False
    )
    assert done.cells[0].outputs[0].text.strip() == str(server.process.pid)


def test_the_threads_of_a_process_are_counted() -> None:
    assert forking.threads() >= 1
