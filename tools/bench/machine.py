"""Says on what was measured."""

import os
import platform

import psutil

DURABILITY = (
    "Durability: one Kafka on this machine, replication 1, acks=all, no flush of its own: "
    "a power cut can lose acknowledged records."
)


def machine() -> str:
    """Give what does not change."""
    return f"Python {platform.python_version()}, {os.cpu_count()} processors"


def machine_now() -> str:
    """Give the words that stand beside figures which were taken just now."""
    return f"{machine()}, load {psutil.getloadavg()[0]:.1f} in the last minute of it"
