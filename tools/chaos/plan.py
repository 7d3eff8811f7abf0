"""Says from a seed alone which faults come in which order, and what each round is like."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

ROUND_MINUTES = 7.5
ROUNDS_MIN = 2
OF_THREE_NODES = (4, 1)  # each fourth round, and the second is the first of them
TOGETHER_SHARE = 0.33
QUIET_S, LONG_QUIET_S, LONG_QUIET_SHARE = (0.3, 2.5), 8.0, 0.08


@dataclass(frozen=True)
class Kind:
    """One kind of fault; of 50 faults it is `weight`."""

    name: str
    group: str
    weight: int


KINDS = (
    Kind("worker killed at random", "worker kills", 7),
    Kind("worker killed at a named point", "worker kills", 5),
    Kind("broker killed", "broker restarts", 3),
    Kind("broker restarted", "broker restarts", 3),
    Kind("worker frozen past its session", "freezes", 7),
    Kind("workers joined and left", "joins and leaves", 2),
    Kind("network cut", "network faults", 3),
    Kind("network half-open", "network faults", 2),
    Kind("network delayed", "network faults", 2),
    Kind("store deleted", "store faults", 2),
    Kind("store truncated", "store faults", 2),
    Kind("store put back to an older copy", "store faults", 2),
    Kind("disk full", "full disks", 2),
    Kind("clock jumped", "clock jumps", 2),
    Kind("subscriber killed at random", "subscriber faults", 1),
    Kind("subscriber killed right after a commit", "subscriber faults", 2),
    Kind("subscriber frozen", "subscriber faults", 1),
    Kind("group offsets reset", "offset resets", 2),
)
GROUPS = tuple(dict.fromkeys(kind.group for kind in KINDS))
OPENING_STEPS = len(GROUPS) // 2  # with two kinds each, of all groups but an odd last one


@dataclass(frozen=True)
class Round:
    """What one round runs on."""

    number: int
    seed: str
    lasts_s: float
    nodes: int
    workers: int
    rate_per_s: int
    is_static: bool


@dataclass(frozen=True)
class Step:
    """Faults that are done at once, and how quiet it is after them. The seed fixes the details."""

    kinds: tuple[str, ...]
    quiet_s: float
    seed: str


def plan_rounds(seed: int, minutes: float) -> list[Round]:
    """Divide the minutes into rounds; a quarter of them, and one at least, has three nodes."""
    count = max(ROUNDS_MIN, round(minutes / ROUND_MINUTES))
    every, first = OF_THREE_NODES
    rounds = []
    for number in range(count):
        draw = random.Random(f"{seed}/round/{number}")  # noqa: S311 - a plan, not a secret
        one = Round(
            number=number + 1,
            seed=f"{seed}/{number + 1}",
            lasts_s=minutes * 60 / count,
            nodes=3 if number % every == first else 1,
            workers=draw.choice((1, 2, 2, 3)),
            rate_per_s=draw.choice((20, 40, 80)),
            is_static=draw.random() < 0.75,  # noqa: PLR2004 - as most will run it
        )
        rounds.append(one)
    return rounds


def plan_steps(seed: int) -> Iterator[Step]:
    """Give steps without end: first one kind of each group, in pairs; then all by their weights."""
    draw = random.Random(f"{seed}/steps")  # noqa: S311 - a plan, not a secret
    dealt = _deal(draw)
    for number in range(1 << 62):
        opens = number < len(GROUPS) / 2
        count = 2 if opens or draw.random() < TOGETHER_SHARE else 1
        kinds = tuple(next(dealt) for _ in range(count))
        is_long = draw.random() < LONG_QUIET_SHARE
        quiet_s = LONG_QUIET_S if is_long and not opens else draw.uniform(*QUIET_S)
        yield Step(kinds, quiet_s, f"{seed}/step/{number}")


def _deal(draw: random.Random) -> Iterator[str]:
    """As from a pack of cards: when all are dealt, they are shuffled again."""
    one_of_each = [
        draw.choice([kind.name for kind in KINDS if kind.group == group]) for group in GROUPS
    ]
    draw.shuffle(one_of_each)
    yield from one_of_each
    pack = [kind.name for kind in KINDS for _ in range(kind.weight)]
    while True:
        draw.shuffle(pack)
        yield from pack
