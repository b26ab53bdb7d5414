"""What every table of the settings is built from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["en", "zh"]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Number = Annotated[float, Field(strict=True)]


class Frozen(BaseModel):
    """A table: frozen, without unknown keys; mistakes do not repeat what was given."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
