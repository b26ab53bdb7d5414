"""Nothing personal in any file that a run writes: the whole folder is searched."""

from __future__ import annotations

import csv
import html
import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from csimprove import playbook, samples
from csimprove.errors import RunError
from csimprove.playbook import notebooks
from csimprove.samples.stream import WORDS
from csimprove.settings import Language

#: What the generator types into comments; numbers that belong to nobody.
PATTERNS = {
    "phone": r"(?<!\d)154\d{8}(?!\d)",
    "mail": r"(?<![\w.+-])[\w.+-]+@example\.com",
    "identity card": r"990101\d{11}X",
    "bank card": r"6299\d{12}",
}
#: Planted in labels, times and scores: who writes a value into the wrong column.
PLANTED = {
    "en": [
        "Greta Holm",
        "154 0000 0011",
        "greta.holm@example.com",
        "99010119500101001X",
        "6299 0000 0000 0001",
    ],
    "zh": [
        "张小明",
        "１５４００００００１１",
        "zhang＠example.com",
        "99010119500101001X",
        "6299000000000001",
    ],
}


def people(language: Language) -> set[str]:
    """Every name of the generator; a surname with 先生 or 女士 is the masked form already."""
    if language == "zh":
        return {PLANTED["zh"][0]}
    first_names, last_names, between = WORDS["people"]["en"]
    names = {first + between + last for first in first_names.split() for last in last_names.split()}
    return {*names, PLANTED["en"][0]}


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Every file of a folder as text: Parquet decoded, HTML unescaped, JSON without its escapes."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.suffix == ".parquet":
            yield path.name, pq.read_table(path).to_pandas().to_csv()
        elif path.suffix in (".json", ".ipynb"):
            yield path.name, json.dumps(json.loads(path.read_text(encoding="utf-8")), ensure_ascii=False)
        else:
            yield path.name, html.unescape(path.read_text(encoding="utf-8"))


def numbers(text: str) -> set[tuple[str, str]]:
    """Return kind and text of whatever looks like a number or an address that the generator makes up."""
    plain = unicodedata.normalize("NFKC", text)
    close = re.sub(r"(?<=\d)[ -](?=\d)", "", plain)
    return {
        (kind, one) for kind, pattern in PATTERNS.items() for one in re.findall(pattern, plain + "\n" + close)
    }


def found(folder: Path, language: Language, made_up: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return file and kind of everything personal in a folder."""
    hits = []
    names = re.compile("|".join(map(re.escape, sorted(people(language)))))
    for name, text in texts(folder):
        hits += [(name, kind) for kind, _ in sorted(numbers(text) & made_up)]
        hits += [(name, f"name {one}") for one in {*names.findall(unicodedata.normalize("NFKC", text))}]
    return hits


@pytest.mark.parametrize("kind", ["phone", "mail", "identity card", "bank card", "name"])
@pytest.mark.parametrize("suffix", ["parquet", "json", "ipynb", "html", "txt"])
def test_the_search_finds_what_is_there(tmp_path: Path, suffix: str, kind: str) -> None:
    number = ["name", "phone", "mail", "identity card", "bank card"].index(kind)
    for language, secret in (("en", PLANTED["en"][number]), ("zh", PLANTED["zh"][number])):
        path = tmp_path / f"x.{suffix}"
        if suffix == "parquet":
            pq.write_table(pa.table({"x": [f"a {secret} b"]}), path)
        else:
            said = f"a {secret} b"
            path.write_text(json.dumps([said]) if suffix in ("json", "ipynb") else html.escape(said), "utf-8")
        assert [
            name for name, what in found(tmp_path, language, numbers(secret)) if what.startswith(kind)
        ] == [path.name]


def spoil(folder: Path, language: Language) -> None:
    """Write people and their numbers where labels, times, counts and scores should be."""
    name, phone, mail, card, bank = PLANTED[language]
    path = folder / "tickets.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    headings = list(table.columns)
    who, opened, resolved, category, cause, score = (headings[place] for place in (5, 1, 3, 7, 8, 16))
    table.loc[10:40, who] = name
    table.loc[10:14, category] = [f"{name}", f"x {name} y", f"x{phone}", f"{mail} x", f"x {bank}"]
    table.loc[15:17, cause] = [f"{card}", f"{name} {phone}", mail]
    table.loc[18:22, opened] = [name, phone, mail, card, bank]
    table.loc[23:27, resolved] = [name, phone, mail, card, bank]
    table.loc[28:32, score] = [name, phone, mail, card, bank]
    table.to_csv(path, index=False, quoting=csv.QUOTE_MINIMAL, lineterminator="\n")
    survey = folder / "surveys" / "customers.csv"
    answers = pd.read_csv(survey, dtype=str, keep_default_na=False)
    day, region, points, theme, comment = answers.columns[:5]
    answers.loc[1:4, comment] = [f"{name}: {phone}", f"{mail}，{name}", f"{card} {bank}", f"({name})"]
    answers.loc[5:7, theme] = [phone, mail, card]
    answers.loc[8:12, points] = [name, phone, mail, card, bank]
    answers.loc[13:14, day] = [phone, mail]
    answers.loc[15:16, region] = [phone, mail]
    answers.to_csv(survey, index=False, lineterminator="\n")


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_run_and_a_failed_run_name_nobody(tmp_path: Path, language: Language) -> None:
    project = samples.write_sample(tmp_path / "project", small=True, language=language, reports="../out")
    spoil(project.parent, language)
    page = playbook.run(project, only=("01", "05", "08"), quiet=True)
    assert (page.parent / "08_customer_voice.html").is_file()
    own = project.parent / "notebooks" / "99_own.ipynb"
    own.parent.mkdir()
    content = notebooks.read(Path(__file__).parents[1] / "notebooks" / "01_baseline.ipynb")
    # what the cell says is what somebody wrote; what it prints and raises is what a run found
    secret = " ".join(PLANTED[language][1:]).encode().hex()
    words = f"found = bytes.fromhex('{secret}').decode(); print(found); raise ValueError(found)"
    content.cells = [*content.cells[:3], nbformat.v4.new_code_cell(words)]
    own.write_text(nbformat.writes(content), encoding="utf-8")
    with pytest.raises(RunError) as caught:
        playbook.run(project, only=("99",), quiet=True)
    out = tmp_path / "out"
    (out / "message.txt").write_text(str(caught.value), encoding="utf-8")
    assert len(list((out).rglob("failed/*/99_own.ipynb"))) == 1
    manifest = next(out.rglob("failed/*/manifest.json"))
    assert "ValueError: …" in manifest.read_text(encoding="utf-8")
    sources = [project.parent / "tickets.csv", *(project.parent / "surveys").glob("*.csv")]
    made_up = set().union(*(numbers(path.read_text(encoding="utf-8")) for path in sources))
    assert len(made_up) > 1_000
    assert found(out, language, made_up) == []
    kinds = {path.suffix for path in out.rglob("*") if path.is_file()}
    assert {".html", ".json", ".parquet", ".ipynb", ".txt"} <= kinds
