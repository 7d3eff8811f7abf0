"""One partition number at work: what is queued is decided and committed, one by one."""

import asyncio
import time
from contextlib import AsyncExitStack, nullcontext
from typing import TYPE_CHECKING, Any

from aiokafka.structs import TopicPartition

from streams.delivery import protocol
from streams.delivery.deciding import Decide, Decided, Known, begin, decide
from streams.delivery.errors import die
from streams.delivery.intake import Intake, Slice
from streams.delivery.protocol import Progress
from streams.delivery.steps import CarryOut, drive
from streams.delivery.store import Store
from streams.delivery.transaction import Transaction
from streams.delivery.work import Work, forget_oldest

if TYPE_CHECKING:
    from streams.delivery.delivery import Delivery

SMALL_MAX = 100  # records of a transaction that waits for no other unit's
GIVE_WAY = 50  # records, after which units with less to do have their turn
KEPT_MAX = 4096  # rows of each table whose rows stay in memory
IDLE_S = 60.0  # progress over offsets that hold no records is stored after this long


class Unit:
    """The inputs, the state and the producer of one partition number."""

    def __init__(self, delivery: "Delivery", number: int) -> None:
        self.delivery, self.plan, self.number = delivery, delivery.plan, number
        self.store = Store(delivery.folder / f"unit-{number}.db", delivery.memory)
        self.intake = Intake()
        self.producer: Transaction | None = None
        self.known: Known | None = None  # once it serves
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
        self.known = begin(self.plan, progress)
        self.intake.open(take_over, progress.next)
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
            is_large = self.intake.waiting > SMALL_MAX
            async with self.delivery.large if is_large else nullcontext(), self.deciding:
                if not self.intake.is_open:
                    continue
                taken = self.intake.take()
                await self.delivery.point("Take", self.number)
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
                if self.known and self.known.is_ahead:
                    return

    async def _decide(self, parts: list[Slice]) -> None:
        """Carry out the steps of `deciding.decide` for what was taken."""
        assert self.known
        assert self.producer
        seq, outgoing = self.known.progress.seq, self.producer.batches
        work = Work(self.plan, self.store, self.number, seq, outgoing, self.known.kept)
        async with AsyncExitStack() as turn:
            if sum(len(part.records) for part in parts) > SMALL_MAX:
                await turn.enter_async_context(self.delivery.turn)
            began = time.perf_counter()
            is_overdue = began - self.stored_at > IDLE_S
            taken = _Taken(self, work, turn)
            known = await drive(
                decide(work, self.known, parts, is_overdue=is_overdue),
                taken.carried_out_by(),
                lambda done: self.delivery.point(done, self.number),
            )
        if known.progress is not self.known.progress:
            self.stored_at = time.perf_counter()
            self.delivery.metrics.committed(taken.count, self.stored_at - began, work.tally)
        self.known = known
        for rows in known.kept.values():
            forget_oldest(rows, KEPT_MAX)


class _Taken:
    """What one unit took from its queue, on its way through one transaction."""

    def __init__(self, unit: Unit, work: Work, turn: AsyncExitStack) -> None:
        assert unit.producer
        self.unit, self.work, self.producer = unit, work, unit.producer
        self.turn = turn  # to decide
        self.count = 0

    def carried_out_by(self) -> CarryOut:
        """Who does each step. Not kept: in a cycle the work would outlive its transaction."""
        return {
            Decide: self._decide,
            Decided: self._decided,
            protocol.Begin: self._begin,
            protocol.Send: self._send,
            protocol.Confirm: self._confirm,
            protocol.Commit: self._commit,
            protocol.WriteLocal: self._write_local,
        }

    async def _decide(self, step: Decide) -> None:
        handle, work = self.unit.plan.inputs[step.topic], self.work
        for number, record in enumerate(step.records, 1):
            handle(work, record)
            if number % GIVE_WAY == 0:
                await asyncio.sleep(0)
        self.count += len(step.records)

    async def _decided(self, _: Decided) -> None:
        await self.turn.aclose()
        await self.unit.delivery.point("Decided", self.unit.number)

    async def _begin(self, step: protocol.Begin) -> None:
        await self.producer.begin([TopicPartition(*place) for place in step.places])

    async def _send(self, step: protocol.Send) -> None:
        await self.producer.send(TopicPartition(*step.place), step.records)

    async def _confirm(self, _: protocol.Confirm) -> dict[str, int]:
        ends = await self.producer.confirm()
        return {tp.topic: end for tp, end in ends.items() if tp.partition == self.unit.number}

    async def _commit(self, _: protocol.Commit) -> None:
        await self.producer.commit()

    async def _write_local(self, step: protocol.WriteLocal) -> None:
        self.unit.store.write(step.rows, step.next, step.mark)
