"""The playbook: its notebooks, their declared parameters, and running them.

``init`` starts a project, ``check`` says whether its settings and data are right, ``run`` executes the
notebooks and publishes a report, ``run_batch`` one for each value of a cut, ``verify`` executes a delivered
run again and compares, ``alerts`` looks at the alert rules and sends what is new, ``write_documents`` writes
a run as PDF, Word, PowerPoint or workbook, ``refresh`` renews the outputs of committed notebooks. Only this
package uses papermill, nbclient and nbformat. Each is imported when it is asked for: a run that has nothing
to do, and the server of kernels, must not wait for the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from csimprove.playbook.alerting import AlertOutcome, alerts
    from csimprove.playbook.batch import Batch, run_batch
    from csimprove.playbook.documents import Written, write_documents
    from csimprove.playbook.execution import refresh
    from csimprove.playbook.projects import check, init, sample
    from csimprove.playbook.runs import run
    from csimprove.playbook.verification import Verification, verify

_HOMES = {
    "AlertOutcome": "alerting",
    "Batch": "batch",
    "Verification": "verification",
    "Written": "documents",
    "alerts": "alerting",
    "check": "projects",
    "init": "projects",
    "refresh": "execution",
    "run": "runs",
    "run_batch": "batch",
    "sample": "projects",
    "verify": "verification",
    "write_documents": "documents",
}


def __getattr__(name: str) -> object:
    """Import what is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
