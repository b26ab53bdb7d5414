"""What stands for people and for values that may name them."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path

from csimprove.errors import SettingsError

KEY_FILE = ".csimprove.key"

_MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_DAY = (
    r"(\d{4}[-/.年] ?\d{1,2}[-/.月] ?\d{1,2}日?|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})"
    rf"|\d{{1,2}}[ /-]{_MONTH}[ /-]\d{{2,4}})"
)
_CLOCK = r"\d{1,2}:\d{2}(:\d{2}([.,]\d{1,9})?)?( ?[ap]m)?( ?(z|utc|gmt|[+-]\d\d(:?\d\d)?))?"
#: An e-mail address, or a phone, identity-card or bank-card number (10 to 19 digits).
CONTACT = r"[^\s@]+@[^\s@]+|\+?\(?\d(?:[ ()-]{0,2}\d){9,18}[Xx]?"
#: Values that cannot name a person: a day with or without a clock, a short number, a word for "nothing".
_HARMLESS = re.compile(
    rf"{_DAY}([ t]{_CLOCK})?|{_CLOCK}|[-+]?\d{{1,6}}([.,]\d{{1,3}})?"
    "|n/?a|none|null|nan|unknown|true|false|yes|no|offered|",
    re.IGNORECASE,
)


def mask(text: str) -> str:
    """Return ``text`` if it cannot name a person, else its first and last character.

    Clear are days, clock times, numbers of up to six digits and words for "nothing"; of short texts only the
    first character is shown, because the last one would complete a Chinese name.

    Examples
    --------
    >>> mask("2023-04-31 10:00"), mask("138-0013-8000"), mask("ann@example.com"), mask("张三")
    ('2023-04-31 10:00', '1…0', 'a…m', '张…')
    """
    if _HARMLESS.fullmatch(text):
        return text
    return f"{text[0]}…{text[-1] if len(text) > 3 else ''}"


def project_key(folder: Path) -> str:
    """Return the secret of a project's pseudonyms, made on first use and readable by its owner only.

    The same folder gives the same pseudonyms in every run; without the file nobody can try names on them.
    """
    path = folder / KEY_FILE
    try:
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32))
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} must be a file that can be made and read: {error}. It holds the key of the pseudonyms."
        ) from None
    if not re.fullmatch("[0-9a-f]{64}", key):
        raise SettingsError(
            f"{path} must hold 64 hexadecimal digits. Restore it; deleting it changes all pseudonyms."
        )
    return key
