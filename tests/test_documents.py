"""Documents: no word of a page is lost, each format has its structure, nothing good is overwritten."""

from __future__ import annotations

import dataclasses
import importlib.util
import io
import itertools
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from PIL import Image

from csimprove import playbook, wording
from csimprove.errors import RunError, SettingsError
from csimprove.report import Brand, RunRow, documents, shelf
from csimprove.report.documents import drawings, parsing, pdf, sheets, slides, word
from csimprove.report.documents.drawings import pixels, recoloured
from csimprove.report.documents.layout import columns
from csimprove.report.documents.model import Document, Figure, Listing, Picture, Span, Table, plain
from csimprove.report.documents.slide_parts import sentences, split
from made_run import document, logo, notebook, page

LANGUAGES: tuple[wording.Language, ...] = ("en", "zh")


@pytest.fixture(scope="module", params=LANGUAGES)
def made(request: pytest.FixtureRequest) -> Document:
    return document(request.param)


def strings(value: Any) -> Iterator[str]:
    """Every text in nested dataclasses, each line of spans as one text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple) and value and all(isinstance(one, Span) for one in value):
        yield plain(value)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from strings(one)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from strings(getattr(value, field.name))


def squeezed(words: str) -> str:
    return re.sub(r"\s+", "", words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_of_a_page_is_lost(language: wording.Language) -> None:
    main = BeautifulSoup(page(language), "html.parser").find("main")
    assert main is not None
    for one in main.select("svg, section.parameters"):  # parameters stand on the run's first page
        one.extract()
    held = squeezed("".join(strings(document(language).sections[1])))
    lost = [words for words in main.stripped_strings if squeezed(words) not in held]
    assert lost == []


def test_a_run_knows_its_answer_verdict_numbers_and_next_steps(made: Document) -> None:
    assert made.judged.name == "05_pilot"
    assert plain(made.answer) == plain(made.judged.finding)
    assert made.verdict is not None
    assert (made.verdict.kind, made.verdict.icon) == ("go", "good")
    assert made.numbers is not None
    assert len(made.numbers.items) == 3
    assert made.numbers.items[0].value == "95.1%"
    assert made.steps is not None
    assert len(made.steps.rows) == 1
    assert [len(section.notes) for section in made.sections] == [0, 1]
    # data quality, method and origin are not among the findings
    assert not [one for one in made.judged.body if isinstance(one, Table) and len(one.head) == 2]
    assert len(made.appendix) >= 5


def test_a_page_with_another_number_of_figures_than_its_notebook_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^05 shows 1 figures, its notebook holds 0\.$"):
        documents.read_section("05", page("en"), [])


def test_columns_shrink_only_when_no_number_would_fit(made: Document) -> None:
    table = next(one for _, one in made.tables if len(one.head) == 7)
    shares, scale = columns(table, 300)
    assert sum(shares) == pytest.approx(1)
    assert scale == 1
    assert columns(table, 20)[1] < 0.5


# --- PDF ---


def test_pdf_is_the_same_twice_and_smaller_than_a_picture_book(made: Document, tmp_path: Path) -> None:
    for name in ("a", "b"):
        pdf.write_pdf(made, tmp_path / f"{name}.pdf")
    first = (tmp_path / "a.pdf").read_bytes()
    assert first.startswith(b"%PDF")
    assert first == (tmp_path / "b.pdf").read_bytes()
    assert len(first) < 600_000
    assert b"/StructTreeRoot" in first or b"/MarkInfo" in first


def test_pdf_takes_everything_as_data(made: Document, tmp_path: Path) -> None:
    data = pdf._data(made, tmp_path)
    text = json.dumps(data, ensure_ascii=False)
    assert "Service <2025>" in text
    assert data["margin"] == "Service <2025>"
    drawn = [one for one in tmp_path.iterdir() if one.suffix == ".svg"]
    assert len(drawn) == 1
    assert "var(" not in drawn[0].read_text(encoding="utf-8")
    [shown] = [one for one in data["sections"][1]["body"] if one["kind"] == "Figure"]
    assert shown["alt"]
    assert shown["label"] == {"en": "Figure 1. ", "zh": "图1　"}[made.language]


# --- Word ---


def test_word_has_headings_repeated_heads_alt_texts_and_page_numbers(made: Document, tmp_path: Path) -> None:
    import docx
    from docx.oxml.ns import qn

    word.write_word(made, tmp_path / "a.docx")
    file = docx.Document(str(tmp_path / "a.docx"))
    firsts = [one.text for one in file.paragraphs if one.style and one.style.name == "Heading 1"]
    assert firsts[0] == wording.text("document.summary", made.language)
    squeezed_heads = [squeezed(one) for one in firsts]
    assert all(squeezed(plain(section.finding)) in squeezed_heads for section in made.sections)
    assert any(one.style and one.style.name == "Heading 2" for one in file.paragraphs)
    real = [
        one for one in file.tables if one.rows[0]._tr.find(qn("w:trPr") + "/" + qn("w:tblHeader")) is not None
    ]
    expected = len([1 for _ in made.tables]) + 1 - sum(one.steps for _, one in made.tables) + 1
    assert expected - 1 <= len(real) <= expected + 1
    pictures = [one._inline.docPr.get("descr") for one in file.inline_shapes]
    assert pictures == [
        one.alt for section in made.sections for one in section.body if isinstance(one, Figure)
    ]
    foot = file.sections[0].footer._element.xml
    assert "PAGE" in foot
    assert "NUMPAGES" in foot
    assert "w:instr" in file.element.xml
    names = set(re.findall(r'w:anchor="([^"]+)"', file.element.xml))
    assert names <= set(re.findall(r'w:name="([^"]+)"', file.element.xml))
    assert len(names) == len(made.sections) + 2


def test_word_holds_every_table_cell(made: Document, tmp_path: Path) -> None:
    import docx

    word.write_word(made, tmp_path / "a.docx")
    file = docx.Document(str(tmp_path / "a.docx"))
    held = squeezed("".join(cell.text for table in file.tables for cell in table._cells))
    for _, table in made.tables:
        for row in table.rows:
            assert squeezed(plain(row[0].lines[0])) in held


# --- PowerPoint ---


def slides_of(path: Path) -> Any:
    from pptx import Presentation

    return Presentation(str(path))


def test_slides_have_one_title_native_tables_and_the_method_in_the_notes(
    made: Document, tmp_path: Path
) -> None:
    slides.write_slides(made, tmp_path / "a.pptx")
    deck = slides_of(tmp_path / "a.pptx")
    assert (round(deck.slide_width.inches, 2), deck.slide_height.inches) == (13.33, 7.5)
    titles = [one.shapes.title.text_frame.text for one in deck.slides]
    assert all(titles)
    assert squeezed(titles[1]) == squeezed(plain(made.answer))
    tables = [shape.table for one in deck.slides for shape in one.shapes if shape.has_table]
    body = [one for section in made.sections for one in section.body if isinstance(one, Table)]
    assert len(tables) >= len(body)
    cells = [cell.text for table in tables for row in table.rows for cell in row.cells]
    assert any("95.1%" in cell for cell in cells)
    pictures = [shape for one in deck.slides for shape in one.shapes if shape.shape_type == 13]
    assert [one._element.nvPicPr.cNvPr.get("descr") for one in pictures] == [
        one.alt for section in made.sections for one in section.body if isinstance(one, Figure)
    ]
    noted = [one.notes_slide.notes_text_frame.text for one in deck.slides if one.has_notes_slide]
    assert any(wording.text("document.method", made.language) in one for one in noted)


def test_nothing_on_a_slide_lies_outside_it_or_on_its_foot(made: Document, tmp_path: Path) -> None:
    slides.write_slides(made, tmp_path / "a.pptx")
    deck = slides_of(tmp_path / "a.pptx")
    for one in deck.slides:
        for shape in one.shapes:
            assert shape.left >= 0
            assert shape.left + shape.width <= deck.slide_width + 2
            assert shape.top + shape.height <= deck.slide_height, shape.name


def test_charts_and_the_first_table_come_first_all_other_tables_in_the_appendix(
    made: Document, tmp_path: Path
) -> None:
    slides.write_slides(made, tmp_path / "a.pptx")
    titles = [one.shapes.title.text_frame.text for one in slides_of(tmp_path / "a.pptx").slides]
    start = titles.index(wording.text("document.further", made.language))
    for section in made.sections:
        tables = [one for one in section.body if isinstance(one, Table)]
        first, *others = [plain(one.title or section.finding) for one in tables]
        assert titles.index(first) < start
        assert all(titles.index(one) > start for one in others if one != first)


STRIPES = [(0, "a"), (20, "b"), (60, "c"), (120, "d"), (160, "e"), (180, "f")]


def striped() -> bytes:
    """A picture 10 px wide and 200 px high, two pixels a px; each stripe has a grey of its own."""
    picture = Image.new("L", (20, 400))
    for shade, (top, _) in enumerate(STRIPES, start=1):
        picture.paste(shade * 10, (0, top * 2, 20, 400))
    made = io.BytesIO()
    picture.save(made, "png")
    return made.getvalue()


def stripes(png: bytes) -> str:
    with Image.open(io.BytesIO(png)) as picture:
        shades = [picture.getpixel((0, y)) for y in range(0, picture.height, 2)]
    return "".join(STRIPES[shade // 10 - 1][1] for shade, _ in itertools.groupby(shades))


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (200, ["abcdef"]),
        (140, ["abcf", "adef"]),
        (101, ["abf", "acf", "adef"]),
        (10, ["abf", "acf", "adf", "aef"]),
    ],
)
def test_a_tall_picture_is_cut_where_it_may_be_and_every_part_has_head_and_foot(
    most: float, expected: list[str]
) -> None:
    picture = Picture(b"", 10, 200, cuts=(20, 60, 120, 160, 180))
    assert [stripes(part) for part in drawings.parts(striped(), picture, most)] == expected


def test_a_tall_figure_goes_on_on_the_next_slide_and_on_the_next_page_of_word(tmp_path: Path) -> None:
    tall = Picture(striped(), 620, 2000, cuts=(200, 600, 1200, 1600, 1800))
    figure = Figure((Span("It rose"),), (), tall, "A chart of stripes.", (), 1)
    made = document("en")
    made = dataclasses.replace(made, sections=(dataclasses.replace(made.sections[0], body=(figure,)),))
    titles = ["It rose", *(f"It rose (continued, {part} of 4)" for part in (2, 3, 4))]
    slides.write_slides(made, tmp_path / "a.pptx")
    shown = [one.shapes.title.text_frame.text for one in slides_of(tmp_path / "a.pptx").slides]
    assert [one for one in shown if one.startswith("It rose")] == titles
    word.write_word(made, tmp_path / "a.docx")
    with zipfile.ZipFile(tmp_path / "a.docx") as file:
        told = re.findall(r'<wp:docPr [^>]*descr="([^"]+)"', file.read("word/document.xml").decode())
    assert told == ["A chart of stripes.", *titles[1:]]


def test_a_picture_that_may_not_be_cut_stays_whole() -> None:
    png = striped()
    assert drawings.parts(png, Picture(b"", 10, 200), 50) == [png]


def test_a_template_gives_master_and_size_and_keeps_its_slides_to_itself(tmp_path: Path) -> None:
    from pptx import Presentation

    client = Presentation()  # 4:3
    client.slides.add_slide(client.slide_layouts[0]).shapes.title.text = "Client's own slide"
    client.save(str(tmp_path / "client.pptx"))
    slides.write_slides(document("en"), tmp_path / "a.pptx", template=tmp_path / "client.pptx")
    deck = slides_of(tmp_path / "a.pptx")
    assert (deck.slide_width, deck.slide_height) == (client.slide_width, client.slide_height)
    assert "Client's own slide" not in [one.shapes.title.text_frame.text for one in deck.slides]
    for one in deck.slides:
        assert all(shape.left + shape.width <= deck.slide_width + 2 for shape in one.shapes)
        fonts = {run.font.name for para in one.shapes.title.text_frame.paragraphs for run in para.runs}
        assert fonts == {None}  # the client's


def test_points_within_points_stand_further_in() -> None:
    points = "<ul><li>a<ul><li>b <b>c</b><ol><li>d</li></ol></li></ul></li><li>e</li></ul>"
    [listing] = [one for one, _ in parsing._elements(BeautifulSoup(points, "html.parser"), iter(()))]
    assert isinstance(listing, Listing)
    assert [item.words() for item in listing.items] == ["a", "\u2003c b", "\u2003\u2003d", "e"]


def test_sentences_end_where_people_end_them() -> None:
    assert split("It rose by 14.5 points. The controls did not; all is well.") == [
        "It rose by 14.5 points.",
        "The controls did not; all is well.",
    ]
    assert split("升至95.1%。对照未变。") == ["升至95.1%。", "对照未变。"]
    assert sentences("One of 2.5 points. Two. Three.", 25) == "One of 2.5 points. Two."


# --- workbook ---


@pytest.mark.parametrize(
    ("words", "value", "look"),
    [
        ("95.1%", 0.951, "0.0%"),
        ("−622", -622, "#,##0"),
        ("72,960", 72960, "#,##0"),
        ("+14.5", 14.5, "+0.0;-+0.0"),
        ("3.9 min", 3.9, '0.0" min"'),
        ("007", "007", ""),
        ("95%, at the line", "95%, at the line", ""),
        ("12.4 to 16.5", "12.4 to 16.5", ""),
        ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0", ""),
        ("–", "–", ""),
    ],
)
def test_numbers_are_numbers_and_texts_are_texts(words: str, value: object, look: str) -> None:
    found = sheets.number(words)
    assert found[0] == value
    if words != "+14.5":
        assert found[1] == look
    else:
        assert found[1] == "+0.0;-0.0;0.0"


def test_workbook_holds_every_table_with_numbers_and_no_formula(made: Document, tmp_path: Path) -> None:
    from openpyxl import load_workbook

    sheets.write_sheets(made, tmp_path / "a.xlsx")
    book = load_workbook(tmp_path / "a.xlsx")
    assert len(book.sheetnames) == 1 + len(list(made.tables))
    cells = [cell for sheet in book for row in sheet for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    [formula] = [cell for cell in cells if cell.value == "=1+1"]
    assert formula.quotePrefix
    sheet = next(one for one in book if one["A1"].value == plain(made.judged.body[2].title))  # type: ignore[union-attr]
    heads = next(row for row in sheet.iter_rows(values_only=True) if row[1] is not None)
    first = next(sheet.iter_rows(min_row=4, values_only=True))
    assert (
        wording.text("document.before", made.language, head=wording.text("head.pilot", made.language))
        in heads
    )
    assert 0.951 in first
    assert 12.4 in first  # lower end of the interval
    listed = [
        row[0].hyperlink.location for row in book.worksheets[0].iter_rows(min_row=4) if row[0].hyperlink
    ]
    assert len(listed) == len(list(made.tables))


# --- formats, brand, files ---


def test_formats_are_checked_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert documents.checked_formats("html, PDF,pdf") == ("html", "pdf")
    with pytest.raises(SettingsError) as caught:
        documents.checked_formats("odt,pdf,rtf")
    assert str(caught.value) == "`--format` must be some of html, pdf, docx, pptx, xlsx, not odt, rtf."
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in ("typst", "docx") else found(name)
    )
    with pytest.raises(SettingsError) as caught:
        documents.checked_formats("pdf,docx,xlsx")
    assert str(caught.value) == (
        "pdf, docx cannot be written: the extra is not installed. "
        "Install it: pip install 'csimprove[pdf,docx]'."
    )


def test_a_failed_document_leaves_the_good_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = documents.write_document(document("en"), tmp_path, "xlsx")
    before = good.read_bytes()

    def broken(_: Document, path: Path) -> None:
        path.write_bytes(b"half")
        raise ZeroDivisionError("no columns")

    monkeypatch.setattr(sheets, "write_sheets", broken)
    with pytest.raises(RunError) as caught:
        documents.write_document(document("en"), tmp_path, "xlsx")
    assert str(caught.value) == "report.xlsx could not be written: ZeroDivisionError: no columns"
    assert good.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["report.xlsx"]


def test_a_logo_in_svg_is_painted_for_word_and_slides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = tmp_path / "logo.svg"
    drawn.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20">'
        '<rect width="40" height="20" fill="#7A1F6B"/></svg>'
    )
    made = document("en", Brand("Hanlin & Co", drawn))
    painted = drawings.logo(made.brand)
    assert painted is not None
    with Image.open(painted) as image:
        assert round(image.width / image.height, 1) == 2.0
        assert image.convert("RGB").getpixel((5, 5)) == (0x7A, 0x1F, 0x6B)
    slides.write_slides(made, tmp_path / "a.pptx")
    [cover] = [shape for shape in slides_of(tmp_path / "a.pptx").slides[0].shapes if shape.shape_type == 13]
    assert cover._element.nvPicPr.cNvPr.get("descr") == "Hanlin & Co"
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(RunError) as caught:
        documents.write_document(made, tmp_path, "docx")
    assert str(caught.value) == (
        "report.docx could not be written: ImportError: colours of a brand and logos in SVG need typst: "
        "pip install 'csimprove[pdf]'"
    )


def test_a_brand_gives_its_colours_name_and_logo_to_every_format(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(logo())
    brand = Brand("Hanlin & Co", tmp_path / "logo.png", "#7A1F6B", "#5B7A1F")
    made = document("en", brand)
    shown = page("en", brand)
    assert "--pilot:#7A1F6B" in shown
    assert "--control:#5B7A1F" in shown
    assert "Hanlin &amp; Co" in shown
    assert shown.count("data:image/png") == 1
    data = pdf._data(made, tmp_path)
    assert data["colours"]["pilot"] == "#7A1F6B"
    [drawn] = tmp_path.glob("figure-*.svg")
    words = drawn.read_text(encoding="utf-8").lower()
    assert "#7a1f6b" in words
    assert "#0b4a9b" not in words
    for name in documents.FORMATS:
        documents.write_document(made, tmp_path, name)
    deck = slides_of(tmp_path / "report.pptx")
    assert "7A1F6B" in deck.slides[1].shapes._spTree.xml
    figure = next(one for one in made.judged.body if isinstance(one, Figure))
    assert pixels(figure.picture, brand).startswith(b"\x89PNG")
    assert pixels(figure.picture, brand) != figure.picture.png == pixels(figure.picture, Brand())


def test_only_colours_of_roles_are_exchanged() -> None:
    drawn = '<path style="fill:#0b4a9b;stroke:#123456"/>'
    assert recoloured(drawn, {"pilot": "#7A1F6B"}) == '<path style="fill:#7A1F6B;stroke:#123456"/>'


# --- all runs of a project ---


def manifest(status: str, verdict: str | None, **more: Any) -> dict[str, Any]:
    outcome = {"verdict": verdict, "period": ["2025-08-25", "2025-09-21"] if verdict else None}
    return {
        "status": status,
        "started": "2026-01-05T09:00:00",
        "as_of": "2025-10-26T15:40:00+00:00",
        "language": "en",
        "outcome": outcome,
        "notebooks": [{"parameters": {"metric": "csat", "cut": None, "as_of": "x", "language": "en"}}],
        **more,
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_page_of_a_project_lists_every_run_and_failed_ones_apart(
    language: wording.Language,
) -> None:
    failure = {"notebook": "05_pilot", "reason": "ValueError: <x>"}
    runs = [
        RunRow("20260105-090000", manifest("ok", "go"), ("report.pdf", "report.xlsx")),
        RunRow("20260104-090000", manifest("ok", None)),
        RunRow("failed/20260103-090000", manifest("failed", None, failure=failure)),
    ]
    shown = BeautifulSoup(shelf(runs, language=language, project="P & Q", zone="UTC"), "html.parser")
    first, second = shown.find_all("table")
    rows = [
        [cell.get_text(" ", strip=True) for cell in row.find_all(["th", "td"])]
        for row in first.find_all("tr")
    ]
    word = {"en": "GO", "zh": "通过"}[language]
    assert rows[1][3:] == [word, "metric=csat", {"en": "English", "zh": "英文"}[language], "pdf xlsx"]
    assert rows[2][2:4] == ["–", "–"]
    assert len(rows) == 3
    assert [one["href"] for one in first.find_all("a")] == [
        "20260105-090000/index.html",
        "20260105-090000/report.pdf",
        "20260105-090000/report.xlsx",
        "20260104-090000/index.html",
    ]
    assert "ValueError: <x>" in second.get_text()
    assert len(second.find_all("tr")) == 2


# --- a published run ---

SETTINGS = """project = "Service <2025>"
[source]
path = "tickets.csv"
[report]
name = "Hanlin"
focus = "#7A1F6B"
"""


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A published run of one notebook, its settings beside it."""
    (tmp_path / "playbook.toml").write_text(SETTINGS, encoding="utf-8")
    folder = tmp_path / "reports" / "service-2025" / "20260105-090000"
    folder.mkdir(parents=True)
    cells = [{"id": f"c{number}", **one} for number, one in enumerate(notebook("en")["cells"])]
    cells = [{"execution_count": 1, **one} if one["cell_type"] == "code" else one for one in cells]
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    (folder / "05_pilot.ipynb").write_text(json.dumps(whole), encoding="utf-8")
    entry = {"name": "05_pilot", "from": "package", "differs_from_package": False, "seconds": 1.0}
    about = {
        **manifest("ok", "go"),
        "project": "Service <2025>",
        "settings": {"file": "../../../playbook.toml", "sha256": "0" * 64},
        "versions": {"csimprove": "0.1.0"},
        "notebooks": [{**entry, "parameters": {"metric": "csat"}}],
    }
    (folder / "manifest.json").write_text(json.dumps(about), encoding="utf-8")
    return folder


def test_documents_of_a_published_run_are_written_beside_it(published: Path) -> None:
    made = playbook.write_documents(published, formats=("html", "pdf", "docx", "pptx", "xlsx"), quiet=True)
    assert [one.path.name for one in made] == [
        "index.html",
        *(f"report.{name}" for name in ("pdf", "docx", "pptx", "xlsx")),
    ]
    assert all(one.path.stat().st_size > 2_000 for one in made)
    assert not list(published.glob(".part-*"))
    shown = (published / "05_pilot.html").read_text(encoding="utf-8")
    assert "--pilot:#7A1F6B" in shown
    assert "Hanlin" in shown
    listed = (published.parent / "index.html").read_text(encoding="utf-8")
    assert "20260105-090000/report.pptx" in listed
    # a later run recognises the new page as this run's own
    [entry] = json.loads((published / "manifest.json").read_text(encoding="utf-8"))["notebooks"]
    assert set(entry["files"]) == {"05_pilot.html", "05_pilot.ipynb"}
    # from the first page as well, and without settings in the usual colours
    (published.parents[2] / "playbook.toml").unlink()
    [again] = playbook.write_documents(published / "index.html", formats=("xlsx",), quiet=True)
    assert again.path == published / "report.xlsx"


def test_what_is_no_good_run_or_no_template_is_refused(published: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        playbook.write_documents(tmp_path, formats=("pdf",))
    assert str(caught.value) == (
        f"`run` must be the folder of a good run, with its manifest.json, not {tmp_path}. "
        "Give one below the reports folder."
    )
    with pytest.raises(SettingsError) as caught:
        playbook.write_documents(published, formats=("pptx",), template=tmp_path / "client.potx")
    assert str(caught.value) == f"`--template` must be a .pptx file, not {tmp_path / 'client.potx'}."


def test_every_failed_document_is_named_and_the_others_are_written(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playbook.write_documents(published, formats=("html",), quiet=True)

    def broken(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(pdf, "write_pdf", broken)
    monkeypatch.setattr(word, "write_word", broken)
    with pytest.raises(RunError) as caught:
        playbook.write_documents(published, formats=("pdf", "docx", "xlsx"), quiet=True)
    assert str(caught.value) == (
        f"2 of the documents of {published} failed:\n"
        "  report.pdf could not be written: OSError: no space left\n"
        "  report.docx could not be written: OSError: no space left"
    )
    assert (published / "report.xlsx").is_file()
