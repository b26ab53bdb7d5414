"""Any source as files that DuckDB can read without extensions: CSV in UTF-8, or Parquet."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from csimprove.errors import Failure, TicketDataError

#: Endings of the files of a folder that are read.
SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".parquet")
DELIMITERS = (",", ";", "\t", "|")
_CHUNK = 1 << 20
#: Kinds of files that are no text; they stand where the encoding of a text is told.
BINARY = ("XLSX", "Parquet", "DuckDB")
#: What a workbook shows where a formula failed.
_ERRORS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file and how it is read; ``text`` is the file itself, or its copy in UTF-8 or Parquet."""

    name: str
    text: Path
    sha256: str
    encoding: str
    delimiter: str
    headings: tuple[str, ...]
    lines: int
    #: types of the columns of a Parquet file; none: a CSV file
    types: tuple[str, ...] = ()


class _BinaryError(ValueError):
    pass


def source_paths(path: Path) -> list[Path]:
    """Return the files that a path means, by name: a file, a folder's tables, or what fits a pattern."""
    if path.is_dir():
        return sorted(each for each in path.iterdir() if each.suffix.lower() in SUFFIXES) or [path]
    if path.exists() or not set(path.name) & set("*?["):
        return [path]
    return sorted(path.parent.glob(path.name)) or [path]


def open_source(
    path: Path,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    table: str | None = None,
    wanted: Collection[str],
    scratch: Path,
) -> SourceFile:
    """Find out how a file is to be read; a copy goes into ``scratch`` where one is needed.

    ``wanted`` are the headings that are looked for: of the possible delimiters the one that finds most of
    them is taken.
    """
    if path.is_dir():
        raise _unusable(path, f"must hold a file that ends in {', '.join(SUFFIXES)}.")
    if not path.is_file():
        raise _unusable(path, f"must be a file. Correct `path` under [source]: there is no file {path}.")
    if path.stat().st_size == 0:
        raise _unusable(path, "is empty. Export the tickets again.")
    with path.open("rb") as file:
        mark = file.read(12)
        if mark.startswith(b"PAR1") or mark.endswith(b"DUCK"):
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            copy = path if mark.startswith(b"PAR1") else _table_copy(path, table, scratch)
            return _parquet(path, copy, sha256, "Parquet" if copy is path else "DuckDB")
        if mark.startswith(b"PK\x03\x04"):
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            return _workbook(path, table, sha256, scratch)
    encoding, text, sha256, lines = _decode(path, encoding, scratch)
    with text.open(encoding="utf-8-sig", newline="") as opened:
        start = opened.read(_CHUNK)
    candidates = [delimiter] if delimiter else list(DELIMITERS)
    split = {each: _heading(start, each) for each in candidates}
    known = {normal(heading) for heading in wanted}
    best = max(candidates, key=lambda each: (len(known & set(map(normal, split[each]))), len(split[each])))
    if not any(split[best]):
        raise _unusable(
            path, "has no heading: its first line is blank. The first line must name the columns."
        )
    return SourceFile(path.name, text, sha256, encoding, best, split[best], lines)


def normal(heading: str) -> str:
    """Heading without case and spaces, as headings are compared."""
    return "".join(heading.split()).casefold()


def _copy(path: Path, scratch: Path, suffix: str) -> Path:
    return scratch / f"{hashlib.sha256(path.name.encode()).hexdigest()[:8]}.{suffix}"


def _parquet(path: Path, copy: Path, sha256: str, encoding: str) -> SourceFile:
    import duckdb  # noqa: PLC0415 - heavy

    with duckdb.connect() as con:
        try:
            columns = con.read_parquet(str(copy)).description
        except duckdb.Error as error:
            raise _unusable(path, f"must be a Parquet file that can be read: {error}") from None
    headings, types = zip(*((name, str(kind)) for name, kind, *_ in columns), strict=True)
    return SourceFile(path.name, copy, sha256, encoding, "", headings, 0, types)


def _table_copy(path: Path, table: str | None, scratch: Path) -> Path:
    """Copy a table of a DuckDB database to Parquet."""
    import duckdb  # noqa: PLC0415 - heavy

    copy = _copy(path, scratch, "parquet")
    with duckdb.connect(str(path), read_only=True) as con:
        tables = [
            name for [name] in con.execute("SELECT table_name FROM information_schema.tables").fetchall()
        ]
        if table is None and len(tables) == 1:
            [table] = tables
        if table not in tables:
            names = ", ".join(sorted(tables)) or "no table"
            raise _unusable(path, f"holds {names}: set `table` under [source] to one of them, not {table!r}.")
        con.table(f'"{table}"').write_parquet(str(copy))
    return copy


def _workbook(path: Path, table: str | None, sha256: str, scratch: Path) -> SourceFile:
    """Write a sheet as CSV: a float without fraction as a whole number, a time or duration as H:MM:SS."""
    import python_calamine  # noqa: PLC0415 - only where there is a workbook

    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
    except (python_calamine.CalamineError, OSError):
        raise _unusable(path, "is a ZIP archive or a damaged workbook. Save it as CSV (UTF-8).") from None
    sheet = table or book.sheet_names[0]
    if sheet not in book.sheet_names:
        names = ", ".join(book.sheet_names)
        raise _unusable(path, f"holds {names}: set `table` under [source] to one of them, not {table!r}.")
    copy, lines = _copy(path, scratch, "csv"), 0
    headings: tuple[str, ...] = ()
    with copy.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        for row in book.get_sheet_by_name(sheet).iter_rows():
            cells = [_cell(value) for value in row]
            if any(cells):
                headings, lines = headings or tuple(cell.strip() for cell in cells), lines + 1
                writer.writerow(cells)
    if not headings:
        raise _unusable(path, f"holds nothing in the sheet {sheet}. Set `table` under [source].")
    return SourceFile(path.name, copy, sha256, "XLSX", ",", headings, lines)


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):  # a spreadsheet's fractions of days are off by microseconds
        value = (value + timedelta(microseconds=500_000)).replace(microsecond=0)
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        sign, seconds = "-" if seconds < 0 else "", abs(seconds)
        return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    text = "" if value is None else str(value)
    return "" if text in _ERRORS else text


def _decode(path: Path, encoding: str | None, scratch: Path) -> tuple[str, Path, str, int]:
    """Return encoding, text in UTF-8, hash and number of lines."""
    with path.open("rb") as file:
        mark = file.read(2)
    if encoding is None and mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        encoding = "utf-16"
    for name in [encoding] if encoding else ["utf-8", "gb18030"]:
        plain = codecs.lookup(name).name in ("utf-8", "utf-8-sig", "ascii")
        copy = None if plain else _copy(path, scratch, "csv")
        try:
            sha256, lines = _transcode(path, name, copy)
        except UnicodeError:
            continue
        except _BinaryError:
            break
        return name, copy or path, sha256, lines
    tried = encoding or "UTF-8 or GB18030"
    raise _unusable(
        path,
        f'must be text in {tried}. Save it as UTF-8, or set `encoding` under [source], such as "cp1252".',
    )


def _transcode(path: Path, encoding: str, copy: Path | None) -> tuple[str, int]:
    """Decode a whole file strictly, in pieces; return the hash of its bytes and the number of lines."""
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder(encoding)()
    lines, last = 0, "\n"
    with (
        path.open("rb") as file,
        copy.open("w", encoding="utf-8", newline="") if copy else nullcontext() as out,
    ):
        for chunk in iter(partial(file.read, _CHUNK), b""):
            digest.update(chunk)
            text = decoder.decode(chunk)
            if "\0" in text:
                raise _BinaryError
            lines, last = lines + text.count("\n"), text[-1:] or last
            if out is not None:
                out.write(text)
        decoder.decode(b"", final=True)
    return digest.hexdigest(), lines + (last != "\n")


def _heading(start: str, delimiter: str) -> tuple[str, ...]:
    try:
        return tuple(
            cell.strip() for cell in next(csv.reader(io.StringIO(start, newline=""), delimiter=delimiter))
        )
    except (csv.Error, StopIteration):
        return ("",)


def _unusable(path: Path, reason: str) -> TicketDataError:
    return TicketDataError(path.name, [Failure("", None, "", reason)])
