"""Says on what was measured."""

import os
import platform

import psutil


def machine() -> str:
    """Give the words that stand beside the figures."""
    return (
        f"Python {platform.python_version()}, {os.cpu_count()} processors, "
        f"load {psutil.getloadavg()[0]:.1f}"
    )
