"""A small executed notebook of every kind of block, its page, and the document of a run of two."""

from __future__ import annotations

import base64
import functools
import io
from datetime import date
from typing import Any

from csimprove import charts, report, wording
from csimprove.report import Brand, cells, documents
from made_results import AS_OF, BASELINE, PILOT, READING, ZONE

METRIC = "response_on_time"
WORDS = "The CRM\x0b was **down**.\n\n- twice\n- on Monday"  # a sign that Office files cannot hold
NOTES = (report.Note("Li <lead>", date(2025, 9, 1), METRIC, WORDS),)


def _code(*outputs: dict[str, Any], tags: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"cell_type": "code", "source": "", "metadata": {"tags": list(tags)}, "outputs": list(outputs)}


def _shown(block: report.Block) -> dict[str, Any]:
    data = {"text/html": block._repr_html_(), "text/plain": block.plain}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def _figure(language: wording.Language) -> dict[str, Any]:
    words = wording.pilot_arms(PILOT, METRIC, language=language)
    figure = charts.pilot_arms(PILOT, METRIC, language=language)
    assert figure is not None
    drawn, about = cells.drawings(figure, words["alt"])
    png = {"image/png": base64.b64encode(drawn).decode()}
    head = report.Block(
        f'<h2>{words["title"]}</h2><p class="lede">{words["lede"]}</p>', f"{words['title']}\n{words['lede']}"
    )
    foot = report.Block(f'<figcaption class="cap">{words["caption"]}</figcaption>', words["caption"])
    shown = {"output_type": "display_data", "data": png, "metadata": {"image/png": about}}
    return _code(_shown(head), shown, _shown(foot))


def _prose(words: str, tag: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": words, "metadata": {"tags": [tag]}}


@functools.cache
def notebook(language: wording.Language) -> dict[str, Any]:
    """An executed pilot notebook."""
    blocks = [
        report.masthead(PILOT, language=language),
        report.verdict_banner(PILOT, language=language),
        report.tiles(PILOT, language=language),
        report.evaluation_table(PILOT, language=language),
        report.checks(PILOT, language=language),
        report.left_out_table(PILOT, language=language),
        report.next_steps_table(PILOT, language=language),
        report.quality_table(READING, language=language),
        report.method(PILOT, language=language),
        report.provenance(PILOT, language=language),
    ]
    shown = [_code(_shown(block)) for block in blocks]
    shown.insert(4, _figure(language))
    intro = {
        "en": "# Did it work?\n\nServes **one** decision: go on or stop.",
        "zh": "# 有效吗？\n\n服务于一个决定：**继续还是停止**。",
    }
    return {"cells": [_prose(intro[language], f"lang-{language}"), *shown]}


@functools.cache
def baseline(language: wording.Language) -> dict[str, Any]:
    """An executed baseline notebook."""
    blocks = [
        report.masthead(BASELINE, language=language),
        report.tiles(BASELINE, language=language),
        report.indicators_table(BASELINE, language=language),
        report.cuts_table(BASELINE, "region", language=language),
    ]
    intro = {"en": "# Where are we?", "zh": "# 现状如何？"}
    return {"cells": [_prose(intro[language], f"lang-{language}"), *(_code(_shown(one)) for one in blocks)]}


def page(language: wording.Language, brand: Brand | None = None) -> str:
    """The page of the pilot notebook."""
    return report.page(
        notebook(language),
        language=language,
        title="Did it work?",
        project="Service <2025>",
        as_of=AS_OF,
        zone=ZONE,
        notes=NOTES,
        parameters={"metric": METRIC, "formula": "=1+1"},
        brand=brand or Brand(),
    )


def document(language: wording.Language, brand: Brand | None = None) -> documents.Document:
    """The document of a run of both notebooks."""
    project, own = "Service <2025>", brand or Brand()
    shared: dict[str, Any] = {"language": language, "project": project, "as_of": AS_OF, "zone": ZONE}
    entries = [
        report.RunEntry("01_baseline", "Where are we?", "ok", "01_baseline.html", baseline(language), 1.0),
        report.RunEntry(
            "05_pilot", "Did it work?", "ok", "05_pilot.html", notebook(language), 2.0, {"formula": "=1+1"}
        ),
    ]
    first = report.page(baseline(language), title="Where are we?", **shared)
    sections = [
        documents.read_section("01_baseline", first, documents.pictures(baseline(language))),
        documents.read_section("05_pilot", page(language, own), documents.pictures(notebook(language))),
    ]
    index = report.index(entries, **shared)
    return documents.read_run(index, sections, project=project, language=language, brand=own)


def logo() -> bytes:
    """A PNG of one colour."""
    from PIL import Image

    made = io.BytesIO()
    Image.new("RGB", (40, 20), "#7A1F6B").save(made, "png")
    return made.getvalue()
