"""Make reports/example/ anew: the pilot evaluation of the sample in both languages, as page and as PDF.

With --check only say whether that would change a file. Pictures for the README need Debian's chromium and are
made only where it is.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from csimprove import report, samples
from csimprove.metrics import load_measures
from csimprove.playbook import execution, notebooks, pages
from csimprove.report import documents
from csimprove.settings import Language, read_settings

ROOT = Path(__file__).resolve().parents[1]
NAME = "05_pilot_evaluation"
EXAMPLE = ROOT / "reports" / "example"
IMAGES = ROOT / "docs" / "images"
#: Picture = page, width and height in px, and what it is a picture of.
PICTURES = {
    "report-en.png": (f"{NAME}.en.html", 960, 1180),
    "report-zh.png": (f"{NAME}.zh.html", 960, 1180),
}


def main() -> None:
    """Write the files that changed, or name them and exit 1 under --check."""
    check = "--check" in sys.argv[1:]
    with tempfile.TemporaryDirectory() as place:
        files = {
            "en": ROOT / "data" / "sample" / "playbook.toml",
            "zh": samples.write_sample(Path(place), language="zh"),
        }
        made = {**example(files["en"], "en"), **example(files["zh"], "zh")}
    changed = [name for name, data in made.items() if _differs(EXAMPLE / name, data)]
    if changed and not check:
        EXAMPLE.mkdir(parents=True, exist_ok=True)
        for name in changed:
            (EXAMPLE / name).write_bytes(made[name])
    for name in changed:
        print(f"{name} {'is not current: run `make example`' if check else 'written'}")
    if not check and (changed or not all((IMAGES / name).is_file() for name in PICTURES)):
        photograph()
    sys.exit(1 if check and changed else 0)


def _differs(path: Path, data: bytes) -> bool:
    return not path.is_file() or path.read_bytes() != data


def example(file: Path, language: Language) -> dict[str, bytes]:
    """Return the files of one language, from the sample of that language."""
    settings = read_settings(file)
    content = executed(file, language)
    title = notebooks.title(content, NAME)
    measures = load_measures(settings)
    about: dict[str, Any] = {
        "language": language,
        "project": settings.project,
        "as_of": measures.as_of,
        "zone": measures.zone,
    }
    notes = pages.read_notes(settings, NAME, language)
    page = report.page(content, title=title, notes=notes, **about)
    index = report.index([report.RunEntry(NAME, title, "ok", None, content)], **about)
    section = documents.read_section(NAME, page, documents.pictures(content))
    document = documents.read_run(
        index, [section], project=settings.project, language=language, brand=report.Brand()
    )
    with tempfile.TemporaryDirectory() as place:
        pdf = documents.write_document(document, Path(place), "pdf").read_bytes()
    return {f"{NAME}.{language}.html": page.encode(), f"{NAME}.{language}.pdf": pdf}


def executed(file: Path, language: Language) -> Any:
    """Return the notebook as it is committed, or executed in the other language."""
    path = ROOT / "notebooks" / f"{NAME}.ipynb"
    content = notebooks.read(path)
    if language == "en":
        return notebooks.in_language(content, language)
    content = notebooks.in_language(notebooks.without_outputs(content), language)
    job = notebooks.Notebook(
        NAME, path.parent, "package", False, content, {"language": language, "settings": str(file)}
    )
    if failures := execution.execute_all([job], isolated=True):
        sys.exit(str(failures[0]))
    return job.content


def photograph() -> None:
    """Take the pictures of the README."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("No pictures were taken: chromium is not installed.")
        return
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  (only where there is a browser)

    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name, (shown, width, height) in PICTURES.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
            page.goto((EXAMPLE / shown).as_uri())
            page.evaluate("document.fonts.ready")
            page.screenshot(path=str(IMAGES / name))
            with Image.open(IMAGES / name) as shot:
                shot.convert("RGB").quantize(96).save(IMAGES / name, optimize=True)
            print(f"{name} taken")
        browser.close()


if __name__ == "__main__":
    main()
