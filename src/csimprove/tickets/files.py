"""A CSV file as text that DuckDB can read: encoding, delimiter, heading."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from csimprove.errors import Failure, TicketDataError

DELIMITERS = (",", ";", "\t", "|")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file and how it is read; ``text`` is the file itself or its copy in UTF-8."""

    name: str
    text: Path
    sha256: str
    encoding: str
    delimiter: str
    headings: tuple[str, ...]
    lines: int


class _BinaryError(ValueError):
    pass


def open_source(
    path: Path, *, encoding: str | None, delimiter: str | None, wanted: Collection[str], scratch: Path
) -> SourceFile:
    """Find out how a CSV file is to be read; a copy in UTF-8 goes into ``scratch`` where one is needed.

    ``wanted`` are the headings that are looked for: of the possible delimiters the one that finds most of
    them is taken.
    """
    if not path.is_file():
        raise _unusable(path, f"must be a file. Correct `path` under [source]: there is no file {path}.")
    if path.stat().st_size == 0:
        raise _unusable(path, "is empty. Export the tickets again.")
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


def _decode(path: Path, encoding: str | None, scratch: Path) -> tuple[str, Path, str, int]:
    """Return encoding, text in UTF-8, hash and number of lines."""
    with path.open("rb") as file:
        mark = file.read(4)
    if mark.startswith(b"PK\x03\x04"):
        raise _unusable(path, "is an Excel workbook or a ZIP archive. Save it as CSV (UTF-8).")
    if encoding is None and mark[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        encoding = "utf-16"
    for name in [encoding] if encoding else ["utf-8", "gb18030"]:
        plain = codecs.lookup(name).name in ("utf-8", "utf-8-sig", "ascii")
        copy = None if plain else scratch / f"{hashlib.sha256(path.name.encode()).hexdigest()[:8]}.csv"
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
