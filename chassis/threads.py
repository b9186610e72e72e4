"""Which thread goes first where a process has one core: the one that answers.

gRPC's own threads wake for each of the half dozen events of a call, and each time Linux takes the core away from the
event loop for a moment. A thread that is scheduled as a batch waits until the core is given up or its turn has come: what
woke meanwhile it then does in one go (sched(7), SCHED_BATCH). It needs no privilege, and with cores to spare changes nothing.
"""

import os
import threading
from contextlib import suppress
from pathlib import Path


def give_way() -> None:
    """Have all threads but this one give way to it; those that they start inherit it. Of no effect where it is forbidden."""
    mine = threading.get_native_id()
    for task in Path("/proc/self/task").iterdir():
        if int(task.name) != mine:
            with suppress(OSError):  # it has ended, or a sandbox does not have the call
                os.sched_setscheduler(int(task.name), os.SCHED_BATCH, os.sched_param(0))
