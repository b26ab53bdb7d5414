"""A run as a document: read once from its pages, then written as PDF, Word, PowerPoint or a workbook."""

from __future__ import annotations

import importlib
import importlib.util
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from csimprove.errors import RunError, SettingsError
from csimprove.report.documents.model import Document
from csimprove.report.documents.parsing import pictures, read_run, read_section

__all__ = ["FORMATS", "Document", "checked_formats", "pictures", "read_run", "read_section", "write_document"]

#: Format = package that writes it, module and function here; the extra has the format's name.
FORMATS = {
    "pdf": ("typst", "pdf", "write_pdf"),
    "docx": ("docx", "word", "write_word"),
    "pptx": ("pptx", "slides", "write_slides"),
    "xlsx": ("openpyxl", "sheets", "write_sheets"),
}
#: Name of every document of a run, before the ending.
NAME = "report"


def checked_formats(words: str) -> tuple[str, ...]:
    """Return the formats of a list such as ``"html,pdf"`` if they can be written here.

    Raises
    ------
    SettingsError
        If one is not a format, or the package that writes it is not installed: all of them in one message.

    Examples
    --------
    >>> checked_formats("html, html")
    ('html',)
    """
    asked = tuple(dict.fromkeys(one.strip().lower() for one in words.split(",") if one.strip()))
    known = ("html", *FORMATS)
    wrong = [one for one in asked if one not in known]
    if wrong or not asked:
        raise SettingsError(
            f"`--format` must be some of {', '.join(known)}, not {', '.join(wrong) or 'empty'}."
        )
    missing = [one for one in asked if one in FORMATS and importlib.util.find_spec(FORMATS[one][0]) is None]
    if missing:
        extras = ",".join(missing if len(missing) < len(FORMATS) else ["documents"])
        raise SettingsError(
            f"{', '.join(missing)} cannot be written: the extra is not installed. "
            f"Install it: pip install 'csimprove[{extras}]'."
        )
    return asked


def write_document(document: Document, folder: Path, name: str, *, template: Path | None = None) -> Path:
    """Write a document in one format; a file that is there stays until the new one is complete.

    Parameters
    ----------
    document
        What to write.
    folder
        Where.
    name
        ``pdf``, ``docx``, ``pptx`` or ``xlsx``.
    template
        For ``pptx``: the client's template.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    RunError
        If it could not be written: what was there before is untouched.
    """
    _, module, function = FORMATS[name]
    write: Any = getattr(importlib.import_module(f"{__name__}.{module}"), function)
    target = folder / f"{NAME}.{name}"
    options = {"template": template} if name == "pptx" else {}
    with tempfile.TemporaryDirectory(prefix=".part-", dir=folder) as place:
        part = Path(place, target.name)
        try:
            write(document, part, **options)
        except Exception as error:  # whatever a library raises is the document's failure, not the program's
            raise RunError(f"{target.name} could not be written: {type(error).__name__}: {error}") from error
        part.replace(target)
    return target


def told(failures: Sequence[str], folder: Path) -> str:
    """Say what could not be written; a document of an earlier call is still there."""
    return f"{len(failures)} of the documents of {folder} failed:\n" + "\n".join(
        f"  {one}" for one in failures
    )
