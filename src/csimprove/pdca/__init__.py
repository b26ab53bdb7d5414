"""Actions that close: a register of PDCA cycles, each with its plan, its measured effect and its history.

`read_register` reads the files, `statuses` says where each stands by dates alone, the ``*_cycle`` functions
are the commands with their guards, `effect` measures.
"""

from csimprove.pdca.actions import (
    add_cycle,
    check_cycle,
    close_cycle,
    extend_cycle,
    plan_cycle,
    reopen_cycle,
    start_cycle,
)
from csimprove.pdca.cycle import Check, Cycle, Entry, Plan, course
from csimprove.pdca.deadlines import Lateness, deadline, escalations
from csimprove.pdca.effect import UNDECIDED_SHARE, Effect, effect, plan_problems
from csimprove.pdca.register import cycle_text, find_cycle, read_cycle, read_register, register_hash
from csimprove.pdca.result import CycleStatus, Stretch, statuses
