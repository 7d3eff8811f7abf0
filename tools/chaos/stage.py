"""What a round is played on: a Kafka, workers, subscribers, a load, and who watches and judges."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from itertools import chain
from pathlib import Path

from schemas.connection import KafkaConnection
from schemas.topics import TopicSettings
from streams.topics import make_topics
from tools.chaos.judging import Judge, Verdict
from tools.chaos.load import Load
from tools.chaos.plan import Round
from tools.chaos.recovery import watch_of
from tools.chaos.scene import Scene
from tools.load import Population, send_all
from tools.verify.undecided import wait_decided

PROBED = (100, 10)  # accounts, chargeable events of each: some of each partition


class Stage:
    """All parts of one round. What was begun is ended by `close`, whatever fails."""

    def __init__(self, folder: Path, plan: Round) -> None:
        folder.mkdir()
        self.folder, self.scene, self._plan = folder, Scene(folder, plan), plan
        self._probed = Population(*PROBED)
        self._options = {"bootstrap.servers": self.scene.cluster.bootstrap, "log_level": "0"}
        self._watch = watch_of(self._options, self._probed, TopicSettings().partitions)
        self._load = Load(self._options, plan.rate_per_s, plan.seed)
        self._begun = AsyncExitStack()

    @property
    def failures(self) -> list[str]:
        """Why this is not the round that it was to be; each is a disagreement."""
        return [*self._load.failures, *self._watch.failures]

    @property
    def sent(self) -> Counter[str]:
        """What the load sent, by sorts."""
        return self._load.counts

    @property
    def seen(self) -> Counter[str]:
        """Results of each sort."""
        return self._watch.seen

    async def begin(self) -> None:
        """Start everything. Raises EmbeddedKafkaError."""
        self._begun.push_async_callback(self.scene.cluster.stop)
        await self.scene.cluster.start()
        connection = KafkaConnection(bootstrap_servers=self.scene.cluster.bootstrap)
        await make_topics(connection, TopicSettings(replication_factor=self._plan.nodes))
        self._begun.push_async_callback(self.scene.stop_programs)
        for program in (*self.scene.workers[: self._plan.workers], *self.scene.subscribers):
            program.start()
        probed = (self._probed.account_records(), self._probed.event_records())
        records = chain(*probed, self._load.first_records())
        await asyncio.to_thread(send_all, self._options, records)
        self._start_thread(self._watch.start, self._watch.stop)
        self._start_thread(self._load.start, self._load.stop)

    async def recovered(self, since: float) -> float | None:
        """Seconds from `since` until probes sent now are answered; nothing if they never are."""
        return await self._watch.recovered(since)

    async def settle(self) -> None:
        """Wait until each node of Kafka answers. Raises EmbeddedKafkaError."""
        await self.scene.cluster.settle()

    def send_late_ones(self) -> None:
        """Send what was kept back, as a client does after a restart."""
        self._load.send_late_ones()

    async def end_load(self) -> None:
        """Send no more, and wait for all acknowledgements."""
        await asyncio.to_thread(self._load.stop)
        await asyncio.to_thread(self._watch.end_probes)

    async def undecided(self, until: float) -> int:
        """Wait until nothing is undecided; give how much is, at last."""
        return await asyncio.to_thread(wait_decided, self._options, until - time.monotonic())

    async def judge(self) -> Verdict:
        """Stop the workers, and let everything be judged. Raises JudgementFailedError."""
        await self.scene.stop(self.scene.workers)
        self.scene.forget_damage()
        judge = Judge(
            self.folder,
            self.scene.cluster.bootstrap,
            self.scene.home,
            tuple(worker.home for worker in self.scene.workers if worker.home.exists()),
        )
        acknowledged = [*self._load.acknowledged, *self._watch.acknowledged]
        judge.note_acknowledged(acknowledged)
        verdict = await judge.judge()
        verdict.totals["acknowledged"] = len(acknowledged)
        return verdict

    async def close(self) -> None:
        """End all that was begun, in the opposite order."""
        await self._begun.aclose()

    def _start_thread(self, start: Callable[[], None], stop: Callable[[], None]) -> None:
        start()
        self._begun.push_async_callback(asyncio.to_thread, stop)
