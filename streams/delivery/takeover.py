"""Takes one unit over: fence inside the rebalance, everything slow behind the unit's shut gate."""

import secrets
import time
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from streams.delivery import protocol
from streams.delivery.errors import note
from streams.delivery.logs import newest_progress, read
from streams.delivery.owning import CaughtUp, Serve, bring_up
from streams.delivery.protocol import Ends, Local, Progress
from streams.delivery.steps import CarryOut, drive
from streams.delivery.unit import Unit

if TYPE_CHECKING:
    from streams.delivery.delivery import Delivery


class TakeOver:
    """Carries out the steps of `protocol.take_over` for one unit.

    A rebalance may cancel it at any await: each write to the store holds rows together with their
    offset, so the next catch-up goes on from there.
    """

    def __init__(self, delivery: "Delivery", unit: Unit, number: int) -> None:
        self.delivery, self.unit = delivery, unit
        self.number, self.began = number, time.monotonic()
        self.steps = protocol.take_over(secrets.token_hex(4))
        self.reader: AIOKafkaConsumer | None = None
        self.ends: Ends | None = None
        self.prefixes = delivery.plan.prefixes
        self.partitions = {topic: TopicPartition(topic, unit.number) for topic in self.prefixes}

    async def fence(self) -> None:
        """The first step, the only one that other workers wait for."""
        step = next(self.steps)
        assert isinstance(step, protocol.Fence)
        await self.unit.fence()
        await self._reached("Fence")

    async def bring_up(self) -> None:
        """The rest, and to serve."""
        self.reader = await self.delivery.logs.reader(
            self.delivery.plan.changelogs, self.unit.number
        )
        try:
            carry_out: CarryOut = {
                protocol.ReadEnds: self._read_ends,
                protocol.Pause: self._pause,
                protocol.ReadProgress: self._read_progress,
                protocol.ReadOutput: self._read_output,
                protocol.ReadLocal: self._read_local,
                protocol.DropStore: self._drop_store,
                protocol.WriteMark: self._write_mark,
                protocol.Replay: self._replay,
                CaughtUp: self._caught_up,
                Serve: self._serve,
            }
            await drive(bring_up(self.steps, self.number), carry_out, self._reached)
        finally:
            await self.reader.stop()

    async def _reached(self, done: str) -> None:
        await self.delivery.point(done, self.unit.number)

    async def _read_ends(self, _: protocol.ReadEnds) -> Ends:
        self.ends = await self.delivery.logs.ends(self._reader, self.unit.number)
        return self.ends

    async def _pause(self, step: protocol.Pause) -> None:
        note(f"unit {self.unit.number} waits: {step.why}")
        await self.delivery.pause(step.seconds)

    async def _read_progress(self, _: protocol.ReadProgress) -> Progress | None:
        assert self.ends
        topic = self.delivery.plan.progress_changelog
        span = self.ends.changelogs[topic]
        return await newest_progress(self._reader, self.partitions[topic], span)

    async def _read_output(self, _: protocol.ReadOutput) -> bool:
        assert self.ends
        is_there: bool = await self.delivery.logs.has_output(self.ends, self.unit.number)
        return is_there

    async def _read_local(self, _: protocol.ReadLocal) -> Local:
        return self.unit.store.local(list(self.partitions))

    async def _drop_store(self, step: protocol.DropStore) -> None:
        note(f"WARNING unit {self.unit.number}: local store deleted and replayed: {step.why}")
        self.unit.store.drop()

    async def _write_mark(self, step: protocol.WriteMark) -> None:
        self.unit.store.write({}, {}, step.mark)

    async def _replay(self, step: protocol.Replay) -> int:
        store, count = self.unit.store, 0
        start = {self.partitions[topic]: offset for topic, offset in step.start.items()}
        end = {self.partitions[topic]: offset for topic, offset in step.end.items()}
        async with self.delivery.few:
            async for records in read(self._reader, start, end):
                topic = records[0].topic
                rows = [(record.key, record.value) for record in records]
                store.write({self.prefixes[topic]: rows}, {topic: records[-1].offset + 1})
                count += len(records)
                await self._reached("ReplayPart")
        return count

    async def _caught_up(self, _: CaughtUp) -> None:
        plan, producer = self.delivery.plan, self.unit.producer
        assert producer
        await producer.warm([*plan.changelogs, *plan.outputs, *plan.dead_letters.values()])

    async def _serve(self, step: Serve) -> None:
        number, progress = self.unit.number, step.progress
        self.unit.serve(progress, step.take_over)
        seconds = time.monotonic() - self.began
        self.delivery.metrics.take_over_seconds.observe(seconds)
        note(f"unit {number} serves after {seconds:.2f} s, commit {progress.commit}")
        self.delivery.say_ready()

    @property
    def _reader(self) -> AIOKafkaConsumer:
        assert self.reader
        return self.reader
