"""Measures how long a killed program's requests wait until it answers again.

It is killed while requests come in, so that it leaves a transaction open, and started at once.
Each is a static member of its group with a session of 6 s, so Kafka has not even missed it. Kafka
Streams then drops its stores, as with exactly-once after each end that is not orderly, and reads
its changelogs from their beginning: its time grows with the state.
"""

import signal
import time

from tools.bench.contestant import Contestant, rotated
from tools.bench.loaded import Bench
from tools.bench.paced import Paced
from tools.bench.waits import Restart, restart_of
from tools.waiting import wait_until

PER_S = 200
BEFORE = 200  # results, until it is killed
BACK_MAX_S = 600.0


def measure_restarts(bench: Bench, rounds: int) -> None:
    """Kill each contestant once a round, with all that was loaded in its state."""
    contestants = bench.contestants()
    for number in range(rounds):
        for who in rotated(contestants, number):
            bench.say(f"killing {who.name}")
            restart = _restart(bench, who)
            bench.report.restarts[who.name].append(restart)
            bench.say(f"  {restart.first_s:.2f} s to the first new result")


def _restart(bench: Bench, who: Contestant) -> Restart:
    with who.at_work() as part, bench.paced(who.results, PER_S) as paced:
        wait_until(lambda: len(paced.seen_after(0)) >= BEFORE, f"{who.name} answers")
        killed = time.monotonic()
        part.process.send_signal(signal.SIGKILL)
        with who.start() as again:
            wait_until(
                lambda: again.has_ended_well or _is_everywhere(bench, paced, killed),
                f"{who.name} answers in every partition",
                BACK_MAX_S,
            )
            waits = paced.stop()
    bench.note(paced.acknowledged, len(waits))
    return restart_of(waits, killed)


def _is_everywhere(bench: Bench, paced: Paced, killed: float) -> bool:
    return len({wait.partition for wait in paced.seen_after(killed)}) == bench.report.partitions
