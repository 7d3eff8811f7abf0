"""Chooses the local ports that programs of ours will listen on."""

import errno
import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain

LOOPBACK = "127.0.0.1"
PORTS = range(10_000, 32_768)  # systems take those of outgoing connections from above


def free_ports(*wanted: int) -> list[int]:
    """Give each wanted port if it is free, else (and for 0) any free one.

    All stay held until the last is chosen: one by one, two could be the same. They are none that an
    outgoing connection could be given before somebody listens.
    """
    others = iter(random.sample(PORTS, len(PORTS)))
    with ExitStack() as held:
        return [_bind(held.enter_context(socket.socket()), port, others) for port in wanted]


def _bind(probe: socket.socket, port: int, others: Iterator[int]) -> int:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for candidate in chain([port] if port else [], others):
        try:
            probe.bind((LOOPBACK, candidate))
        except OSError:
            continue
        return candidate
    raise OSError(errno.EADDRINUSE, f"no port of {LOOPBACK} is free")
