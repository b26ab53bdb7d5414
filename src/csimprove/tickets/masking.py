"""What stands for people and for values that may name them."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from collections.abc import Collection
from pathlib import Path

from csimprove.errors import SettingsError

KEY_FILE = ".csimprove.key"

_MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_DAY = (
    r"(\d{4}[-/.年] ?\d{1,2}[-/.月] ?\d{1,2}日?|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})"
    rf"|\d{{1,2}}[ /-]{_MONTH}[ /-]\d{{2,4}})"
)
_CLOCK = r"\d{1,2}:\d{2}(:\d{2}([.,]\d{1,9})?)?( ?[ap]m)?( ?(z|utc|gmt|[+-]\d\d(:?\d\d)?))?"
#: The hundred or so most frequent Chinese surnames, those of two characters first.
_SURNAME = (
    "(?:欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|司徒|令狐|夏侯|[王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓韩冯曹"
    "彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛阎段雷龙黎史陶贺毛郝顾龚邵"
    "万覃武钱戴严莫孔向常汤康易乔赖文])"
)
#: An e-mail address, or a phone, identity-card or bank-card number (10 to 19 digits, of either width).
CONTACT = r"[^\s@＠]+[@＠][^\s@＠]+|[+＋]?[(（]?[0-9０-９](?:[ ()（）-]{0,2}[0-9０-９]){9,18}[Xx]?"
#: Whole texts that read like the name of a person: such a one is hidden wherever it stands in a label.
NAME = rf"{_SURNAME}\p{{Han}}{{1,3}}|\p{{Lu}}[\p{{L}}'’.-]+(?: [\p{{L}}'’.-]+)+"
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


#: A fraction such as 0.6394267984578837 is no number that reaches anybody.
_CONTACT = re.compile(rf"(?<![\d.])(0\.\d+)(?!\d|@)|{CONTACT}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d")
#: In what people type even seven digits may be a phone number.
_TYPED = re.compile(
    r"[^\s@，。；：、（）()\u4e00-\u9fff]+@[\w.-]+|\+?(?:\(\d+\) ?)?\d(?:[ ()-]{0,2}\d){6,18}[Xx]?"
)
_NARROW = str.maketrans("０１２３４５６７８９＠＋\n", "0123456789@+ ")
_TITLED_ZH = re.compile(rf"({_SURNAME})[\u4e00-\u9fff]{{1,2}}(先生|女士|小姐)")
_SAID_ZH = re.compile(rf"(我叫|我是|名叫|姓名[:：]?|联系人[:：]?) ?{_SURNAME}[\u4e00-\u9fff]{{1,2}}")
_TITLED = re.compile(r"\b(Mr|Mrs|Ms|Miss|Dr)\b\.? [^\W\d_][\w'’-]*(?: [A-ZÀ-Þ][\w'’-]+)*")
#: Two words in a row that begin with a capital letter and go on in small ones.
_CAPITALS = re.compile(r"\b[A-ZÀ-Þ][a-zß-ÿ'’-]+(?: [A-ZÀ-Þ][a-zß-ÿ'’-]+)+")
_WORD = re.compile(r"[^\W\d_][\w'’-]*")


def hide_contacts(text: str) -> str:
    """Return a message without e-mail addresses and phone, identity-card or bank-card numbers.

    Examples
    --------
    >>> hide_contacts("row 3: 138 0013 8000 or ann@example.com, read at 2025-03-31 14:05:00")
    'row 3: … or … read at 2025-03-31 14:05:00'
    >>> hide_contacts("a share of 0.6394267984578837 13800138000")
    'a share of 0.6394267984578837 …'
    """
    return _CONTACT.sub(lambda found: found[0] if found[1] or _MOMENT.match(found[0]) else "…", text)


def hide_people(text: str, names: Collection[str] = ()) -> str:
    """Return what somebody typed without contacts and without the names that can be told from it.

    Parameters
    ----------
    text
        One comment.
    names
        Names that are known, such as those of the export; a set, if they are many.

    Returns
    -------
    str
        E-mail addresses and numbers of seven digits or more become "…", and so do known names, words after
        a title, words in a row with capital letters, and Chinese names after "我叫" and the like. A Chinese
        full name before 先生, 女士 or 小姐 keeps its surname. Other names, such as a first name alone or a
        Chinese name in running text, cannot be told from words.

    Examples
    --------
    >>> hide_people("Mr Lee (138 0013 8000) told Ann Smith and zoe to wait", {"zoe"})
    '… (…) told … and … to wait'
    >>> hide_people("我叫王小明，请张伟强先生回电；李娜知道", {"李娜"})
    '我叫…，请张先生回电；…知道'
    """
    text = _TYPED.sub("…", text.translate(_NARROW))
    text = _TITLED_ZH.sub(r"\1\2", _SAID_ZH.sub(r"\1…", _known_hidden(text, names)))
    return _CAPITALS.sub("…", _TITLED.sub("…", text)).strip()


def _known_hidden(text: str, names: Collection[str]) -> str:
    """Hide known names: Chinese ones anywhere, others as whole words, several words or one."""
    found = {part for size in (2, 3, 4) for at in range(len(text)) if (part := text[at : at + size]) in names}
    words = [match.span() for match in _WORD.finditer(text)]
    spans = (text[first:last] for at, (first, _) in enumerate(words) for _, last in words[at : at + 4])
    whole = {part for part in spans if part in names}
    for name in sorted((one for one in found if not one.isascii()), key=len, reverse=True):
        text = text.replace(name, "…")
    for name in sorted(whole, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "…", text)
    return text


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
        for _ in range(50):  # half a second
            if key := path.read_text(encoding="ascii").strip():
                break
            time.sleep(0.01)  # another process has made the file and is just writing
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} must be a file that can be made and read: {error}. It holds the key of the pseudonyms."
        ) from None
    if not re.fullmatch("[0-9a-f]{64}", key):
        raise SettingsError(
            f"{path} must hold 64 hexadecimal digits. Restore it; deleting it changes all pseudonyms."
        )
    return key
