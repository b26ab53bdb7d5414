"""Results as plain data."""

from dataclasses import dataclass
from datetime import date

import pandas as pd
from pydantic import BaseModel

from csimprove.plain import Plain, plain, records


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is told by its fields."""

    day: date
    limits: tuple[float, float | None]


class Asked(BaseModel):
    """A model of settings."""

    day: date
    names: tuple[str, ...] = ()


class Own:
    """A result that says itself how it is told."""

    def to_dict(self) -> dict[str, int]:
        """Return itself."""
        return {"own": 1}


@dataclass(frozen=True, slots=True, eq=False)
class Whole(Plain):
    """A result of everything that results are made of."""

    parts: tuple[Part, ...]
    named: dict[str, Part]
    table: pd.DataFrame
    asked: Asked
    own: Own
    nothing: None = None


def test_a_result_is_told_by_its_fields_to_the_last_part():
    part = Part(date(2025, 8, 1), (0.5, None))
    told = {"day": "2025-08-01", "limits": [0.5, None]}
    table = pd.DataFrame({"start": [pd.Timestamp("2025-08-04")], "value": [1.5]})
    found = Whole((part,), {"a": part}, table, Asked(day=date(2025, 9, 1)), Own())
    assert found.to_dict() == {
        "parts": [told],
        "named": {"a": told},
        "table": [{"start": "2025-08-04", "value": 1.5}],
        "asked": {"day": "2025-09-01", "names": []},
        "own": {"own": 1},
        "nothing": None,
    }
    assert plain("as it is") == "as it is"


def test_rows_hold_no_missing_numbers():
    frame = pd.DataFrame({"week": pd.to_datetime(["2025-08-04"]), "value": [float("nan")], "n": [3]})
    assert records(frame) == [{"week": "2025-08-04", "value": None, "n": 3}]
    assert records(frame.head(0)) == []
