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
from tools.chaos.outcome import NotDoneError
from tools.chaos.plan import Round, Step
from tools.chaos.recovery import LIMIT_S, Watch
from tools.chaos.report import TOGETHER, Report, label_of
from tools.chaos.scene import Scene
from tools.load import Population, send_all
from tools.verify.undecided import PAUSE_S, undecided

PROBED = (100, 10)  # accounts, chargeable events of each: some of each partition
UNDECIDED_MAX_S = 60.0
FAULTS_MIN_S = 45.0

Say = Callable[[str], None]


class Running:
    """One round that runs."""

    def __init__(self, folder: Path, plan: Round, faults: Mapping[str, Fault], say: Say) -> None:
        folder.mkdir()
        self.found = Report()
        self._plan, self._faults, self._say = plan, faults, say
        self._scene = Scene(folder, plan)
        self._probed = Population(*PROBED)
        self._options = {"bootstrap.servers": self._scene.cluster.bootstrap, "log_level": "0"}
        self._watch = Watch(self._options, self._probed, TopicSettings().partitions)
        self._load = Load(self._options, plan.rate_per_s, plan.seed)
        self._struck_at = time.monotonic()  # when the last fault ended

    async def run(self, steps: Iterator[Step], until: float, least: int) -> int:
        """Do steps until the time is over, `least` of them anyway. Give how many.

        What is found counts only if this comes to its end, which is the verdict.
        """
        done = 0
        try:
            await self._begin()
            until = max(until, time.monotonic() + FAULTS_MIN_S)
            while not self._load.failures and (time.monotonic() < until or done < least):
                await self._do(next(steps))
                done += 1
            await self._end()
        finally:
            await self._scene.stop_programs()
            await self._scene.cluster.stop()
        if not self.found.disagreements:
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
        self._note_recovery(["the start"], await self._watch.recovered(time.monotonic()))

    async def _do(self, step: Step) -> None:
        """Do the faults of a step at once, wait until it is over, and be quiet."""
        kinds = [kind for kind in step.kinds if kind in self._faults]
        begun_at = time.monotonic()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._do_one(kind, f"{step.seed}/{number}"))
                for number, kind in enumerate(kinds)
            ]
        struck = [at for task in tasks if (at := task.result()) is not None]
        since = max(struck, default=begun_at)
        took = await self._watch.recovered(since)
        self._note_recovery(kinds, took)
        if took is not None and kinds and len(struck) == len(kinds):  # else what it was is unknown
            label = label_of(kinds[0], self._plan.nodes) if len(kinds) == 1 else TOGETHER
            self.found.recoveries[label].append(took)
        self._struck_at = since
        self._load.send_late_ones()
        await asyncio.sleep(step.quiet_s)

    async def _do_one(self, kind: str, seed: str) -> float | None:
        """Give when it ended; nothing if it was not done."""
        draw = random.Random(seed)  # noqa: S311 - a plan, not a secret
        label = label_of(kind, self._plan.nodes)
        try:
            done = await self._faults[kind](self._scene, draw)
        except NotDoneError as reason:
            self.found.not_done[label] += 1
            self._say(f"{kind}: not done, {reason}")
            return None
        self.found.faults[label] += 1
        self._say(f"{kind}: {done.details}")
        return done.ended_at

    def _note_recovery(self, causes: list[str], took: float | None) -> None:
        if took is None:
            self._disagree(1, [f"after {' and '.join(causes)}: no answer within {LIMIT_S:.0f} s"])
        else:
            self._say(f"recovered after {took:.1f} s")

    async def _end(self) -> None:
        """Stop the load, wait until all is decided, and let it be judged."""
        await asyncio.to_thread(self._load.stop)
        self._disagree(len(self._load.failures), self._load.failures)
        await asyncio.to_thread(self._watch.stop)
        until = self._struck_at + UNDECIDED_MAX_S
        while left := await asyncio.to_thread(undecided, self._options):
            if time.monotonic() > until:
                text = f"{left} requests are undecided {UNDECIDED_MAX_S:.0f} s after the last fault"
                self._disagree(left, [text])
                break
            await asyncio.sleep(PAUSE_S)
        for worker in self._scene.workers:
            await worker.stop()
        self._scene.forget_damage()
        await self._judge()
        nodes = "node" if self._plan.nodes == 1 else "nodes"
        self.found.rounds[f"with {self._plan.nodes} {nodes}"] += 1
        self.found.requests.update(self._load.counts)
        self.found.totals.update(self._watch.seen)

    async def _judge(self) -> None:
        judge = Judge(
            self._scene.folder,
            self._scene.cluster.bootstrap,
            self._scene.home,
            tuple(worker.home for worker in self._scene.workers if worker.home.exists()),
        )
        acknowledged = [*self._load.acknowledged, *self._watch.acknowledged]
        self.found.totals["acknowledged"] += len(acknowledged)
        judge.note_acknowledged(acknowledged)
        verdict = await judge.judge()
        self.found.totals.update(verdict.totals)
        self._disagree(verdict.disagreements, verdict.lines)
        self._say(f"judged: {', '.join(f'{n} {what}' for what, n in verdict.totals.items())}")

    def _disagree(self, count: int, lines: list[str]) -> None:
        where = f"round {self._plan.number} of seed {self._plan.seed}, kept in {self._scene.folder}"
        self.found.disagreements += count
        self.found.lines += [f"{line} ({where})" for line in lines]
        for line in lines:
            self._say(f"DISAGREEMENT {line}")
