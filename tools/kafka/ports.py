"""Chooses the local ports that Kafka listens on."""

import socket
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"


def free_ports(*wanted: int) -> list[int]:
    """Give each wanted port if it is free, else (and for 0) any free one.

    All stay held until the last is chosen: one by one, two could be the same.
    """
    with ExitStack() as held:
        return [_bind(held.enter_context(socket.socket()), port) for port in wanted]


def _bind(probe: socket.socket, port: int) -> int:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((LOOPBACK, port))
    except OSError:
        probe.bind((LOOPBACK, 0))
    number: int = probe.getsockname()[1]
    return number
