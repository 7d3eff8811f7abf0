"""All faults by name, and what keeps one from being done on this machine."""

import random
from collections.abc import Awaitable, Callable, Mapping

from tools.chaos import (
    broker_faults,
    clock_faults,
    disk_faults,
    network_faults,
    store_faults,
    subscriber_faults,
    worker_faults,
)
from tools.chaos.outcome import Done
from tools.chaos.scene import Scene

SceneFault = Callable[[Scene, random.Random], Awaitable[Done]]  # or raises NotDoneError

FAULTS: Mapping[str, SceneFault] = {
    "worker killed at random": worker_faults.kill,
    "worker killed at a named point": worker_faults.kill_at_point,
    "worker frozen past its session": worker_faults.freeze,
    "workers joined and left": worker_faults.join_and_leave,
    "group offsets reset": worker_faults.reset_offsets,
    "broker killed": broker_faults.kill,
    "broker restarted": broker_faults.restart,
    "network cut": network_faults.cut,
    "network half-open": network_faults.hold,
    "network delayed": network_faults.delay,
    "store deleted": store_faults.delete,
    "store truncated": store_faults.truncate,
    "store put back to an older copy": store_faults.put_back,
    "disk full": disk_faults.fill,
    "clock jumped": clock_faults.jump,
    "subscriber killed at random": subscriber_faults.kill,
    "subscriber killed right after a commit": subscriber_faults.kill_after_commit,
    "subscriber frozen": subscriber_faults.freeze,
}


def impossible_faults(*, may_mount: bool) -> dict[str, str]:
    """Say what cannot be done here, and why."""
    found = {}
    if not may_mount:
        found["disk full"] = "nobody may mount a small file system here"
    if clock_faults.find_library() is None:
        found["clock jumped"] = "libfaketime is not installed (Debian: apt install faketime)"
    return found
