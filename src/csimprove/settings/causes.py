"""Root causes: where the codes come from, and the file of causes with its categories and whys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from csimprove import columns
from csimprove.settings.base import Frozen, Language
from csimprove.settings.texts import members, near

Status = Literal["suggested", "confirmed", "ruled_out"]
#: Category sets by name: 6M 人机料法环测, the service desk's 4S, and 4P. Their names are in the phrases.
CATEGORY_SETS: dict[str, tuple[str, ...]] = {
    "6M": ("people", "machine", "material", "method", "environment", "measurement"),
    "4S": ("surroundings", "suppliers", "systems", "skills"),
    "4P": ("policies", "procedures", "people", "plant"),
}


def _both(value: Any) -> Any:
    if isinstance(value, str):
        return {"en": value, "zh": value}
    # said in one language only, it is said in both
    return dict.fromkeys(("en", "zh"), next(iter(value.values()))) | value if _words(value) else value


def _words(value: Any) -> bool:
    return isinstance(value, dict) and bool(value)


#: A text of the project: one for both languages, or one for each.
Text = Annotated[dict[Language, Annotated[str, Field(min_length=1)]], BeforeValidator(_both)]


def plain_name(name: str) -> str:
    """Return a name as names are compared: without case and doubled spaces.

    Examples
    --------
    >>> plain_name(" Late  after-sales RESPONSE ")
    'late after-sales response'
    """
    return " ".join(name.split()).casefold()


class Causes(Frozen):
    """What is looked into, and where its codes come from."""

    #: tickets that are looked into
    of: Literal["tickets", "complaints", "late_response", "late_resolution"] = "tickets"
    #: of them only those with these values: column = values
    where: dict[str, tuple[str, ...]] = {}
    #: local days of opening, both included; none: those of the baseline
    period: tuple[date, date] | None = None
    #: columns that hold the code; the category of a cause that ``file`` lists is that of the file
    category: str | None = None
    cause: str = "cause"
    subcause: str | None = None
    #: coding sheet (CSV or XLSX): ticket_id, coder, cause; its codes count instead of the columns' if
    #: ``count_sheet`` is set, else it only tells how far the coders agree
    sheet: str | None = None
    count_sheet: bool = Field(default=False, strict=True)
    #: coder whose code counts where coders differ; none: such tickets are left out of the shares
    decides: str | None = None
    #: file of categories, causes with their status, and whys
    file: str | None = None
    #: heading, or headings, of texts on which the keywords of ``file`` suggest a cause; never stored
    text: tuple[str, ...] = ()
    #: codes that mean "can't tell", beside the usual ones
    cannot_tell: tuple[str, ...] = ()
    #: order of causes in a fishbone: by tickets, or as the file lists them
    order: Literal["count", "input"] = "count"

    @field_validator("text", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("where")
    @classmethod
    def _known_cuts(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        members(value, columns.CUTS, "a column to cut by")
        return value

    @field_validator("category", "cause", "subcause")
    @classmethod
    def _known_column(cls, value: str | None) -> str | None:
        members([value] if value else [], columns.CUTS, "a column that holds a code")
        return value


class Why(Frozen):
    """One answer to "why?": of the cause itself, or of the answer that it comes after."""

    id: str = Field(min_length=1)
    #: id of the answer that this one explains; several may explain the same one
    after: str | None = None
    answer: Text
    evidence: Text | None = None
    status: Status = "suggested"


class SubCause(Frozen):
    """A cause inside a cause."""

    #: as it stands in the data
    name: str = Field(min_length=1)
    label: Text | None = None
    status: Status = "suggested"
    #: whether the service itself can do something about it
    controllable: bool | None = Field(default=None, strict=True)
    evidence: Text | None = None
    #: words that suggest it, in any language
    keywords: tuple[Annotated[str, Field(min_length=2)], ...] = ()

    @property
    def labels(self) -> dict[Language, str]:
        """Name for people."""
        return self.label or {"en": self.name, "zh": self.name}


class CauseEntry(SubCause):
    """A cause of a category."""

    category: str
    subcauses: tuple[SubCause, ...] = ()
    whys: tuple[Why, ...] = ()

    @field_validator("whys")
    @classmethod
    def _one_tree(cls, value: tuple[Why, ...]) -> tuple[Why, ...]:
        before: list[str] = []
        for why in value:
            if why.id in before:
                raise ValueError(f"the whys of a cause must have different ids, not {why.id!r} twice")
            if why.after is not None and why.after not in before:
                advice = near(why.after, before) if before else "; it is the first one"
                raise ValueError(f"why {why.id!r} must come after one that stands before it{advice}")
            before.append(why.id)
        return value


class Category(Frozen):
    """A category of the project's own."""

    code: str = Field(min_length=1)
    label: Text


class CauseFile(Frozen):
    """What a team knows of its causes: reviewed, dated by version control, beside the settings."""

    #: what the causes are causes of
    problem: Text | None = None
    #: name of a category set; none: ``categories``
    category_set: Literal["6M", "4S", "4P"] | None = None
    categories: tuple[Category, ...] = ()
    causes: tuple[CauseEntry, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """Categories in their order."""
        own = tuple(one.code for one in self.categories)
        return (*CATEGORY_SETS.get(self.category_set or "", ()), *own)

    def named(self) -> Iterator[tuple[CauseEntry, SubCause | None]]:
        """Return every cause, each followed by its sub-causes."""
        for cause in self.causes:
            yield cause, None
            for part in cause.subcauses:
                yield cause, part

    @model_validator(mode="after")
    def _consistent(self) -> CauseFile:
        members([one.category for one in self.causes], self.codes or ("-",), "a category of this file")
        seen: set[str] = set()
        for cause, part in self.named():
            name = (part or cause).name
            if plain_name(name) in seen:
                raise ValueError(f"causes and sub-causes must have different names, not {name!r} twice")
            seen.add(plain_name(name))
        return self
