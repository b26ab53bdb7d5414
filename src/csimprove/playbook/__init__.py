"""The playbook: its notebooks, their declared parameters, and running them.

``init`` starts a project, ``check`` says whether its settings and data are right, ``run`` executes the
notebooks and publishes a report, ``verify`` executes a delivered run again and compares, ``alerts`` looks at
the alert rules and sends what is new, ``refresh`` renews the outputs of committed notebooks. Only this
package uses papermill, nbclient and nbformat.
"""

from csimprove.playbook.alerting import AlertOutcome, alerts
from csimprove.playbook.execution import refresh
from csimprove.playbook.projects import check, init, sample
from csimprove.playbook.runs import run
from csimprove.playbook.verification import Verification, verify

__all__ = ["AlertOutcome", "Verification", "alerts", "check", "init", "refresh", "run", "sample", "verify"]
