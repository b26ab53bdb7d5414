"""Build the wheel, install it bare into an empty environment and use it as a stranger would."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def call(*command: str | Path, cwd: Path) -> str:
    """Run a command, return what it printed, stop with its output if it fails."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def main() -> None:
    """Check help, sample, init and check of the installed wheel, away from the repository."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        call(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT, cwd=folder)
        (wheel,) = folder.glob("*.whl")
        venv.create(folder / "env", with_pip=True)
        python = folder / "env" / "bin" / "python"
        call(python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel, cwd=folder)
        csimprove = folder / "env" / "bin" / "csimprove"
        assert "csimprove run" in call(csimprove, "--help", cwd=folder), "help must teach by example"
        call(csimprove, "init", "project", cwd=folder)
        notebooks = sorted(path.name for path in (folder / "project" / "notebooks").glob("*.ipynb"))
        assert notebooks == sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb")), notebooks
        call(csimprove, "sample", "try", "--small", cwd=folder)
        call(csimprove, "check", folder / "try" / "playbook.toml", cwd=folder)
        print(f"{wheel.name}: installs bare, carries {len(notebooks)} notebooks; its commands work")


if __name__ == "__main__":
    main()
