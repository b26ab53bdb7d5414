"""A project's folder: started from the package's notebooks and a settings file that teaches."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from csimprove.errors import SettingsError
from csimprove.playbook import notebooks

_IGNORED = """\
# the key of the pseudonyms: whoever has it can tell who is who
.csimprove.key
reports/
.ipynb_checkpoints/
"""

_NOTES = """\
# Notes

Words of people, which a report shows in a marked box. One file a notebook and language, such as
`01_baseline.en.md` or `05_pilot_evaluation.zh.md`; a line `---` begins the next note:

    author: Service manager
    date: 2026-04-02
    metric: response_on_time

    The telephone system was down on 30 March; the late answers of that day come from there.
"""


def init(folder: str | Path) -> list[Path]:
    """Start a project: notebooks, a commented playbook.toml, a place for notes, a .gitignore.

    Parameters
    ----------
    folder
        Where; made if it is not there.

    Returns
    -------
    list of pathlib.Path
        The files written.

    Raises
    ------
    SettingsError
        If one of the files exists already: nothing is written then.
    """
    target = Path(folder)
    contents = {
        Path("playbook.toml"): (files("csimprove") / "templates" / "playbook.toml").read_text(
            encoding="utf-8"
        ),
        Path(".gitignore"): _IGNORED,
        Path("notes/README.md"): _NOTES,
    }
    for path in sorted(notebooks.package_folder().glob(notebooks.PATTERN)):
        copied = notebooks.text(notebooks.adopted(notebooks.read(path)))
        contents[Path(notebooks.FOLDER) / path.name] = copied
    taken = [path.as_posix() for path in contents if (target / path).exists()]
    if taken:
        raise SettingsError(
            f"`folder` must not hold a project already, but {target} has {', '.join(taken)}. "
            "Nothing was written; name another folder."
        )
    try:
        for path, text in contents.items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"`folder` must be one that can be written to, not {target}: {error.strerror}."
        ) from None
    return [target / path for path in contents]
