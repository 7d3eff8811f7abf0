"""Checks a whole cluster, one partition number after the other, and the stores beside it."""

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import starmap
from pathlib import Path

from tools.verify.findings import Findings
from tools.verify.log import Log
from tools.verify.memory import Acknowledged
from tools.verify.part import Part, Run, Topics, Units
from tools.verify.shelves import IN_MEMORY_MAX, Shelves
from tools.verify.stores import Stores
from tools.verify.topics import ACCOUNTS, ALL, OUTPUTS, REQUESTS, TRANSACTIONS
from tools.verify.workers import Workers

Advance = Callable[[int, int], object]  # outputs read, outputs there


@dataclass(frozen=True)
class Beside:
    """What is compared with the topics, none of which needs to be there."""

    stores: Stores = field(default_factory=Stores)
    worker_homes: Sequence[Path] = ()
    acknowledged: Acknowledged = field(default_factory=lambda: Acknowledged(lambda: ()))
    in_memory_max: int = IN_MEMORY_MAX  # entries of each book; the others are kept on disk


def open_log(options: Mapping[str, str]) -> Log:
    """Give the log of all topics of the engine. Raises LookupError where one is not there."""
    log = Log(options, ALL)
    if log.absent:
        raise LookupError(f"This Kafka has no topic {', '.join(log.absent)}.")
    if len({log.partitions[topic] for topic in ALL}) > 1:
        counts = ", ".join(f"{topic} {count}" for topic, count in log.partitions.items())
        raise LookupError(f"The topics have different numbers of partitions: {counts}.")
    return log


def verify_cluster(
    options: Mapping[str, str], beside: Beside, advance: Advance = lambda _done, _all: None
) -> Findings:
    """Read everything once. Raises KafkaException, LookupError, TimeoutError."""
    log = open_log(options)
    try:
        with Workers(beside.worker_homes, log.cluster) as workers:
            partitions = log.partitions[REQUESTS]
            places = ((topic, number) for topic in OUTPUTS for number in range(partitions))
            total = sum(end - begin for begin, end in starmap(log.ends, places))
            return verify(log, partitions, workers, beside, lambda done: advance(done, total))
    finally:
        log.close()


def verify(
    topics: Topics,
    partitions: int,
    workers: Units,
    beside: Beside,
    advance: Callable[[int], object] = lambda _: None,
) -> Findings:
    """Check all partition numbers; `advance` is told how many outputs were read."""
    stores = beside.stores
    run = Run(partitions, beside.acknowledged, stores.enter, advance)
    for number in range(partitions):
        with Shelves(beside.in_memory_max) as shelves:
            Part(topics, number, run, shelves).check(workers)
        gc.collect()  # a partition number's books are large, and in cycles
    found = run.invariants
    for topic, line in run.sent_on.disagreements():
        if topic == REQUESTS or _is_whole(topics, topic):
            found.strays.say(line)
    found.strays.rows = len(run.sent_on)
    found.acknowledged.rows = len(beside.acknowledged)
    for line in beside.acknowledged.missing():
        found.acknowledged.say(line)
    looked = [*stores.others, *workers.others, *run.units]
    findings = Findings(found.checks, stores=looked)
    findings.totals = found.totals
    if found.unjudged:
        findings.notes.append(f"I11: {found.unjudged} requests are nested too deep to be judged.")
    findings.add(stores.finish(topics.bounds(TRANSACTIONS)))
    return findings


def _is_whole(topics: Topics, topic: str) -> bool:
    """Whether copies of what was sent on cannot have expired or been compacted."""
    return topic != ACCOUNTS and not any(topics.bounds(topic).begins.values())
