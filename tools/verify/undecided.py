"""Counts what the engine has not decided yet, from the ends of its topics alone."""

import json
import time
from collections.abc import Callable, Mapping

from tools.verify.log import Log, Record
from tools.verify.topics import INPUTS, PROGRESS, changelog_of
from tools.verify.whole import open_log

TAIL, FARTHER = 64, 16  # records of a first look back; how much farther each next look goes
PAUSE_S = 0.5


def undecided(options: Mapping[str, str]) -> int:
    """Count offsets of inputs after those that the engine's own progress rows name.

    Where no committed record is among them nothing is undecided, whatever the offsets.
    """
    log = open_log(options)
    try:
        return sum(_undecided(log, number) for number in range(log.partitions[INPUTS[0]]))
    finally:
        log.close()


def wait_decided(
    options: Mapping[str, str], limit_s: float, told: Callable[[int], object] = lambda _: None
) -> int:
    """Wait until nothing is undecided, so long at most; give how much is left."""
    deadline = time.monotonic() + limit_s
    while left := undecided(options):
        told(left)
        if time.monotonic() >= deadline:
            break
        time.sleep(PAUSE_S)
    return left


def _undecided(log: Log, number: int) -> int:
    newest = _newest(log, changelog_of(PROGRESS), number)
    following = json.loads(newest.value or b"{}")["next"] if newest else {}
    left = 0
    for topic in INPUTS:
        first = next(log.part(topic, number, following.get(topic, 0)), None)
        left += 0 if first is None else log.ends(topic, number)[1] - first.offset
    return left


def _newest(log: Log, topic: str, number: int) -> Record | None:
    """Give the last committed record; aborted ones and markers may follow it."""
    reach = TAIL
    low, end = log.ends(topic, number)
    while True:
        start, newest = max(low, end - reach), None
        for record in log.part(topic, number, start):
            newest = record
        if newest or start == low:
            return newest
        reach *= FARTHER
