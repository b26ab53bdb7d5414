"""The register: one readable TOML file a cycle, read as a whole, written one by one."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from csimprove.errors import SettingsError
from csimprove.pdca.cycle import Cycle, course
from csimprove.settings import Settings, line_of, problems, slug

#: Names of the files begin with four digits, the number of the cycle.
PATTERN = "[0-9][0-9][0-9][0-9]-*.toml"
_HEAD = "# Written by `csimprove pdca`. Edit the words freely; comments are lost at the next command.\n"
_SLUG = 40
_ARRAYS = ("checks", "history")


def read_register(settings: Settings) -> tuple[Cycle, ...]:
    """Read every cycle of a project, in the order of their numbers.

    Parameters
    ----------
    settings
        The project's settings: ``pdca.folder`` lies beside them.

    Returns
    -------
    tuple of Cycle
        Empty if there is no folder.

    Raises
    ------
    SettingsError
        If a file breaks a rule; the message lists every broken rule of every file with its line.
    """
    found: list[Cycle] = []
    wrong: list[str] = []
    numbers: dict[int, str] = {}
    for path in sorted((settings.folder / settings.pdca.folder).glob(PATTERN)):
        name = f"{settings.pdca.folder}/{path.name}"
        try:
            cycle = read_cycle(path, name)
        except SettingsError as error:
            wrong.append(str(error))
            continue
        if cycle.id in numbers:
            wrong.append(
                f"{name} must have a number of its own: {numbers[cycle.id]} is number {cycle.id}, too. "
                "Give the newer one the next free number, in its name and its `id`."
            )
        numbers.setdefault(cycle.id, name)
        found.append(cycle)
    if wrong:
        raise SettingsError("\n".join(wrong))
    return tuple(found)


def register_hash(settings: Settings) -> str | None:
    """Return the SHA-256 of all files of the register with their names; ``None`` if there are none."""
    paths = sorted((settings.folder / settings.pdca.folder).glob(PATTERN))
    content = b"".join(path.name.encode() + b"\0" + path.read_bytes() for path in paths)
    return hashlib.sha256(content).hexdigest() if paths else None


def read_cycle(path: Path, name: str) -> Cycle:
    """Read one file, called ``name`` in messages; a SettingsError lists every broken rule with its line."""
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{name} must be TOML in UTF-8: {error}.") from None
    try:
        cycle = Cycle.model_validate({**data, "file": path})
    except ValidationError as error:
        raise SettingsError(_listed(name, problems(error, text, Cycle))) from None
    lines = [_placed(text, fault.loc, fault.message) for fault in course(cycle).faults]
    if not path.name.startswith(f"{cycle.id:04}-"):
        lines.append(f"line {line_of(text, ('id',))}, id: must be the number in the name of the file")
    if lines:
        raise SettingsError(_listed(name, lines))
    return cycle


def _placed(text: str, loc: tuple[int | str, ...], message: str) -> str:
    return f"line {line_of(text, loc)}, {'.'.join(map(str, loc))}: {message}"


def _listed(name: str, lines: list[str]) -> str:
    return f"{name} must be corrected:" + "".join(f"\n  {line}" for line in lines)


def find_cycle(settings: Settings, number: int) -> Cycle:
    """Read the cycle of a number; a SettingsError if there is none, or more than one."""
    folder = settings.folder / settings.pdca.folder
    paths = sorted(folder.glob(f"{number:04}-*.toml"))
    if len(paths) != 1:
        there = ", ".join(path.name for path in paths) or "there is none"
        raise SettingsError(
            f"`id` must be the number of one cycle in {settings.pdca.folder}, not {number}: {there}. "
            "`csimprove pdca list` shows them."
        )
    return read_cycle(paths[0], f"{settings.pdca.folder}/{paths[0].name}")


def create_cycle(settings: Settings, cycle: Cycle) -> Cycle:
    """Write a new cycle under the next free number, which nobody else can take at the same moment."""
    folder = settings.folder / settings.pdca.folder
    folder.mkdir(parents=True, exist_ok=True)
    number = max((int(path.name[:4]) for path in folder.glob(PATTERN)), default=0)
    while True:
        number += 1
        path = folder / f"{number:04}-{slug(cycle.title)[:_SLUG].strip('-')}.toml"
        claim = folder / f".{number:04}.claim"
        try:
            claim.touch(exist_ok=False)
        except FileExistsError:
            continue
        try:
            if any(folder.glob(f"{number:04}-*.toml")):
                continue
            made = cycle.model_copy(update={"id": number, "file": path})
            _replace(path, cycle_text(made))
            return made
        finally:
            claim.unlink()


def write_cycle(cycle: Cycle, *, read: str) -> Cycle:
    """Replace the file of a cycle as a whole, unless it no longer holds what was ``read``."""
    if cycle.file.read_text(encoding="utf-8") != read:
        raise SettingsError(
            f"{cycle.file.name} was changed by somebody else at the same moment. "
            "Nothing was written; repeat it."
        )
    _replace(cycle.file, cycle_text(cycle))
    return cycle


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=".part-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as part:
            part.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def cycle_text(cycle: Cycle) -> str:
    """Return a cycle as TOML: the same text for the same cycle; what is empty is left out.

    Examples
    --------
    >>> from datetime import UTC
    >>> first = {"at": datetime(2025, 9, 1, 9, tzinfo=UTC), "who": "Lead", "what": "add"}
    >>> made = Cycle.model_validate({"id": 3, "title": "Second shift", "history": [first]})
    >>> print(cycle_text(made).partition("id")[2])
     = 3
    title = "Second shift"
    <BLANKLINE>
    [[history]]
    at = 2025-09-01T09:00:00+00:00
    who = "Lead"
    what = "add"
    <BLANKLINE>
    """
    lines = _pairs(cycle, leave={"file", "plan", *_ARRAYS})
    if cycle.plan is not None:
        lines += ["", "[plan]", *_pairs(cycle.plan)]
    for name in _ARRAYS:
        for item in getattr(cycle, name):
            lines += ["", f"[[{name}]]", *_pairs(item)]
    return _HEAD + "\n".join(lines) + "\n"


def _pairs(model: BaseModel, leave: frozenset[str] | set[str] = frozenset()) -> list[str]:
    pairs = ((name, getattr(model, name)) for name in type(model).model_fields if name not in leave)
    return [f"{name} = {_toml(value)}" for name, value in pairs if not _empty(value)]


def _empty(value: Any) -> bool:
    return value is None or value is False or value in ("", (), {})


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, datetime | date):
        return value.isoformat()
    return _text(value) if isinstance(value, str) else repr(value)


def _key(value: str) -> str:
    return value if re.fullmatch(r"[A-Za-z0-9_-]+", value) else _text(value)


def _text(value: str) -> str:
    """Return a basic string: JSON's escapes are TOML's, but for the one control sign that JSON leaves."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
