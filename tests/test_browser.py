"""Every page of the sample report in a browser, in both languages: nothing missing, nothing sticks out."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from bs4 import BeautifulSoup

from csimprove import playbook, samples

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(CHROMIUM).is_file(), reason="Debian's chromium is not installed"),
]

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: Width of the printed part of A4, px: 210 mm less the margins.
PAPER = 680
#: Characters of the page that no font has: each is drawn and compared with one that none can have.
MISSING = """async () => {
  await document.fonts.ready;
  const canvas = document.createElement('canvas'); canvas.width = canvas.height = 30;
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  pen.font = '20px ' + getComputedStyle(document.body).fontFamily; pen.textBaseline = 'top';
  const drawn = sign => {pen.clearRect(0, 0, 30, 30); pen.fillText(sign, 2, 2);
    return pen.getImageData(0, 0, 30, 30).data.join()};
  const none = drawn('\\u0378');
  const signs = new Set(document.body.textContent.replace(/[\\s\\u00a0\\u200b\\u3000]/g, ''));
  return [...signs].filter(sign => drawn(sign) === none)}"""
#: Tables, drawings and rows that leave the paper to the right.
OUTSIDE = """width => [...document.querySelectorAll('table, .drawing svg, .drawing img, td, th')]
  .filter(one => one.getBoundingClientRect().right > width + 1 && one.getBoundingClientRect().width > 0)
  .map(one => one.tagName + ' ' + one.textContent.slice(0, 40))"""

#: Size in px of the smallest text of each figure's drawing, whether it lies in the window, how many there are
#: beside it; a fishbone gives way to its list on phones.
SHOWN = """() => [...document.querySelectorAll('figure')].filter(one => one.checkVisibility())
  .map(figure => {const [one, ...more] =
      [...figure.querySelectorAll('svg[role=img]')].filter(one => one.checkVisibility());
    if (!one) return [12, true, figure.nextElementSibling.querySelector('.fish') ? 0 : -1];
    const box = one.getBoundingClientRect(), scale = box.width / one.viewBox.baseVal.width;
    const sizes = [...one.querySelectorAll('text')].map(text => parseFloat(getComputedStyle(text).fontSize));
    return [Math.round(scale * Math.min(...sizes) * 10) / 10, box.right <= innerWidth, more.length]})"""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The pages of the sample programme in both languages, and the lists of all runs."""
    pages: list[Path] = []
    for language in ("en", "zh"):
        settings = samples.write_sample(tmp_path_factory.mktemp(language), small=True, language=language)
        run = playbook.run(settings, quiet=True, language=language).parent
        playbook.write_documents(run, formats=("docx",), quiet=True)
        pages += [run.parent / "index.html", *sorted(run.glob("*.html"))]
    return pages


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Chromium on a machine whose only font is DejaVu: Chinese must come from the page."""
    folder = tmp_path_factory.mktemp("fonts")
    fonts = f"<dir>{mpl.get_data_path()}/fonts/ttf</dir><cachedir>{folder}</cachedir>"
    config = f'<?xml version="1.0"?><fontconfig>{fonts}</fontconfig>'
    (folder / "fonts.conf").write_text(config, encoding="utf-8")
    own = {**os.environ, "FONTCONFIG_FILE": str(folder / "fonts.conf")}
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, env=own)
        yield opened
        opened.close()


def opened(browser: Any, path: Path, **options: Any) -> tuple[Any, list[str]]:
    """Open a page; whatever it says on the console or asks of the network is noted."""
    page, noted = browser.new_page(**options), []
    page.on("console", lambda said: noted.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: noted.append(str(error)))
    page.on("request", lambda asked: noted.append(asked.url) if outside(asked.url) else None)
    page.goto(path.as_uri())
    return page, noted


def outside(url: str) -> bool:
    return not url.startswith(("file:", "data:", "blob:"))


def each(reports: list[Path], problems: dict[str, Any]) -> None:
    assert len(reports) > 10
    assert problems == {}


def test_pages_are_quiet_ask_nothing_and_never_scroll_sideways(reports: list[Path], browser: Any) -> None:
    problems: dict[str, Any] = {}
    for path in reports:
        page, noted = opened(browser, path)
        for width in (390, 768, 900, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                noted.append(f"{wide} px wide at {width}")
        if noted:
            problems[f"{path.parent.name}/{path.name}"] = noted
        page.close()
    each(reports, problems)


@pytest.mark.parametrize("width", [390, 1280])
def test_words_in_drawings_are_never_small_and_no_drawing_is_shown_twice(
    reports: list[Path], browser: Any, width: int
) -> None:
    problems: dict[str, Any] = {}
    for path in reports:
        page, _ = opened(browser, path, viewport={"width": width, "height": 900})
        found = page.evaluate(SHOWN)
        if any(size < 12 or not inside or more for size, inside, more in found):
            problems[f"{path.parent.name}/{path.name}"] = found
        page.close()
    each(reports, problems)


def test_no_character_is_missing(reports: list[Path], browser: Any) -> None:
    problems: dict[str, Any] = {}
    for path in reports:
        page, _ = opened(browser, path)
        if missing := page.evaluate(MISSING):
            problems[f"{path.parent.name}/{path.name}"] = "".join(missing)
        page.close()
    each(reports, problems)


def test_the_check_for_missing_characters_finds_one(tmp_path: Path, browser: Any) -> None:
    (tmp_path / "a.html").write_text("<meta charset=utf-8><p>a\U0001f9ff\u9f98", encoding="utf-8")
    page, _ = opened(browser, tmp_path / "a.html")
    assert "\u9f98" in page.evaluate(MISSING)
    page.close()


def test_axe_finds_nothing(reports: list[Path], browser: Any) -> None:
    """English pages wide and light, Chinese ones narrow and dark: they are made by the same code."""
    problems: dict[str, Any] = {}
    for path in reports:
        chinese = 'lang="zh-CN"' in path.read_text(encoding="utf-8")[:200]
        scheme, width = ("dark", 390) if chinese else ("light", 1280)
        page, _ = opened(browser, path, color_scheme=scheme, viewport={"width": width, "height": 900})
        found = axe.Axe().run(page).response["violations"]
        if found:
            problems[f"{path.parent.name}/{path.name}"] = [
                (one["id"], one["nodes"][0]["html"][:200], len(one["nodes"])) for one in found
            ]
        page.close()
    each(reports, problems)


#: Names and units that stand in Chinese text as they are.
NAMES = {
    *("Asia", "Shanghai", "SHA", "csimprove", "playbook", "toml", "tickets", "csv", "json", "docx", "utf"),
    *("CSAT", "CSI", "NPS", "FCR", "PDCA", "CRM", "SLA", "EWMA", "XmR", "sigma", "bootstrap"),
    *("Wilson", "Welch", "Kaplan", "Meier", "Laney", "OBrien", "Fleming", "Lan", "DeMets", "Pocock"),
    *("Holm", "Newcombe", "Kitagawa", "ICC", "Krippendorff", "Reichheld", "Anh", "wild"),
    # what is typed: a command, a key of the settings, values of parameters
    *("plan", "lock", "history", "period", "monthly", "seed", "metrics", "owner", "due", "test"),
    *("pilot", "verdict"),
}


def words_of(path: Path) -> str:
    """Everything that a reader of a page reads or hears; file names and parameters apart."""
    shown = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    for one in shown.select("style, head, code, pre, section.parameters, footer, ul:not([class])"):
        one.extract()
    labels = [str(one["aria-label"]) for one in shown.select("[aria-label]")]
    words = "\n".join([*shown.stripped_strings, *labels])
    return re.sub(
        r"[\w/.]+\.(?:csv|md|toml|json|ipynb)\b|\b(?=\w*\d)[0-9a-f]{8,}\b", "", words, flags=re.ASCII
    )


def test_each_language_holds_no_word_of_the_other(reports: list[Path]) -> None:
    problems: dict[str, Any] = {}
    for path in reports:
        words = words_of(path)
        chinese = 'lang="zh-CN"' in path.read_text(encoding="utf-8")[:200]
        if chinese:
            found = set(re.findall(r"[A-Za-z]{3,}", words.replace("'", ""))) - NAMES
        else:
            found = set(re.findall(r"[\u4e00-\u9fff]+", words))
        if found:
            problems[f"{path.parent.name}/{path.name}"] = sorted(found)
    each(reports, problems)


def test_links_lead_somewhere(reports: list[Path]) -> None:
    problems: dict[str, Any] = {}
    for path in reports:
        words = path.read_text(encoding="utf-8")
        ids = set(re.findall(r'\bid="([^"]+)"', words))
        for link in re.findall(r'<a [^>]*href="([^"]+)"', words):
            target = (path.parent / link.partition("#")[0]) if link[0] != "#" else path
            if not target.is_file() or (link[0] == "#" and link[1:] not in ids):
                problems[f"{path.parent.name}/{path.name}"] = link
    each(reports, problems)


def test_nothing_is_cut_in_print(reports: list[Path], browser: Any, tmp_path: Path) -> None:
    problems: dict[str, Any] = {}
    for path in reports:
        page, _ = opened(browser, path, viewport={"width": PAPER, "height": 980})
        page.emulate_media(media="print")
        if cut := page.evaluate(OUTSIDE, PAPER):
            problems[f"{path.parent.name}/{path.name}"] = cut[:3]
        printed = page.pdf(prefer_css_page_size=True)
        boxes = set(re.findall(rb"/MediaBox \[([^\]]+)\]", printed))
        assert {tuple(round(float(one)) for one in box.split()) for box in boxes} == {(0, 0, 595, 842)}
        page.close()
    each(reports, problems)
