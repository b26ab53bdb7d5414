"""Where answers of customers and staff are, and how they are to be read."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, field_validator

from csimprove.settings.base import Frozen, Share
from csimprove.settings.texts import members

Role = Literal["customer", "staff"]

#: Column of a survey's answers, as its heading is called unless `Survey.columns` says otherwise.
ANSWERS = (
    "date", "group", "role", "respondent", "question", "score", "scale", "theme", "comment", "closed_at"
)  # fmt: skip


def parse_scale(text: str) -> tuple[int, int]:
    """Turn "1-5", "0-10" or "yes/no" into the lowest and the highest answer.

    Examples
    --------
    >>> parse_scale("0-100"), parse_scale("yes/no")
    ((0, 100), (0, 1))
    """
    if text.strip().casefold() in ("yes/no", "是/否"):
        return 0, 1
    found = re.fullmatch(r"\s*(\d{1,3})\s*[-–—~至]\s*(\d{1,3})\s*", text)
    low, high = (int(found[1]), int(found[2])) if found else (0, 0)
    if low >= high:
        raise ValueError(f'a scale must be like "1-5", "0-10" or "yes/no", not {text!r}')
    return low, high


class Survey(Frozen):
    """A file of answers, CSV or XLSX: one row an answer."""

    #: as reports call it
    name: str = Field(min_length=1)
    path: str
    #: sheet of a workbook; none: the first
    table: str | None = None
    #: date, group, role, question … = heading in the file, where it is called otherwise
    columns: dict[str, str] = {}
    #: who answered, if the file has no column ``role``
    role: Role = "customer"
    #: what was asked, if the file has no column ``question``; none: the survey's name
    question: str | None = None
    #: lowest and highest answer, "1-5", "0-10", "0-100" or "yes/no", if the file has no column ``scale``
    scale: str | None = None
    #: forms of dates, strptime style, beside the usual ones with the year first
    formats: tuple[str, ...] = ()
    #: least share of a month's customers who must have answered, such as 0.10; none: it is not asked monthly
    monthly_share: Share | None = None
    #: show comments, which people typed, masked; without it they are only counted
    comments: bool = False

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, value: dict[str, Any]) -> dict[str, Any]:
        members(value, ANSWERS, "a column of a survey")
        return value

    @field_validator("scale")
    @classmethod
    def _parsable(cls, value: str | None) -> str | None:
        if value is not None:
            parse_scale(value)
        return value
