"""Results as plain data, for JSON and other programs."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

import pandas as pd
from pydantic import BaseModel


class Plain:
    """A result, a dataclass, that is told by its fields."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, texts, lists and dicts; missing numbers are ``None``."""
        return plain_fields(self)


def plain_fields(result: Any) -> dict[str, Any]:
    """Return the fields of a dataclass, each as `plain`."""
    return {field.name: plain(getattr(result, field.name)) for field in fields(result)}


def plain(value: Any) -> Any:
    """Return a value as plain numbers, texts, lists and dicts."""
    if isinstance(value, pd.DataFrame):
        return records(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if hasattr(value, "to_dict"):
        return value.to_dict()
    return plain_fields(value) if is_dataclass(value) else value


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dicts of Python's own numbers and texts: dates as ISO texts, missing as ``None``."""
    days = [name for name in ("week", "start") if name in frame]
    frame = frame.assign(**{name: frame[name].astype(str) for name in days})
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]
