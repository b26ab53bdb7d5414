"""The declared parameters of a notebook: read with ``ast``, checked before a kernel starts.

Papermill's own inspection is a regular expression: it drops ``int | None``, ``Literal[...]`` and quoted
annotations, never checks a type and only logs an unknown name.
"""

from __future__ import annotations

import ast
import typing
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import nbformat
from pydantic import PydanticUserError, TypeAdapter

from csimprove.errors import SettingsError
from csimprove.playbook.notebooks import tags
from csimprove.settings.texts import hint

#: Parameters that the runner itself sets, and how a person sets them.
RESERVED = {"settings": "the SETTINGS argument", "as_of": "--as-of", "language": "--language"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One line of a notebook's parameters cell.

    Parameters
    ----------
    name
        The variable.
    type
        Annotation as it is written, ``str`` of the default's type where there is none.
    default
        Value the notebook itself gives.
    help
        The comment behind it.
    """

    name: str
    type: str
    default: Any
    help: str


def declared(notebook: nbformat.NotebookNode) -> dict[str, Parameter]:
    """Return the parameters that a notebook declares in its cell tagged ``parameters``.

    Parameters
    ----------
    notebook
        A notebook as nbformat reads it.

    Returns
    -------
    dict of str to Parameter
        In the order of the cell; empty if there is no such cell.

    Raises
    ------
    SettingsError
        If the cell is not a list of literals.

    Examples
    --------
    >>> cell = nbformat.v4.new_code_cell("top: 'int | None' = 3  # causes shown")
    >>> cell.metadata.tags = ["parameters"]
    >>> declared(nbformat.v4.new_notebook(cells=[cell]))["top"]
    Parameter(name='top', type='int | None', default=3, help='causes shown')
    """
    lines = next((cell.source for cell in notebook.cells if "parameters" in tags(cell)), "").splitlines()
    found = {}
    for statement in ast.parse("\n".join(lines)).body:
        try:
            parameter = _parameter(statement, lines)
        except ValueError:
            line = lines[statement.lineno - 1].strip()
            raise SettingsError(
                f"the parameters cell must hold literals such as `top: int = 5`, not `{line}`. "
                "Correct the notebook."
            ) from None
        found[parameter.name] = parameter
    return found


def checked(
    given: Mapping[str, Any], notebooks: Mapping[str, Mapping[str, Parameter]]
) -> dict[str, dict[str, Any]]:
    """Check given parameters by name and type, and hand each to the notebooks that declare it.

    Parameters
    ----------
    given
        Values by name. Text is converted to the declared type, as it comes from the command line.
    notebooks
        Name of a notebook = what it declares.

    Returns
    -------
    dict of str to dict
        Name of a notebook = every parameter it declares, with the given value or its own.

    Raises
    ------
    SettingsError
        With every wrong name and every wrong type in one message.

    Examples
    --------
    >>> top = Parameter("top", "int | None", 3, "")
    >>> checked({"top": "5"}, {"02_root_causes": {"top": top}})
    {'02_root_causes': {'top': 5}}
    """
    wrong = []
    values = {
        notebook: {name: parameter.default for name, parameter in found.items()}
        for notebook, found in notebooks.items()
    }
    known = sorted({name for parameters in notebooks.values() for name in parameters} - set(RESERVED))
    for name, value in given.items():
        users = {notebook: found[name] for notebook, found in notebooks.items() if name in found}
        if name in RESERVED:
            wrong.append(f"`{name}` is set by {RESERVED[name]}, not as a parameter")
        elif not users:
            wrong.append(f"`{name}` is not a parameter of {', '.join(notebooks)}.{hint(name, known)}")
        for notebook, parameter in users.items() if name not in RESERVED else ():
            try:
                values[notebook][name] = convert(value, parameter.type)
            except ValueError:
                wrong.append(f"`{name}` of {notebook} must be {parameter.type}, not {value!r}")
    if wrong:
        listed = "\n".join(f"  {line}" for line in dict.fromkeys(wrong))
        raise SettingsError(f"parameters must be corrected:\n{listed}")
    return values


def convert(value: Any, annotation: str) -> Any:
    """Return ``value`` as ``annotation`` wants it: text becomes the type, anything else must be of the type.

    Examples
    --------
    >>> convert("none", "int | None"), convert("true", "bool"), convert('["a"]', "list[str]")
    (None, True, ['a'])
    """
    adapter = _adapter(annotation)
    attempts: list[Callable[[], Any]] = [lambda: adapter.validate_python(value, strict=True)]
    if isinstance(value, str):
        attempts += [
            lambda: adapter.validate_python(None if value.lower() == "none" else value, strict=True),
            lambda: adapter.validate_strings(value),
            lambda: adapter.validate_json(value, strict=True),
        ]
    for attempt in attempts:
        with suppress(ValueError):
            return attempt()
    raise ValueError(annotation)


def _parameter(statement: ast.stmt, lines: list[str]) -> Parameter:
    """Read ``name: type = literal  # help`` or ``name = literal``; ValueError for anything else."""
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=written, value=ast.expr() as value):
            annotation = str(written.value) if isinstance(written, ast.Constant) else ast.unparse(written)
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            annotation = ""
        case _:
            raise ValueError
    default = ast.literal_eval(value)
    annotation = annotation or ("Any" if default is None else type(default).__name__)
    _adapter(annotation)
    # ast counts bytes, not letters
    rest = lines[(value.end_lineno or 0) - 1].encode()[value.end_col_offset :].decode()
    return Parameter(name, annotation, default, rest.partition("#")[2].strip())


def _adapter(annotation: str) -> TypeAdapter[Any]:
    """Return what checks values of an annotation of simple types, ValueError if it is another."""
    try:
        return TypeAdapter(eval(annotation, dict(vars(typing))))
    except (NameError, TypeError, SyntaxError, PydanticUserError):
        raise ValueError(annotation) from None
