"""Executed notebooks as pages: self-contained HTML without scripts; code hidden, words and figures kept."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import mistune

from csimprove import wording
from csimprove.report.blocks import FALLBACK_STYLE, Cell, commas, escaped, state, table, terms
from csimprove.report.brand import ROLES, Brand
from csimprove.report.cells import RESULT
from csimprove.report.font import font_face
from csimprove.report.notes import Note
from csimprove.settings import Language
from csimprove.wording import text

NO_BRAND = Brand()
_DRAWN = re.compile(r'<div class="(scroll )?drawing')
#: Characters of a description by which the frame of a figure is told from others.
_REGION = 60
#: The page may load nothing and run nothing, whatever a cell put out.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:"
_HTML_LANG = {"en": "en", "zh": "zh-CN"}
#: Cells whose code and output a reader does not need; parameters are a table at the end.
_HIDDEN = {"parameters", "injected-parameters", "remove-cell"}
_OTHER_LANGUAGE = {"en": "lang-zh", "zh": "lang-en"}
#: Where definitions and sources begin.
_METHOD = re.compile('class="(method|origin)"')
_H1 = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
_VERDICT = re.compile(r'<section class="verdict .*?</section>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One notebook of a run, as the run's first page lists it.

    Parameters
    ----------
    name, title
        File name without ending; the question.
    status
        ``ok``, ``failed``, ``not_run`` or ``unchanged``.
    page
        Link to its page, relative; ``None`` if there is none.
    notebook
        The executed notebook (nbformat JSON), from which finding and verdict are taken.
    seconds
        How long it ran.
    parameters
        Name = value.
    """

    name: str
    title: str
    status: str = "ok"
    page: str | None = None
    notebook: Mapping[str, Any] | None = None
    seconds: float | None = None
    parameters: Mapping[str, Any] | None = None


def page(
    notebook: Mapping[str, Any],
    *,
    language: Language,
    title: str,
    project: str = "",
    as_of: datetime | None = None,
    zone: str = "UTC",
    parameters: Mapping[str, Any] | None = None,
    notes: Sequence[Note] = (),
    facts: Iterable[tuple[str, str]] = (),
    index: str | None = None,
    brand: Brand = NO_BRAND,
) -> str:
    """Return an executed notebook as one HTML file.

    Parameters
    ----------
    notebook
        The executed notebook (nbformat JSON).
    language
        Cells tagged for the other language are left out.
    title, project
        Names in the window title, the kicker and the printed margin.
    as_of, zone
        Data date. A note older than the last day of the notebook's figures is marked (than the data date if
        the notebook handed no result over).
    parameters
        Printed as a table at the end.
    notes
        Words of people, shown in a marked box before the appendix.
    facts
        Label and words for the foot of the page: run, settings, versions.
    index
        Link to the run's first page.
    brand
        Whose report it is, and in which colours.

    Returns
    -------
    str
        A page without scripts and without requests, for screen, phone and print.
    """
    masthead = '<header class="top">' in _outputs_html(notebook)
    last = max((last for _, last in _periods(notebook)), default=None)
    last = last or (as_of and as_of.astimezone(ZoneInfo(zone)).date())
    cells = [cell for one in notebook["cells"] if (cell := _cell(one, language))]
    # people's words come before definitions and sources
    place = next((place for place, cell in enumerate(cells) if _METHOD.search(cell)), len(cells))
    cells[place:place] = [_note(note, language, last=last) for note in notes]
    body = "\n".join(cells)
    if masthead:  # its finding is the page's first heading; the question above it is not a heading
        body = re.sub(r'(<div class="prose">)<h1>(.*?)</h1>', r'\1<p class="question">\2</p>', body)
    elif "<h1>" not in body:
        body = f"<h1>{escaped(title)}</h1>\n{body}"
    if parameters:
        body += _parameters([RunEntry("", title, parameters=parameters)], language)
    return document_page(
        body, language=language, title=title, project=project, facts=facts, index=index, brand=brand
    )


def index(
    entries: Sequence[RunEntry],
    *,
    language: Language,
    project: str,
    as_of: datetime,
    zone: str = "UTC",
    facts: Iterable[tuple[str, str]] = (),
    files: Iterable[tuple[str, str]] = (),
    brand: Brand = NO_BRAND,
) -> str:
    """Return the first page of a run: the verdict first, then every notebook with finding and status.

    Parameters
    ----------
    entries
        The notebooks of the run, in order.
    language
        ``"en"`` or ``"zh"``.
    project
        Name of the project.
    as_of, zone
        Data date.
    facts
        More labels and words for the head, such as the period.
    files
        Label and link of manifest, results and the like.
    brand
        Whose report it is, and in which colours.

    Returns
    -------
    str
        A page without scripts and without requests.
    """
    html_of = {entry.name: _outputs_html(entry.notebook) for entry in entries if entry.notebook}
    judged = next((name for name, shown in html_of.items() if _VERDICT.search(shown)), "")
    verdict = found[0] if (found := _VERDICT.search(html_of.get(judged, ""))) else ""
    heading = _finding(html_of.get(judged, "")) or escaped(project)
    periods = [(one.title, period) for one in entries if one.notebook for period in _periods(one.notebook)]
    heads = [(label, wording.period_text(*period, language)) for label, period in periods]
    heads.append((text("fact.as_of", language), wording.moment_text(as_of, zone, language)))
    head, _ = terms([*heads, *facts], "meta")
    rows: list[list[Cell | str]] = [
        [
            link(entry.page, entry.title),
            _plain(_finding(html_of.get(entry.name, ""))) or wording.NO_NUMBER,
            _status(entry.status, language),
            wording.NO_NUMBER if entry.seconds is None else f"{entry.seconds:.1f}",
        ]
        for entry in entries
    ]
    listed = table(
        title=text("index.notebooks", language),
        head=[text(f"index.{key}", language) for key in ("notebook", "finding", "status", "seconds")],
        rows=rows,
        language=language,
        kind="eval runs",
        numeric=[3],
    )
    links = "".join(f"<li>{link(href, label).html}</li>" for label, href in files)
    files_title = f"<h2>{escaped(text('index.files', language))}</h2>"
    body = (
        f'<header class="top"><p class="kicker"><b>{escaped(project)}</b></p>{head}</header>'
        f"<h1>{heading}</h1>"
        + (verdict or f'<p class="lede">{escaped(text("index.no_verdict", language))}</p>')
        + listed.html
        + _parameters(entries, language)
        + (f"<section>{files_title}<ul>{links}</ul></section>" if links else "")
    )
    return document_page(body, language=language, title=project, brand=brand)


def outcome(executed: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return verdict (or ``None``), period and finding of a run, for its manifest.

    Parameters
    ----------
    executed
        The executed notebooks (nbformat JSON), in order.

    Returns
    -------
    dict
        Of the notebook that shows a verdict, else of the first.
    """
    pairs = [(notebook, _outputs_html(notebook)) for notebook in executed]
    notebook, shown = next((pair for pair in pairs if _VERDICT.search(pair[1])), pairs[0])
    verdict = re.search(r'<section class="verdict (\w+)"', shown)
    period = next(iter(_periods(notebook)), None)
    return {
        "verdict": verdict[1] if verdict else None,
        "period": [day.isoformat() for day in period] if period else None,
        "finding": _plain(_finding(shown)) or None,
    }


def document_page(
    body: str,
    *,
    language: Language,
    title: str,
    project: str = "",
    facts: Iterable[tuple[str, str]] = (),
    index: str | None = None,
    brand: Brand = NO_BRAND,
) -> str:
    """Return a page with head and foot around a body.

    Parameters
    ----------
    body
        HTML, of this package.
    language
        Of the reader.
    title, project
        Names in the window title and in the printed margin.
    facts
        Label and words for the foot.
    index
        Link to a page above.
    brand
        Whose report it is.

    Returns
    -------
    str
        The whole page.
    """
    style = (resources.files("csimprove") / "report" / "style.css").read_text(encoding="utf-8")
    names = list(filter(None, [project, title]))
    margin = json.dumps("  |  ".join(names), ensure_ascii=False).replace("<", "\\3c ")
    listed, lines = terms(facts)
    back = f"<p>{link(index, text('page.index', language)).html}</p>" if index else ""
    foot = f"<footer>{listed if lines else ''}{back}</footer>" if lines or back else ""
    label = html.escape(", ".join(names))
    head, skip = _branded(brand), escaped(text("page.skip", language))
    font = font_face(skip + title + project + head + body + foot)
    return (
        f'<!doctype html>\n<html lang="{_HTML_LANG[language]}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">\n<title>{label}</title>\n'
        f"<style>\n{font}{style}@page{{@bottom-left{{content:{margin}}}}}\n{brand.style()}</style>\n</head>\n<body>\n"
        f'<a class="skip" href="#main">{skip}</a>\n'
        f'<div class="page">\n{head}<main id="main">\n{body}\n</main>\n{foot}</div>\n</body>\n</html>\n'
    )


def _branded(brand: Brand) -> str:
    logo = ""
    if brand.logo is not None:
        kind = {".png": "image/png", ".svg": "image/svg+xml"}[brand.logo.suffix.lower()]
        data = base64.b64encode(brand.logo.read_bytes()).decode("ascii")
        alt = "" if brand.name else brand.logo.stem
        logo = f'<img src="data:{kind};base64,{data}" alt="{html.escape(alt)}">'
    name = f"<span>{escaped(brand.name)}</span>" if brand.name else ""
    return f'<div class="brand">{logo}{name}</div>\n' if logo or name else ""


def _cell(one: Mapping[str, Any], language: Language) -> str:
    tags = set(one.get("metadata", {}).get("tags", ()))
    if tags & (_HIDDEN | {_OTHER_LANGUAGE[language]}):
        return ""
    if one["cell_type"] == "markdown":
        return f'<div class="prose">{markdown(_joined(one["source"]))}</div>'
    if one["cell_type"] != "code":
        return ""
    shown = "\n".join(filter(None, (_output(output, language) for output in one.get("outputs", ()))))
    return f"<figure>{shown}</figure>" if _DRAWN.search(shown) else shown


def _output(output: Mapping[str, Any], language: Language) -> str:
    kind = output["output_type"]
    if kind == "stream":
        return f"<pre>{html.escape(_joined(output['text']))}</pre>" if output["name"] == "stdout" else ""
    if kind == "error":
        reason = f"{output['ename']}: {output['evalue']}"
        return f'<p class="failed">{escaped(text("page.failed", language, reason=reason))}</p>'
    data = output["data"]
    if RESULT in data:
        return ""
    if "image/png" in data:
        return _image(data, output.get("metadata", {}).get("image/png", {}), language)
    if "text/html" in data:
        return _harmless(_joined(data["text/html"]))
    if "text/markdown" in data:
        return markdown(_joined(data["text/markdown"]))
    return f"<pre>{html.escape(_joined(data.get('text/plain', '')))}</pre>"


def _image(data: Mapping[str, Any], about: Mapping[str, Any], language: Language) -> str:
    said = about.get("alt", "")
    alt = html.escape(said)
    drawings = about.get("drawings", {})
    if "phone" in drawings:  # one of the two is not displayed
        wide, small = _drawing(drawings["page"], alt, "wide"), _drawing(drawings["phone"], alt, "small")
        return f'<div class="drawing">{wide}{small}</div>'
    if drawings:
        shown, kind = _drawing(drawings["page"], alt, "only"), "scroll drawing"
    else:
        size = "".join(f' {side}="{int(about[side])}"' for side in ("width", "height") if side in about)
        source = "data:image/png;base64," + re.sub(r"\s", "", _joined(data["image/png"]))
        shown, kind = f'<img src="{source}" alt="{alt}"{size}>', "scroll drawing flat"
    region = f"{text('page.figure_scroll', language)}: {said[:_REGION]}"  # regions must have different names
    return f'<div class="{kind}" role="region" tabindex="0" aria-label="{html.escape(region)}">{shown}</div>'


def _drawing(svg: str, alt: str, kind: str) -> str:
    return inline(svg).replace("<svg ", f'<svg class="{kind}" role="img" aria-label="{alt}" ', 1)


def inline(svg: str) -> str:
    """Return a drawing for a page: colours follow the page's roles, ids are its own.

    Examples
    --------
    >>> inline('<svg><path id="m0" style="fill:#0b4a9b"/><use href="#m0"/></svg>')
    '<svg><path id="d2870-m0" style="fill:var(--pilot,#0b4a9b)"/><use href="#d2870-m0"/></svg>'
    """
    own = f"d{hashlib.sha256(svg.encode()).hexdigest()[:4]}-"
    drawn = re.sub(r'(id="|href="#|url\(#)(m)', rf"\g<1>{own}\g<2>", svg)
    return re.sub(r"(?<=:)#[0-9a-f]{6}\b", _role, drawn, flags=re.IGNORECASE)


#: Hex of a colour = its role; where two roles share a colour on paper they do on dark screens.
_ROLE_OF = {colour.lower(): role for role, colour in reversed(ROLES.items())}


def _role(found: re.Match[str]) -> str:
    role = _ROLE_OF.get(found[0].lower())
    return f"var(--{role},{found[0]})" if role else found[0]


def _harmless(found: str) -> str:
    """Drop the notebook's fallback style and, should a library have written any, scripts."""
    return re.sub(
        r"<script\b.*?</script\s*>", "", found.replace(FALLBACK_STYLE, ""), flags=re.DOTALL | re.IGNORECASE
    )


def markdown(words: str) -> str:
    """Return Markdown as HTML: raw HTML is escaped, a picture becomes its description.

    Examples
    --------
    >>> markdown("**late** <b>").strip()
    '<p><strong>late</strong> &lt;b&gt;</p>'
    """
    made = str(mistune.create_markdown(escape=True, plugins=["table"])(words))
    return re.sub(r'<img[^>]*?alt="([^"]*)"[^>]*>', r"\1", made)


def _joined(words: str | Sequence[str]) -> str:
    return words if isinstance(words, str) else "".join(words)


def _note(note: Note, language: Language, *, last: date | None) -> str:
    head = text("page.note", language, author=note.author, date=wording.date_text(note.date, language))
    if note.metric:
        about = wording.metric_name(note.metric, language, inline=True)
        head = commas([head, text("page.note.metric", language, metric=about)], language)
    old = ""
    if last is not None and note.date < last:
        day = wording.date_text(last, language)
        old = f'<p class="old">{escaped(text("page.note.old", language, as_of=day))}</p>'
    who = f'<p class="who">{escaped(head)}</p>'
    return f'<aside class="note" aria-label="{html.escape(head)}">{who}{old}{markdown(note.body)}</aside>'


def _parameters(entries: Sequence[RunEntry], language: Language) -> str:
    """Table of parameters; of several notebooks each value is printed once, with those that had it."""
    used: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        for name, value in (entry.parameters or {}).items():
            shown = wording.NO_NUMBER if value is None else str(value)
            used.setdefault((name, shown), []).append(entry.name)
    if not used:
        return ""
    several = len(entries) > 1
    heads = ("head.parameter", "head.value", *(["index.notebooks"] if several else []))
    made = table(
        title=text("index.parameters" if several else "page.parameters", language),
        head=[text(key, language) for key in heads],
        rows=[[*pair, *([", ".join(names)] if several else [])] for pair, names in used.items()],
        language=language,
        kind="left",
    )
    return made.html.replace("<section>", '<section class="parameters">', 1)


def _outputs_html(notebook: Mapping[str, Any]) -> str:
    outputs = (output for one in notebook["cells"] for output in one.get("outputs", ()))
    return "\n".join(_joined(output.get("data", {}).get("text/html", "")) for output in outputs)


def _periods(notebook: Mapping[str, Any]) -> list[tuple[date, date]]:
    """First and last day of every result that the notebook handed over."""
    found = []
    for one in notebook["cells"]:
        for output in one.get("outputs", ()):
            result = output.get("data", {}).get(RESULT, {}).get("result", {})
            days = result.get("plan", {}).get("during") or [result.get("first"), result.get("last")]
            if all(days):
                found.append((date.fromisoformat(days[0]), date.fromisoformat(days[1])))
    return found


def _finding(found: str) -> str:
    match = _H1.search(found)
    return match[1] if match else ""


def _plain(found: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", found))


def finding(notebook: Mapping[str, Any]) -> str:
    """Return the first heading that an executed notebook shows, as plain words."""
    return _plain(_finding(_outputs_html(notebook)))


def judges(notebook: Mapping[str, Any]) -> bool:
    """Whether an executed notebook shows a verdict."""
    return bool(_VERDICT.search(_outputs_html(notebook)))


def link(href: str | None, label: str) -> Cell:
    """Return a cell that leads somewhere; without an address it is only its label."""
    return Cell(f'<a href="{html.escape(href)}">{escaped(label)}</a>' if href else escaped(label), label)


def _status(status: str, language: Language) -> Cell:
    icons = {"ok": "good", "unchanged": "good", "failed": "bad"}
    return state(icons.get(status, "open"), text(f"index.status.{status}", language))
