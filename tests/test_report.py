"""Blocks, notes and pages: what a reader sees, that nothing leaks in, that every form says the same."""

from __future__ import annotations

import base64
import html.parser
import io
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from fontTools import ttLib

import made_run
from csimprove import charts, report, wording
from csimprove.errors import SettingsError
from csimprove.report import cells
from csimprove.report.blocks import FALLBACK_STYLE, escaped, table
from csimprove.report.documents.drawings import size_of
from csimprove.report.pages import markdown
from made_results import AS_OF, BASELINE, PILOT, READING, VERDICTS, ZONE

LANGUAGES = ("en", "zh")


class Outline(html.parser.HTMLParser):
    """Tags in order, headings with their text, images, links and what is not closed."""

    VOID = ("meta", "img", "br", "hr", "path", "circle")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if any(re.fullmatch(r"h[1-6]", tag) for tag in self.open):
            level, words = self.headings[-1]
            self.headings[-1] = (level, words + data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def blocks(language: wording.Language) -> dict[str, report.Block]:
    return {
        "masthead baseline": report.masthead(BASELINE, language=language),
        "tiles baseline": report.tiles(BASELINE, language=language),
        "indicators": report.indicators_table(BASELINE, language=language),
        "cuts": report.cuts_table(BASELINE, "region", language=language),
        "goals": report.goals_table(BASELINE, language=language),
        "quality": report.quality_table(READING, language=language),
        "method baseline": report.method(BASELINE, language=language),
        "provenance": report.provenance(BASELINE, language=language),
        "masthead": report.masthead(PILOT, language=language),
        "verdict": report.verdict_banner(PILOT, language=language),
        "tiles": report.tiles(PILOT, language=language),
        "evaluation": report.evaluation_table(PILOT, language=language),
        "checks": report.checks(PILOT, language=language),
        "left out": report.left_out_table(PILOT, language=language),
        "next": report.next_steps_table(PILOT, language=language),
        "method": report.method(PILOT, language=language),
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", blocks("en"))
def test_blocks_are_well_formed_and_escape_what_comes_from_data(
    name: str, language: wording.Language
) -> None:
    block = blocks(language)[name]
    outline = Outline(block._repr_html_())
    assert outline.open == []
    assert not {"north", "2025", "two", "lead", "at", "script"} & {tag for tag, _ in outline.tags}
    assert block._repr_html_().startswith(FALLBACK_STYLE)
    assert repr(block) == block.plain
    assert "<svg" not in block.plain
    assert all(line == line.rstrip() for line in block.plain.splitlines())


def test_evaluation_table_as_text() -> None:
    lines = repr(report.evaluation_table(PILOT)).splitlines()
    assert lines[0] == "Both main measures pass; all guardrails hold; no effect shown on the complaint rate"
    assert lines[1].split() == [
        "Measure",
        "Pilot",
        "Controls",
        "Effect",
        "Plan",
        "asked",
        "Target",
        "Verdict",
    ]
    assert re.split(r" {2,}", lines[2]) == [
        "Response on time (main measure)",
        "80.0% → 95.1%",
        "79.1% → 79.9%",
        "+14.5 (12.4 to 16.5)",
        "at least +5",
        "95%, at the line",
        "pass",
    ]
    assert re.split(r" {2,}", lines[6])[3:] == [
        "−3.1 min (−3.4 to −2.8)",
        "not above +0.5",
        "none set",
        "safe",
    ]


def test_columns_of_plain_tables_line_up_in_chinese() -> None:
    block = table(
        title="表",
        head=["指标", "n"],
        rows=[["响应及时率", "5"], ["ab", "1,000"]],
        language="zh",
        numeric=[1],
    )
    assert block.plain.splitlines() == ["表", "指标            n", "响应及时率      5", "ab          1,000"]


def test_rows_read_are_accounted_for_line_by_line() -> None:
    lines = repr(report.quality_table(READING)).splitlines()
    assert lines[0] == "1,000 of 1,100 rows read are used"
    numbers = [int(re.split(r" {2,}", line)[-1].replace(",", "").replace("−", "-")) for line in lines[2:7]]
    assert numbers == [1100, -60, -30, -10, 1000]
    assert sum(numbers[:-1]) == numbers[-1]
    assert "left out by the rule ticket id seen before" in lines[5]
    assert any(line.startswith("pause that ends before it starts, ignored") for line in lines)
    assert any("3█/█5 <script>" in line for line in lines)


def test_left_out_table_subtracts_down_to_what_is_used() -> None:
    lines = [re.split(r" {2,}", line) for line in repr(report.left_out_table(PILOT)).splitlines()]
    assert lines[1] == [
        "For response on time 2.0% of the pilot's and 0.7% of the controls' tickets of the pilot "
        "weeks are undecided; they leave numerator and denominator."
    ]
    rows = {line[0]: [int(one.replace(",", "").replace("−", "-")) for one in line[1:]] for line in lines[3:7]}
    assert list(rows) == [
        "received",
        "no rule gives a limit",
        "outside the definition",
        "used for response on time",
    ]
    parts = list(rows.values())
    assert [sum(column) for column in zip(*parts[:-1], strict=True)] == parts[-1]


def test_goals_leave_out_what_is_reached_and_name_what_is_missing() -> None:
    lines = repr(report.goals_table(BASELINE)).splitlines()
    assert [re.split(r" {2,}", line) for line in lines[2:4]] == [
        ["Response on time", "75.2%", "95%", "+19.8 points", "31", "Desk <lead>", "31 Dec 2025", "goal"],
        ["Complaint rate", "2.5%", "1%", "−1.5 points", "2", "not set", "not set", "no goal yet"],
    ]
    assert lines[0] == "1 of 2 gaps are goals: somebody owns them by a date"
    assert "Waiting" not in "".join(lines)


def test_a_plan_without_a_step_for_the_verdict_says_what_to_do() -> None:
    block = report.next_steps_table(replace(PILOT, verdict="extend"))
    assert "Add one under [[pilot.next_steps]] with an owner and a date." in block.plain


@pytest.mark.parametrize("result", VERDICTS, ids=lambda result: f"{result.verdict}-{result.reason.code}")
def test_banner_has_shape_word_and_colour_role_of_every_verdict(result: Any) -> None:
    block = report.verdict_banner(result)
    assert f'class="verdict {result.verdict}"' in block.html
    assert "<svg" in block.html
    assert block.plain.startswith(wording.verdict_word(result.verdict) + ": ")


def test_blocks_stand_missing_numbers() -> None:
    bare = replace(
        PILOT.metrics[0],
        **dict.fromkeys(
            (
                *("effect", "ci_low", "ci_high", "pvalue", "smallest_pvalue", "crude_effect", "mix_effect"),
                *("level", "level_low", "level_high", "tickets_per_week", "tickets_low", "tickets_high"),
            )
        ),
        status="no_interval",
    )
    result = replace(PILOT, metrics=(bare, *PILOT.metrics[1:]), volume=None, volume_ok=None)
    assert "– (–)" in repr(report.evaluation_table(result))
    assert "no effect is stated" in repr(report.tiles(result))
    assert "could not be checked" in repr(report.checks(result))
    assert "not possible with so few teams" in repr(report.checks(result))


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("95% interval −0.4 to +0.2.", ["−0.4 to +0.2"]),
        ("2025年8月25日至9月21日", ["2025年8月25日", "9月21日"]),
        ("（12.4至16.5）", ["12.4至16.5"]),
        ("26 Sep 2025, 09:00", ["26 Sep 2025"]),
    ],
)
def test_dates_and_intervals_do_not_break(words: str, kept: list[str]) -> None:
    assert re.findall(r'<span class="nb">(.*?)</span>', escaped(words)) == kept


# ---- cells


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    shown: list[tuple[Any, Any]] = []
    monkeypatch.setattr(cells, "_display", lambda what, metadata=None: shown.append((what, metadata)))
    return shown


def test_show_chart_displays_heading_picture_with_alt_and_caption(displayed: list[tuple[Any, Any]]) -> None:
    words = wording.pilot_arms(PILOT, "response_on_time")
    report.show_chart(charts.pilot_arms(PILOT, "response_on_time"), **words)
    heading, (picture, metadata), caption = displayed
    assert repr(heading[0]).startswith(words["title"])
    assert picture["image/png"].startswith(b"\x89PNG")
    assert picture["text/plain"] == f"[{words['alt']}]"
    assert metadata["image/png"]["alt"] == words["alt"]
    assert metadata["image/png"]["width"] == 620
    drawn = metadata["image/png"]["drawings"]
    assert {kind: size_of(svg)[0] for kind, svg in drawn.items()} == {"page": 880, "slide": 620, "phone": 358}
    assert caption[0].plain == words["caption"]


def test_a_page_holds_a_drawing_for_wide_and_one_for_small_screens() -> None:
    shown = made_run.page("en")
    drawn = re.findall(
        r'<svg class="(\w+)" role="img" aria-label="([^"]+)" xmlns=\S+ viewBox="[^"]+" width="(\d+)"', shown
    )
    assert [(kind, width) for kind, _, width in drawn] == [("wide", "880"), ("small", "358")]
    assert len({alt for _, alt, _ in drawn}) == 1
    ids = re.findall(r' id="(d[^"]+)"', shown)
    assert len(ids) == len(set(ids))


def test_a_figure_with_a_single_drawing_scrolls_in_its_frame() -> None:
    about = {
        "alt": "A fishbone.",
        "drawings": {"page": '<svg viewBox="0 0 660 9" width="880" height="12"></svg>'},
    }
    drawn = {"output_type": "display_data", "data": {"image/png": "aaaa"}, "metadata": {"image/png": about}}
    notebook = {"cells": [{"cell_type": "code", "source": "", "metadata": {}, "outputs": [drawn]}]}
    shown = report.page(notebook, language="en", title="Why?", project="P", as_of=AS_OF, zone="UTC")
    assert '<figure><div class="scroll drawing" role="region" tabindex="0"' in shown
    assert '<svg class="only" role="img" aria-label="A fishbone."' in shown


def test_hand_over_rounds_to_ten_digits_and_is_strict_json(displayed: list[tuple[Any, Any]]) -> None:
    report.hand_over(
        replace(PILOT, metrics=(replace(PILOT.metrics[0], effect=1 / 3, level=float("nan")),)), "pilot"
    )
    [(bundle, _)] = displayed
    handed = bundle["application/vnd.csimprove.result+json"]
    assert handed["name"] == "pilot"
    metric = handed["result"]["metrics"][0]
    assert (metric["effect"], metric["level"]) == (0.3333333333, None)
    assert json.loads(json.dumps(handed, allow_nan=False)) == handed
    assert bundle["text/plain"].startswith("results.json <- pilot (metrics: 1")


# ---- notes


def test_notes_are_read_with_author_date_metric_and_body() -> None:
    notes = report.parse_notes(
        "author: Li\ndate: 2025-09-26\nmetric: csat\n\nFirst.\n\nSecond.\n---\nauthor: Chen\ndate: "
        "2025-10-02\n\nDone."
    )
    assert notes == (
        report.Note("Li", date(2025, 9, 26), "csat", "First.\n\nSecond."),
        report.Note("Chen", date(2025, 10, 2), "", "Done."),
    )
    assert report.parse_notes("\n\n---\n") == ()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "date: 2025-09-26\n\nx",
            "n.md, note 1: `author` must be given. Write a line author: above the empty line.",
        ),
        ("author: Li\ndate: 26.9.\n\nx", "n.md, note 1: `date` must be a day like 2025-09-26, not '26.9.'."),
        (
            "autor: Li\n\nx",
            "n.md, note 1: the lines before the empty line must be author:, date: or metric:, not 'autor: "
            "Li'.",
        ),
    ],
)
def test_a_wrong_note_is_one_clear_message(words: str, message: str) -> None:
    with pytest.raises(SettingsError) as error:
        report.parse_notes(words, source="n.md")
    assert str(error.value) == message


# ---- pages


def printed(name: str, words: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": words}


def code(*outputs: dict[str, Any], tags: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "source": "secret_code()",
        "outputs": list(outputs),
        "metadata": {"tags": tags},
    }


def prose(words: str, *tags: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": [words], "metadata": {"tags": list(tags)}}


def shown(block: report.Block) -> dict[str, Any]:
    data = {"text/html": [block._repr_html_()], "text/plain": repr(block)}
    return {"output_type": "execute_result", "data": data, "metadata": {}}


def picture(alt: str) -> dict[str, Any]:
    data = {"image/png": base64.b64encode(b"\x89PNG").decode() + "\n", "text/plain": "[x]"}
    about = {"image/png": {"alt": alt, "width": 880, "height": 400}}
    return {"output_type": "display_data", "data": data, "metadata": about}


def notebook(language: wording.Language = "en") -> dict[str, Any]:
    caption = report.Block('<figcaption class="cap">n = 5</figcaption>', "n = 5")
    handed = {
        cells.RESULT: {"name": "pilot", "result": cells.rounded(PILOT.to_dict())},
        "text/plain": "results.json <-",
    }
    return {
        "cells": [
            prose("# Did the pilot work?\n\nServes **one** decision. <script>alert(1)</script>", "lang-en"),
            prose("# 试点有效吗？", "lang-zh"),
            code(tags=("parameters",)),
            code(printed("stdout", "seed = 7"), tags=("injected-parameters",)),
            *(code(shown(block)) for block in list(blocks(language).values())[8:]),
            code(
                shown(report.Block("<h2>The gap opened</h2>", "")),
                picture('Line "chart" <of>'),
                shown(caption),
            ),
            code(printed("stdout", "said <this>")),
            code(printed("stderr", "a warning")),
            code({"output_type": "display_data", "data": handed, "metadata": {}}),
            code(
                {
                    "output_type": "display_data",
                    "data": {"text/html": "<p>a<script src='https://x.y/z.js'></script></p>"},
                }
            ),
        ]
    }


def made_page(language: wording.Language = "en", **options: Any) -> str:
    return report.page(
        notebook(language),
        language=language,
        title="Pilot </style><b>",
        project="Service & more",
        as_of=AS_OF,
        zone=ZONE,
        **options,
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_is_self_contained_and_well_formed(language: wording.Language) -> None:
    page = made_page(language)
    outline = Outline(page)
    assert outline.open == []
    assert outline.all("script") == []
    assert not re.search(r"""(src|href)=["']?https?:|url\((?!data:font)|@import""", page)
    assert outline.all("html") == [{"lang": {"en": "en", "zh": "zh-CN"}[language]}]
    assert "default-src 'none'" in str(outline.all("meta")[1]["content"])
    assert len(outline.all("main")) == 1
    assert {"class": "skip", "href": "#main"} in outline.all("a")
    assert FALLBACK_STYLE not in page


def test_page_has_one_first_heading_and_skips_no_level() -> None:
    levels = [level for level, _ in Outline(made_page()).headings]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_page_hides_code_parameters_other_language_and_streams_of_warnings() -> None:
    page = made_page()
    for hidden in ("secret_code", "seed = 7", "a warning", "试点有效吗", "results.json", "alert(1)</script>"):
        assert hidden not in page
    assert '<p class="question">Did the pilot work?</p>' in page
    assert "<strong>one</strong>" in page
    assert "<pre>said &lt;this&gt;</pre>" in page


def test_a_page_without_masthead_keeps_the_question_as_heading() -> None:
    plain = {"cells": [prose("# Where are we?"), prose("text")]}
    assert Outline(report.page(plain, language="en", title="t")).headings == [(1, "Where are we?")]
    assert Outline(report.page({"cells": [prose("x")]}, language="en", title="T")).headings == [(1, "T")]


def test_figures_keep_alt_text_caption_and_size() -> None:
    page = made_page()
    [image] = Outline(page).all("img")
    assert image["alt"] == 'Line "chart" <of>'
    assert (image["width"], image["height"]) == ("880", "400")
    figure = re.search(r"<figure>.*?</figure>", page, re.DOTALL)
    assert figure is not None
    assert "<h2>The gap opened</h2>" in figure[0]
    assert "<figcaption" in figure[0]


def test_titles_cannot_break_out_of_style_or_title() -> None:
    page = made_page()
    assert "<title>Service &amp; more, Pilot &lt;/style&gt;&lt;b&gt;</title>" in page
    assert page.count("</style>") == 1


def test_parameters_facts_and_way_back_are_on_the_page() -> None:
    page = made_page(parameters={"metric": None, "as_of": "<x>"}, facts=[("Run", "r<1>")], index="index.html")
    text = re.sub(r"<[^>]*>", "|", page)
    assert "Parameters of this notebook" in text
    assert re.search(r"metric\|+–", text)
    assert re.search(r"as_of\|+&lt;x&gt;", text)
    assert "r&lt;1&gt;" in text
    assert '<a href="index.html">All results of this run</a>' in page


def test_notes_are_marked_and_flagged_when_older_than_the_figures() -> None:
    notes = [
        report.Note("Li <Wei>", date(2025, 9, 20), "csat", "CRM **down** <img src=x onerror=alert(1)>"),
        report.Note("Chen", date(2025, 9, 21), "", "![a chart](https://x.y/z.png)"),
    ]
    first, second = re.findall(r'<aside class="note"[^>]*>.*?</aside>', made_page(notes=notes), re.DOTALL)
    assert "Note by Li &lt;Wei&gt;, " in first
    assert "about CSAT" in first
    assert "Older than the figures on this page" in first
    assert "21 Sep 2025" in first
    assert "<strong>down</strong> &lt;img" in first
    assert "Older than" not in second
    assert "<p>a chart</p>" in second


@pytest.mark.parametrize(("block", "mark"), [(report.method, "method"), (report.provenance, "origin")])
def test_notes_stand_after_the_figures_and_before_definitions_and_sources(
    block: Callable[..., report.Block], mark: str
) -> None:
    notebook = {"cells": [code(shown(one)) for one in (report.masthead(BASELINE), block(BASELINE))]}
    note = report.Note("Li", date(2025, 9, 20), "", "Watch the night shift.")
    page = report.page(notebook, language="en", title="t", notes=[note])
    parts = ('<header class="top">', "Watch the night shift.", f'class="{mark}"')
    order = [page.index(part) for part in parts]
    assert order == sorted(order)


def test_markdown_keeps_tables_and_drops_dangerous_links() -> None:
    assert "<table>" in markdown("| a |\n|---|\n| b |")
    assert "javascript:" not in markdown("[x](javascript:alert(1))")


def test_an_error_in_a_cell_is_shown_as_such() -> None:
    error = {"output_type": "error", "ename": "ValueError", "evalue": "<bad>", "traceback": ["secret frame"]}
    page = report.page({"cells": [code(error)]}, language="en", title="t")
    assert "This notebook did not finish: ValueError: &lt;bad&gt;" in page
    assert "secret frame" not in page


def entries() -> list[report.RunEntry]:
    first = {"cells": [code(shown(report.masthead(BASELINE)))]}
    return [
        report.RunEntry("01_baseline", "Where <are> we?", page="01.html", notebook=first, seconds=3.21),
        report.RunEntry(
            "05_pilot",
            "Did it work?",
            page="05.html",
            notebook=notebook(),
            parameters={"seed": 1, "language": "en"},
        ),
        report.RunEntry("06_rollout", "Next?", status="not_run", parameters={"language": "en"}),
    ]


def test_index_puts_the_verdict_first_and_lists_every_notebook() -> None:
    page = report.index(
        entries(),
        language="en",
        project="Service & more",
        as_of=AS_OF,
        zone=ZONE,
        files=[("manifest", "manifest.json")],
    )
    outline = Outline(page)
    assert outline.open == []
    assert outline.headings[0] == (1, wording.pilot_headline(PILOT))
    assert page.index('<section class="verdict go"') < page.index("Where &lt;are&gt; we?")
    assert [link["href"] for link in outline.all("a")] == ["#main", "01.html", "05.html", "manifest.json"]
    text = re.sub(r"\|+", "|", re.sub(r"<[^>]*>", "|", page))
    assert "Response on time is 75.2% against a target of 95%; 1 of 6 targets reached|finished|3.2|" in text
    assert "|Next?|–|not run|–|" in text
    assert "|language|en|05_pilot, 06_rollout|" in text
    assert "|Did it work?|25 Aug| – |21 Sep 2025|" in text


def test_index_without_a_pilot_says_so() -> None:
    page = report.index(entries()[:1], language="zh", project="服务", as_of=AS_OF, zone=ZONE)
    assert Outline(page).headings[0] == (1, "服务")
    assert "本次运行不含试点结论" in page


def test_a_chinese_page_carries_the_characters_it_uses_and_an_english_one_none() -> None:
    notebook = {"cells": [{"cell_type": "markdown", "source": "# 试点", "metadata": {}}]}
    chinese = report.page(notebook, language="zh", title="试点评估")
    (data,) = re.findall(r"src:url\(data:font/woff;base64,([^)]*)\)", chinese)
    glyphs = ttLib.TTFont(io.BytesIO(base64.b64decode(data))).getBestCmap()
    assert {ord(letter) for letter in "试点评估"} <= set(glyphs) < set(range(0x2E80, 0xFFF0))
    assert '"csimprove page",sans-serif' in chinese
    plain = {"cells": [{"cell_type": "markdown", "source": "# Pilot", "metadata": {}}]}
    assert "@font-face" not in report.page(plain, language="en", title="Pilot")


def test_many_indicators_of_a_cut_stand_in_tables_below_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = report.cuts_table(BASELINE, "region").html
    monkeypatch.setattr("csimprove.report.tables.MOST_COLUMNS", 1)
    parted = report.cuts_table(BASELINE, "region").html
    columns = whole.count('<th scope="col"') - 1
    assert (whole.count("<table"), parted.count("<table")) == (1, columns)
    assert parted.count("<caption>") == whole.count("<caption>") == 1
    headings = re.findall(r"<h[23]>(.*?)</h[23]>", parted)
    assert len(set(headings)) == columns > 1  # no two regions of a page have one name
    assert headings[0] == "By region: where the gaps lie"
