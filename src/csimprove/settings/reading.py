"""A playbook.toml read and checked: every mistake in one message, with its line."""

from __future__ import annotations

import tomllib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from pydantic import BaseModel, ValidationError

from csimprove.errors import SettingsError
from csimprove.settings.tables import Settings
from csimprove.settings.texts import near


def read_settings(file: str | Path) -> Settings:
    """Read and check a playbook.toml.

    Parameters
    ----------
    file
        Path of the file. Behind a question mark it may say which tickets alone are measured, and that the
        pilot is left out: ``playbook.toml?region=East China&pilot=none``.

    Returns
    -------
    Settings
        Frozen settings.

    Raises
    ------
    SettingsError
        If the file is missing, is not TOML or breaks a rule; the message lists every broken rule.
    """
    name, _, query = str(file).partition("?")
    path, only = Path(name), parse_qs(query)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"`settings` must be a readable file, not {path}: {error.strerror}. "
            "Write one with `csimprove init DIR`, or try `csimprove sample DIR`."
        ) from None
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{path} must be UTF-8 text: byte {error.start} is not. Save it as UTF-8."
        ) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} must be TOML: {error}.") from None
    try:
        return Settings.model_validate({**_restricted(data, only), "file": path})
    except ValidationError as error:
        found = "\n".join(f"  {problem}" for problem in problems(error, text, Settings))
        raise SettingsError(f"{path} must be corrected:\n{found}") from None


def _restricted(data: dict[str, Any], only: dict[str, list[str]]) -> dict[str, Any]:
    """Return the settings for some of the tickets only; the baseline stays that of the whole."""
    if not only:
        return data
    if only.pop("pilot", None) and isinstance(plan := data.get("pilot"), dict):
        kept = {key: value for key, value in data.items() if key != "pilot"}
        data = {"baseline": plan.get("before"), **kept}
    return {**data, "only": {**data.get("only", {}), **only}}


def problems(error: ValidationError, text: str, model: type[BaseModel]) -> list[str]:
    """Return every broken rule of a TOML file with its line and key; ``model`` is what it should be."""
    found = []
    items = error.errors(include_url=False)
    for item in items:
        depth = len(item["loc"])
        if item["type"] == "too_short" and any(
            one["loc"][:depth] == item["loc"] != one["loc"] for one in items
        ):
            continue  # its items are wrong, not missing
        path = ".".join(str(part) for part in item["loc"])
        line = line_of(text, item["loc"])
        where = f"line {line}, {path}" if line else path
        if item["type"] == "extra_forbidden":
            known = _keys(model, item["loc"][:-1])
            found.append(f"{where}: unknown key{near(str(item['loc'][-1]), known)}")
        elif item["type"] == "missing":
            found.append(f"{path}: is missing. Add it.")
        else:
            message = item["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
            given = item["input"]
            told = item["type"] == "value_error" or not isinstance(given, str | int | float)
            found.append(f"{where}: {message}" + ("" if told else f", not {given!r}"))
    return found


def line_of(text: str, loc: tuple[int | str, ...]) -> int | None:
    """Line of the deepest table or key that holds ``loc``."""
    found, depth = None, 0
    table: tuple[int | str, ...] = ()
    repeated: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        key = line.split("=")[0].strip()
        path = table
        if key.startswith("["):
            name = key.split("]")[0].strip("[ ")
            if key.startswith("[["):
                repeated[name] = repeated.get(name, -1) + 1
            parts = name.split(".")
            table = ()
            for depth_now, part in enumerate(parts, start=1):
                at = repeated.get(".".join(parts[:depth_now]))
                table = (*table, part.strip(' "'), *(() if at is None else (at,)))
            path = table
        elif "=" in line and not key.startswith("#"):
            path = (*table, *(part.strip(' "') for part in key.split(".")))
        if depth < len(path) and path == loc[: len(path)]:
            found, depth = number, len(path)
    return found


def _keys(model: Any, loc: tuple[int | str, ...]) -> list[str]:
    """Names of the keys allowed at ``loc``."""
    for part in loc:
        if isinstance(part, str) and isinstance(model, type) and issubclass(model, BaseModel):
            field = model.model_fields.get(part)
            model = field.annotation if field else None
        model = _inner(model)
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _inner(annotation: Any) -> Any:
    """Model inside ``X | None``, ``tuple[X, ...]`` or ``dict[str, X]``."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType, tuple):
        return next((arg for arg in typing.get_args(annotation) if isinstance(arg, type)), annotation)
    if origin in (dict, Mapping):
        return typing.get_args(annotation)[1]
    return annotation
