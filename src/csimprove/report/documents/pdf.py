"""A document as PDF: its words as data for a typst template, its drawings beside it."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

from csimprove.report.blocks import VERDICTS, drawn_icons
from csimprove.report.documents.drawings import recoloured, size_of
from csimprove.report.documents.layout import columns
from csimprove.report.documents.model import (
    Document,
    Element,
    Figure,
    Listing,
    Note,
    Paragraph,
    Table,
    Verdict,
)
from csimprove.report.documents.words import Words

#: Characters of 9 pt that stand beside one another on a page.
_ROOM = 106
#: Height in pt that a figure may take on a page of its own, and the width of the page.
_TALL, _WIDE = 640.0, 510.0
_FAMILY = "Csimprove Figures"
_FALLBACKS = ("Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", "DejaVu Sans")


def write_pdf(document: Document, path: Path) -> None:
    """Write a document as PDF, with tags, bookmarks and alt texts.

    Parameters
    ----------
    document
        What to write.
    path
        File to write.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    import typst  # noqa: PLC0415  (an extra)

    with tempfile.TemporaryDirectory(prefix="csimprove-pdf-") as place:
        folder = Path(place)
        (folder / "data.json").write_text(
            json.dumps(_data(document, folder), ensure_ascii=False), encoding="utf-8"
        )
        template = resources.files("csimprove") / "report" / "documents" / "report.typ"
        main = folder / "report.typ"
        main.write_text(template.read_text(encoding="utf-8"), encoding="utf-8")
        fonts = resources.files("csimprove") / "fonts"
        made = typst.compile(str(main), root=place, font_paths=[str(fonts)], format="pdf")
    path.write_bytes(made)


def _data(document: Document, folder: Path) -> dict[str, Any]:
    words, brand = Words(document), document.brand
    logo = ""
    if brand.logo:
        logo = f"logo{brand.logo.suffix.lower()}"
        (folder / logo).write_bytes(brand.logo.read_bytes())
    notes = [(part, note) for part in document.sections for note in part.notes]
    verdict = document.verdict

    def made(elements: tuple[Element, ...]) -> list[dict[str, Any]]:
        return [_element(one, document, folder) for one in elements]

    return {
        "project": document.project,
        "lang": document.language,
        "region": {"en": "GB", "zh": "CN"}[document.language],
        "brand": {"name": brand.name, "logo": logo},
        "colours": brand.colours(),
        "icons": drawn_icons(brand.colours()),
        "verdicts": VERDICTS,
        "fonts": [_FAMILY, *_FALLBACKS],
        "margin": words.margin,
        "words": words.headings(),
        "answer": _spans(document.answer),
        "cover": _entries(document.facts),
        "verdict": verdict and asdict(verdict),
        "numbers": document.numbers and asdict(document.numbers),
        "findings": [
            {"question": one.question, "finding": _spans(one.finding)}
            for one in document.sections
            if one is not document.judged
        ],
        "decision": words.decision,
        "steps": document.steps and _element(document.steps, document, folder),
        "sections": [
            {
                "name": f"section-{one.name}",
                "question": one.question,
                "kicker": one.kicker,
                "finding": _spans(one.finding),
                "facts": _entries(one.facts),
                "intro": [_spans(line) for line in one.intro],
                "body": made(one.body),
            }
            for one in document.sections
        ],
        "notes": [
            {"question": section.question, "note": _element(note, document, folder)}
            for section, note in notes
        ],
        "appendix": made((*document.appendix, *document.parameters)),
    }


def _element(one: Element, document: Document, folder: Path) -> dict[str, Any]:
    kind = type(one).__name__
    if isinstance(one, Figure):
        return _figure(one, document, folder)
    if isinstance(one, Verdict):
        return {"kind": kind, "verdict": asdict(one)}
    if isinstance(one, Paragraph):
        return {"kind": kind, "look": one.kind, "words": _spans(one.words)}
    made = {**asdict(one), "kind": kind}
    if isinstance(one, Table):
        made["widths"], made["scale"] = columns(one, _ROOM)
        made["dense"] = (len(one.rows) > 0 and any(one.kinds)) or len(one.head) <= 2
    if isinstance(one, Listing | Note):
        return made
    return made


def _figure(one: Figure, document: Document, folder: Path) -> dict[str, Any]:
    picture = one.picture
    colours = document.brand.colours()
    name = f"figure-{len(list(folder.glob('figure-*')))}"
    width, height = picture.width, picture.height
    if picture.page:
        name += ".svg"
        (folder / name).write_text(recoloured(picture.page, colours), encoding="utf-8")
        width, height = size_of(picture.page)
    else:
        name += ".png"
        (folder / name).write_bytes(picture.png)
    share = min(1.0, _TALL / (_WIDE * height / width)) if width else 1.0
    words = {"title": one.title, "lede": one.lede, "caption": one.caption}
    return {
        "kind": "Figure",
        "file": name,
        "share": share,
        "alt": one.alt,
        "label": Words(document).figure(one.number),
        **{key: _spans(line) for key, line in words.items()},
    }


def _spans(line: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [asdict(span) for span in line]


def _entries(entries: tuple[tuple[str, Any], ...]) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(name, _spans(said)) for name, said in entries]
