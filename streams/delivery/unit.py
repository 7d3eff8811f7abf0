"""One partition number at work: what is queued is decided and committed, one by one."""

import asyncio
import time
from typing import TYPE_CHECKING, Any

import msgspec
from aiokafka.structs import TopicPartition

from streams.delivery import protocol
from streams.delivery.errors import die
from streams.delivery.intake import Intake, Slice, unread
from streams.delivery.protocol import Progress
from streams.delivery.steps import drive
from streams.delivery.store import Rows, Store
from streams.delivery.transaction import OutRecord, Transaction
from streams.delivery.work import Work

if TYPE_CHECKING:
    from streams.delivery.delivery import Delivery

IDLE_S = 60.0  # progress over offsets that hold no records is stored after this long
PROGRESS_TABLE, PROGRESS_KEY = b"progress", b"progress"


class Unit:
    """The inputs, the state and the producer of one partition number."""

    def __init__(self, delivery: "Delivery", number: int) -> None:
        self.delivery, self.plan, self.number = delivery, delivery.plan, number
        self.store = Store(delivery.folder / f"unit-{number}.db", delivery.memory)
        self.intake = Intake()
        self.producer: Transaction | None = None
        self.progress: Progress | None = None
        self.next: dict[
            str, int
        ] = {}  # of each input; ahead of `progress` over offsets without records
        self.task: asyncio.Task[None] | None = None
        self.stored_at = time.perf_counter()  # when progress was last written
        self.wake = asyncio.Event()
        self.deciding = asyncio.Lock()

    async def fence(self) -> None:
        """A new producer under this unit's id; the old one, of whatever process, is done for."""
        if self.producer:
            self.delivery.later(self.producer.stop())
        options = self.delivery.client_options
        self.producer = Transaction(f"{self.plan.app_id}-{self.number}", options)
        await self.producer.fence()

    def serve(self, progress: Progress, take_over: int) -> None:
        """Open the gate, at the offsets of the state."""
        self.progress, self.next = progress, dict(progress.next)
        self.intake.open(take_over, self.next)
        self.task = self.delivery.task(self._run(), f"unit {self.number}")

    def receive(self, part: Slice, event: Any) -> None:
        """The agent's only step; it never waits, so that no unit can hold up another."""
        if self.intake.receive(part, event):
            self.wake.set()
        else:
            event.ack()

    def shut(self) -> None:
        """A rebalance: what is only queued is dropped and will be fetched again."""
        for event in self.intake.close():
            event.ack()

    async def stop(self) -> None:
        """End the task once its running transaction is over."""
        if self.task:
            self.shut()
            async with self.deciding:
                self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            self.task = None
        self.shut()

    async def _run(self) -> None:
        while True:
            await self._something_to_do()
            async with self.deciding:
                taken = self.intake.take()
                try:
                    await self._decide([part for part, _ in taken])
                except BaseException as error:  # noqa: BLE001 - cancelled too: half a transaction
                    die(f"in a transaction of unit {self.number}", error)
            self.intake.done(taken)
            for _, event in taken:
                event.ack()

    async def _something_to_do(self) -> None:
        while not self.intake.queue:
            self.wake.clear()
            try:
                async with asyncio.timeout(IDLE_S):
                    await self.wake.wait()
            except TimeoutError:
                if self._is_ahead():
                    return

    def _is_ahead(self) -> bool:
        """Whether offsets without records were passed that no transaction has stored."""
        return self.progress is not None and self.next != self.progress.next

    async def _decide(self, parts: list[Slice]) -> None:
        """Decide every record that the state has not seen, then commit what follows from it."""
        assert self.progress
        began = time.perf_counter()
        work = Work(self.plan, self.store, self.number, self.progress.seq)
        next_, count = dict(self.next), 0
        for part in parts:
            handle = self.plan.inputs[part.topic]
            for record in unread(next_[part.topic], part):
                handle(work, record)
                count += 1
            next_[part.topic] = max(next_[part.topic], part.end)
        is_overdue = self._is_ahead() and began - self.stored_at > IDLE_S
        if count or not parts or is_overdue:
            await self.delivery.point("decided", self.number)
            await self._commit(work, protocol.advanced(self.progress, next_, work.seq))
            self.stored_at = time.perf_counter()
            seconds = self.stored_at - began
            self.delivery.metrics.committed(count, seconds, work.tally)
        self.next = next_

    async def _commit(self, work: Work, progress: Progress) -> None:
        assert self.producer
        producer, rows, out = self.producer, work.encoded_rows(), dict(work.out)
        for name, changed in rows.items():
            place = (self.plan.tables[name].changelog, self.number)
            out[place] = [OutRecord(key, row) for key, row in changed]
        row = OutRecord(PROGRESS_KEY, msgspec.json.encode(progress))
        out[self.plan.progress_changelog, self.number] = [row]

        async def begin(_: protocol.Begin) -> None:
            await producer.begin([TopicPartition(*place) for place in out])

        async def send(step: protocol.Send) -> None:
            await producer.send(TopicPartition(*step.place), out[step.place])

        async def confirm(_: protocol.Confirm) -> dict[str, int]:
            ends = await producer.confirm()
            return {tp.topic: end for tp, end in ends.items() if tp.partition == self.number}

        async def commit(_: protocol.Commit) -> None:
            await producer.commit()

        async def write_local(step: protocol.WriteLocal) -> None:
            local: dict[bytes, Rows] = {name.encode(): changed for name, changed in rows.items()}
            local[PROGRESS_TABLE] = [(PROGRESS_KEY, row.value)]
            self.store.write(local, step.next, step.mark)

        self.progress = await drive(
            protocol.transaction(progress, list(out), frozenset(self.plan.changelogs)),
            {
                protocol.Begin: begin,
                protocol.Send: send,
                protocol.Confirm: confirm,
                protocol.Commit: commit,
                protocol.WriteLocal: write_local,
            },
            lambda done: self.delivery.point(done, self.number),
        )
