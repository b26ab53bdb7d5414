"""Messages are whole: where, what is wrong, what to do."""

from __future__ import annotations

import pytest

from csimprove.errors import CsimproveError, Failure, RunError, SettingsError, TicketDataError


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (Failure("", None, "", "is empty."), "file: is empty."),
        (Failure("", 3, "", "is malformed."), "file, row 3: is malformed."),
        (Failure("Created", 3, "soon", "is no time."), "column 'Created', row 3: is no time. Value: 'soon'."),
    ],
)
def test_a_failure_says_where_and_what(failure: Failure, text: str) -> None:
    assert str(failure) == text


def test_data_errors_hold_every_failure_and_write_out_the_first_twenty() -> None:
    failures = [Failure("a", row, "", "is wrong.") for row in range(2, 25)]
    error = TicketDataError("tickets.csv", failures)
    lines = str(error).splitlines()
    assert error.failures == tuple(failures)
    assert (lines[0], lines[1]) == ("tickets.csv cannot be used:", "  column 'a', row 2: is wrong.")
    assert (len(lines), lines[-1]) == (22, "  … and 3 more")


@pytest.mark.parametrize("kind", [SettingsError, RunError, TicketDataError])
def test_every_error_is_one_the_user_can_put_right(kind: type[Exception]) -> None:
    assert issubclass(kind, CsimproveError)
