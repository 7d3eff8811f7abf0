"""All runs of the smallest size: each fault at each step; two kills, or a freeze and its end."""

from collections.abc import Iterator

from tests.simulation.choices import FATES, Fault, Fixed, Sizes, Written, keys
from tests.simulation.runs import run

ACCOUNT = keys(1, 1)[0][0]
WRITTEN = [
    Written(0, "requests", 0, ACCOUNT, b"r1:5", 100),
    Written(0, "requests", 0, ACCOUNT, b"r2:-9", 200),
    Written(60, "requests", 0, ACCOUNT, b"r1:5", 300),
]
KINDS = {  # and what each may mean
    "kill": FATES,
    "freeze": ("done",),
    "lose": FATES,
    "lose-commit": FATES,
    "cancel": ("done",),
    "stop": ("done",),
    "join": ("done",),
    "disk-lost": ("done", "late"),
    "disk-older": ("done",),
    "disk-foreign": ("done",),
    "tail-lost": ("done",),
    "time-out": ("done",),
    "compact": ("done",),
    "hang": ("done",),
}
OF_ALL = frozenset({"join", "tail-lost", "time-out", "compact", "hang"})  # of no one worker
GONE = frozenset({"kill", "freeze", "disk-lost", "disk-older", "disk-foreign", "tail-lost"})
AGAIN_AFTER = 3  # steps until a killed worker is started again


def all_runs(workers: int) -> Iterator[Fixed]:
    """Of one worker, or of two: each with other faults."""
    sizes = Sizes(partitions=1, workers=workers, inputs=1)
    length = run(Fixed(sizes, WRITTEN, [])).now
    for faults in (*_single(workers, length), *_pairs(workers, length)):
        yield Fixed(sizes, WRITTEN, faults)


def _single(workers: int, length: int) -> Iterator[list[Fault]]:
    for kind, fates in KINDS.items():
        for fate in fates:
            for worker in range(1 if kind in OF_ALL else workers):
                for at in range(length):
                    for expires in (0, None) if kind in GONE else (None,):
                        yield [Fault(at, kind, worker, fate, AGAIN_AFTER, expires, at // 2)]


def _pairs(workers: int, length: int) -> Iterator[list[Fault]]:
    for first in range(length):
        for second in range(first, length):
            for worker in range(workers):
                yield [Fault(first, "freeze", worker, "done", second - first, 0)]
                kill = Fault(first, "kill", worker, "done", AGAIN_AFTER)
                for other in range(workers):
                    yield [kill, Fault(second, "kill", other, "lost", AGAIN_AFTER)]
