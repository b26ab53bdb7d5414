"""Codes of tickets: from columns or from a coding sheet, and what coders say of the same ticket."""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from csimprove.causes.result import Coding, NoCause
from csimprove.errors import Failure, TicketDataError
from csimprove.inference import agreement
from csimprove.settings import CauseFile, Settings, nearest, plain_name
from csimprove.tickets.files import open_source

#: Columns of a coding sheet, in either language.
SHEET = {"ticket_id": "工单编号", "coder": "编码人", "cause": "原因"}
#: Codes that name no cause.
CANNOT_TELL = (
    *("can't tell", "cannot tell", "can’t tell", "unknown", "unclear"),
    *("无法判断", "不明", "不详", "未知"),
)
MARKED = ("-", "–", "—", "——", "n/a", "na", "none", "无")
#: Category, cause and sub-cause.
Key = tuple[str, str, str]
#: Seed of the bootstrap of the agreement: the same sheet gives the same interval.
_SEED = 2011


@dataclass(frozen=True, slots=True)
class Codebook:
    """Which code a text is; ``names`` are those of the file of causes, as names are compared."""

    names: dict[str, Key]
    no_causes: dict[str, NoCause]

    @classmethod
    def of(cls, file: CauseFile, cannot_tell: Iterable[str] = ()) -> Codebook:
        """Make the book of a file; ``cannot_tell`` are words of the settings."""
        names: dict[str, Key] = {}
        for cause, part in file.named():
            one, key = part or cause, (cause.category, cause.name, part.name if part else "")
            for name in (one.name, *one.labels.values()):
                names.setdefault(plain_name(name), key)
        reasons: dict[str, NoCause] = {"": "not_coded", **dict.fromkeys(MARKED, "marked")}
        return cls(
            names, reasons | {plain_name(word): "cannot_tell" for word in (*CANNOT_TELL, *cannot_tell)}
        )

    def no_cause(self, text: str) -> NoCause | None:
        """Return why a text names no cause; ``None`` if it names one."""
        return self.no_causes.get(plain_name(text))

    def place(self, name: str, category: str = "") -> Key:
        """Return category, cause and sub-cause; a name that is not in the file is a cause by itself."""
        return self.names.get(plain_name(name)) or (category, name.strip(), "")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A coding sheet: ticket = {coder: code}."""

    name: str
    codes: dict[str, dict[str, str]]

    @property
    def coders(self) -> tuple[str, ...]:
        """Names of the coders."""
        return tuple(dict.fromkeys(coder for codes in self.codes.values() for coder in codes))


def read_sheet(path: Path, book: Codebook) -> Sheet:
    """Read a coding sheet: one row a ticket and coder, columns ticket_id, coder and cause.

    Raises
    ------
    TicketDataError
        If a column is missing, a row has no ticket or no coder, a coder codes a ticket twice and differently,
        or a code is not in the file of causes; the message lists every such row.
    """
    wanted = [*SHEET, *SHEET.values()]
    with tempfile.TemporaryDirectory() as scratch:
        file = open_source(path, wanted=wanted, scratch=Path(scratch))
        with file.text.open(encoding="utf-8-sig", newline="") as opened:
            rows = [[cell.strip() for cell in row] for row in csv.reader(opened, delimiter=file.delimiter)]
    heads = [plain_name(head) for head in file.headings]
    places = {
        name: next((heads.index(one) for one in (name, other) if one in heads), -1)
        for name, other in SHEET.items()
    }
    if absent := [name for name, place in places.items() if place < 0]:
        reason = "is missing. A coding sheet has the columns ticket_id, coder and cause."
        raise TicketDataError(path.name, [Failure(name, None, "", reason) for name in absent])
    codes: dict[str, dict[str, str]] = {}
    failures: list[Failure] = []
    for number, row in enumerate(rows[1:], start=2):
        if any(row):
            given = {name: row[place] if place < len(row) else "" for name, place in places.items()}
            failures += _add(codes, given, number, book)
    if failures:
        raise TicketDataError(path.name, failures)
    spelling = spelled([code for given in codes.values() for code in given.values()])
    same = {
        ticket: {coder: spelling[code] for coder, code in given.items()} for ticket, given in codes.items()
    }
    return Sheet(path.name, same)


def _add(
    codes: dict[str, dict[str, str]], given: Mapping[str, str], number: int, book: Codebook
) -> list[Failure]:
    ticket, coder, code = (given[name] for name in SHEET)
    absent = [name for name in ("ticket_id", "coder") if not given[name]]
    if absent:
        return [Failure(name, number, "", "is missing. Fill it in or delete the row.") for name in absent]
    if book.names and book.no_cause(code) is None and plain_name(code) not in book.names:
        close = nearest(plain_name(code), book.names)
        advice = f"Did you mean {' or '.join(close)}?" if close else "Add it there."
        return [Failure("cause", number, code, f"is not in the file of causes. {advice}")]
    before = codes.setdefault(ticket, {}).setdefault(coder, code)
    if plain_name(before) != plain_name(code):
        reason = f"differs from {before!r}, which {coder} gave ticket {ticket} before. Keep one of them."
        return [Failure("cause", number, code, reason)]
    return []


def spelled(texts: Iterable[str]) -> dict[str, str]:
    """Return the commonest spelling of every text, the first of those as common.

    Examples
    --------
    >>> spelled(["Late", "late", "late ", "Form"])["Late"]
    'late'
    """
    texts = list(texts)
    counts = Counter(" ".join(text.split()) for text in texts)
    best: dict[str, str] = {}
    for text in sorted(counts, key=lambda one: -counts[one]):
        best.setdefault(plain_name(text), text)
    return {text: best[plain_name(text)] for text in {*texts, *counts}}


def coded(rows: pd.DataFrame, settings: Settings, book: Codebook, sheet: Sheet | None) -> pd.DataFrame:
    """Give every ticket its code.

    Parameters
    ----------
    rows
        Tickets with the columns that the settings name.
    settings, book
        Where the codes come from, and what they mean.
    sheet
        The coding sheet, if there is one.

    Returns
    -------
    pandas.DataFrame
        ``rows`` with ``category, cause, subcause`` (texts, ``""`` without one) and ``no_cause`` (why there is
        none, ``""`` where there is one), instead of columns of these names.
    """
    own = settings.causes
    columns = [own.category, own.cause, own.subcause]
    texts = [rows[name].fillna("").tolist() if name else [""] * len(rows) for name in columns]
    if sheet is not None and own.count_sheet:
        texts[1] = [_decided(sheet.codes.get(ticket, {}), own.decides, book) for ticket in rows["ticket_id"]]
        texts[2] = [""] * len(rows)
    for place, column in enumerate(texts):  # "Late" and "late" are one
        spelling = spelled(column)
        texts[place] = [spelling[text] for text in column]
    memo: dict[tuple[str, str, str], tuple[str, str, str, str]] = {}
    made = []
    for key in zip(texts[0], texts[1], texts[2], strict=True):
        if key not in memo:
            memo[key] = _code(key, book)
        made.append(memo[key])
    found = pd.DataFrame(made, columns=["category", "cause", "subcause", "no_cause"], index=rows.index)
    return rows.drop(columns=list(found.columns), errors="ignore").join(found)


def _code(texts: Key, book: Codebook) -> tuple[str, str, str, str]:
    category, cause, subcause = texts
    if cause == _DISPUTED:
        return "", "", "", "disputed"
    if reason := book.no_cause(cause):
        return "", "", "", reason
    bone = "" if book.no_cause(category) else category
    key: Key = book.place(cause, bone)
    if subcause and not book.no_cause(subcause):
        inner = book.place(subcause)
        key = inner if inner[2] and inner[:2] == key[:2] else (key[0], key[1], subcause.strip())
    return (*key, "")


#: Stands for the code of a ticket on which coders differ; no sheet can hold it.
_DISPUTED = "\0"


def _decided(codes: Mapping[str, str], decides: str | None, book: Codebook) -> str:
    """Return the code on which all agree, else that of who decides; a coder who gave none does not count.

    Who name different sub-causes of one cause agree on the cause.
    """
    if decides is not None and codes.get(decides):
        return codes[decides]
    keys = {book.no_cause(code) or book.place(code): code for code in codes.values() if code}
    if len(keys) < 2:
        return next(iter(keys.values()), "")
    causes = {key if isinstance(key, str) else key[:2] for key in keys}
    return _DISPUTED if len(causes) > 1 else next(iter(causes))[1]


def compared(sheet: Sheet, book: Codebook, among: Iterable[str]) -> Coding:
    """Tell how far the coders of a sheet agree on the tickets that are looked into."""
    wanted, coders = set(among), sheet.coders
    inside = {ticket: codes for ticket, codes in sheet.codes.items() if ticket in wanted}
    table = [
        [_same(codes[coder], book) if codes.get(coder) else None for coder in coders]
        for codes in inside.values()
    ]
    pairs: Counter[tuple[str, str]] = Counter()
    ids: dict[tuple[str, str], list[str]] = {}
    for ticket, given in zip(inside, table, strict=True):
        there = sorted({code for code in given if code is not None})
        for pair in combinations(there, 2):
            pairs[pair] += 1
            ids.setdefault(pair, []).append(ticket)
    ordered = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
    disagreements = pd.DataFrame(
        [(*pair, n, ids[pair]) for pair, n in ordered], columns=["code", "other", "tickets", "ids"]
    )
    found = agreement(table, rng=np.random.default_rng(_SEED))
    return Coding(coders, found, disagreements, outside=len(sheet.codes) - len(inside))


def _same(code: str, book: Codebook) -> str:
    """Return one code for its spellings: the cause, or why there is none."""
    return book.no_cause(code) or book.place(code)[1]
