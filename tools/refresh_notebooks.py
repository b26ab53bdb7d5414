"""Execute the committed notebooks again; with --check only say whether that would change a file."""

from __future__ import annotations

import sys
from pathlib import Path

from csimprove import playbook

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"


def main() -> None:
    """Print the notebooks that changed; exit 1 if any would under --check."""
    check = "--check" in sys.argv[1:]
    changed = playbook.refresh(FOLDER, write=not check)
    for name in changed:
        print(f"{name} {'is not what a new execution gives: run `make notebooks`' if check else 'refreshed'}")
    sys.exit(1 if check and changed else 0)


if __name__ == "__main__":
    main()
