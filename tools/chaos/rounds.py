"""One round: a fresh system under load, faults with quiet between them, and the verdict."""

import asyncio
import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path

from schemas.connection import KafkaConnection
from schemas.topics import TopicSettings
from streams.topics import make_topics
from tools.chaos.faults import Fault
from tools.chaos.judging import Judge
from tools.chaos.load import Load
from tools.chaos.plan import Round, Step
from tools.chaos.recovery import Watch
from tools.chaos.report import TOGETHER, Report, label_of
from tools.chaos.scene import Scene
from tools.load import Population, send_all

PROBED = (100, 10)  # accounts, chargeable events of each: some of each partition
UNDECIDED_MAX_S = 60.0
FAULTS_MIN_S = 45.0

Say = Callable[[str], None]


class Running:
    """One round that runs."""

    def __init__(
        self, folder: Path, plan: Round, report: Report, faults: Mapping[str, Fault], say: Say
    ) -> None:
        folder.mkdir()
        self._plan, self._report, self._faults, self._say = plan, report, faults, say
        self._scene = Scene(folder, plan)
        self._probed = Population(*PROBED)
        self._options = {"bootstrap.servers": self._scene.cluster.bootstrap, "log_level": "0"}
        self._watch = Watch(self._options, self._probed, TopicSettings().partitions)
        self._load = Load(self._options, plan.rate_per_s, plan.seed)
        self._last_fault_at = 0.0
        self._violations: list[str] = []

    async def run(self, steps: Iterator[Step], until: float, least: int) -> int:
        """Do steps until the time is over, `least` of them anyway. Give how many."""
        done = 0
        try:
            await self._begin()
            until = max(until, time.monotonic() + FAULTS_MIN_S)
            while not self._load.failures and (time.monotonic() < until or done < least):
                await self._do(next(steps))
                done += 1
            await self._end()
        finally:
            self._count()
            await self._scene.stop_programs()
            await self._scene.cluster.stop()
        if not self._violations:
            await asyncio.to_thread(shutil.rmtree, self._scene.folder)
        return done

    async def _begin(self) -> None:
        self._say(
            f"begins: nodes {self._plan.nodes}, workers {self._plan.workers}, "
            f"{self._plan.rate_per_s} requests/s"
        )
        await self._scene.cluster.start()
        connection = KafkaConnection(bootstrap_servers=self._scene.cluster.bootstrap)
        await make_topics(connection, TopicSettings(replication_factor=self._plan.nodes))
        probed = (self._probed.account_records(), self._probed.event_records())
        records = chain(*probed, self._load.first_records())
        await asyncio.to_thread(send_all, self._options, records)
        for program in (
            *self._scene.workers[: self._plan.workers],
            *self._scene.subscribers,
        ):
            program.start()
        self._watch.start()
        self._load.start()
        took = await self._watch.recovered(time.monotonic())
        self._say("does not begin to serve" if took is None else f"serves after {took:.1f} s")

    async def _do(self, step: Step) -> None:
        """Do the faults of a step at once, wait until it is over, and be quiet."""
        kinds = [kind for kind in step.kinds if kind in self._faults]
        async with asyncio.TaskGroup() as group:
            for number, kind in enumerate(kinds):
                group.create_task(self._do_one(kind, f"{step.seed}/{number}"))
        if not kinds:
            return
        took = await self._watch.recovered(self._last_fault_at)
        label = label_of(kinds[0], self._plan.nodes) if len(kinds) == 1 else TOGETHER
        if took is None:
            self._report.unrecovered[label] += 1
            self._say("has not recovered after a minute")
        else:
            self._report.recoveries[label].append(took)
            self._say(f"recovered after {took:.1f} s")
        self._load.send_late_ones()
        await asyncio.sleep(step.quiet_s)

    async def _do_one(self, kind: str, seed: str) -> None:
        draw = random.Random(seed)  # noqa: S311 - a plan, not a secret
        details = await self._faults[kind](self._scene, draw)
        self._last_fault_at = time.monotonic()
        self._report.faults[label_of(kind, self._plan.nodes)] += 1
        self._say(f"{kind}: {details}")

    async def _end(self) -> None:
        """Stop the load, wait until all is decided, and let it be judged."""
        await asyncio.to_thread(self._load.stop)
        self._violations += self._load.failures
        await asyncio.to_thread(self._watch.stop)
        judge = Judge(
            self._scene.folder,
            self._scene.cluster.bootstrap,
            self._scene.home,
            tuple(worker.home for worker in self._scene.workers if worker.home.exists()),
        )
        acknowledged = [*self._load.acknowledged, *self._watch.acknowledged]
        judge.note_acknowledged(acknowledged)
        self._report.totals["acknowledged"] += len(acknowledged)
        left_s = self._last_fault_at + UNDECIDED_MAX_S - time.monotonic()
        undecided = await judge.wait_decided(max(0.0, left_s))
        if undecided:
            text = (
                f"{undecided} requests are undecided {UNDECIDED_MAX_S:.0f} s after the last fault"
            )
            self._violations.append(text)
        for worker in self._scene.workers:
            await worker.stop()
        self._scene.forget_damage()
        verdict = await judge.judge()
        self._report.totals.update(verdict.totals)
        self._violations += verdict.violations
        where = f"round {self._plan.number} of seed {self._plan.seed}, kept in {self._scene.folder}"
        self._report.violations += [f"{line} ({where})" for line in self._violations]
        for line in self._violations:
            self._say(f"VIOLATION {line}")
        self._say(f"judged: {', '.join(f'{n} {what}' for what, n in verdict.totals.items())}")

    def _count(self) -> None:
        nodes = "node" if self._plan.nodes == 1 else "nodes"
        self._report.rounds[f"with {self._plan.nodes} {nodes}"] += 1
        self._report.requests.update(self._load.counts)
        self._report.totals.update(self._watch.seen)
