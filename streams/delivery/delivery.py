"""All units of one worker, and the two gates of delivery between Faust and them."""

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any

from aiokafka.structs import TopicPartition

from streams.delivery.errors import die, note
from streams.delivery.intake import Flow, Slice
from streams.delivery.logs import Logs
from streams.delivery.metrics import Metrics
from streams.delivery.owning import EndCatchUps, FenceAll, LetGo, Shut, StopUnits, leave, own
from streams.delivery.plan import Plan
from streams.delivery.steps import CarryOut, Points, drive, no_point
from streams.delivery.store import StoreMemory
from streams.delivery.takeover import TakeOver
from streams.delivery.unit import Unit

CATCH_UPS = 4  # units that replay at a time
LARGE_AT_ONCE = 3  # transactions: each keeps what it read and wrote in memory until its end
FENCE_SHARE = 0.7  # of the session: no heartbeat is sent while units are fenced
GOODBYE_S = 3.0


class Delivery:
    """Built with the app, alive between Faust's start and its stop."""

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        *,
        plan: Plan,
        folder: Path,
        client_options: dict[str, Any],
        session_s: float,
        leaves_on_stop: bool,
        metrics: Metrics,
        point: Points = no_point,
    ) -> None:
        self.plan, self.folder, self.client_options = plan, folder, client_options
        self.session_s, self.metrics, self.point = session_s, metrics, point
        self.leaves_on_stop = leaves_on_stop  # whether a static member hands over on a stop
        self.flow = Flow()
        self.units: dict[int, Unit] = {}
        self.memory = StoreMemory()
        self.logs: Any = None  # Logs from the first take-over on
        self.taking: list[TakeOver] = []  # of the last rebalance
        self.catch_ups: list[asyncio.Task[None]] = []
        self.large = asyncio.Semaphore(LARGE_AT_ONCE)
        self.turn = asyncio.Lock()  # to decide a large one: mixed, all would end with the last
        self.few = asyncio.Semaphore(CATCH_UPS)
        self.goodbyes: set[asyncio.Task[Any]] = set()
        self.is_ready = False
        self.carry_out: CarryOut = {
            Shut: self._shut,
            EndCatchUps: self._end_catch_ups,
            StopUnits: self._stop_units,
            LetGo: self._let_go,
            FenceAll: self._fence_all,
        }

    def wanted(self) -> dict[TopicPartition, int]:
        """What to fetch now, and from where."""
        if not self.flow.is_flowing:
            return {}
        return {
            TopicPartition(topic, unit.number): offset
            for unit in self.units.values()
            for topic, offset in unit.intake.wanted().items()
        }

    def hand_over(self, partition: int, part: Slice) -> None:
        """A slice is in Faust's queue, on its way to `receive`."""
        self.units[partition].intake.hand_over(part)

    def receive(self, event: Any) -> None:
        """A slice out of Faust's queue, to its unit."""
        unit = self.units.get(event.message.partition)
        if unit is None:
            event.ack()
        else:
            unit.receive(event.value, event)

    def close_units(self) -> None:
        """A rebalance starts: units finish their running transaction, catch-ups end."""
        self.flow.stop()
        for task in self.catch_ups:
            task.cancel()
        for unit in self.units.values():
            unit.shut()

    async def take_over(self, assigned: Iterable[Any]) -> None:
        """The part of a rebalance that must be over before the next heartbeat: stop, and fence."""
        began = time.monotonic()
        owned = Counter(tp.partition for tp in assigned if tp.topic in self.plan.inputs)
        async with asyncio.timeout(self.session_s * FENCE_SHARE):
            steps = own(self.flow, self.units.keys(), owned, len(self.plan.inputs))
            await drive(steps, self.carry_out)
        seconds = time.monotonic() - began
        note(f"take-over {self.flow.take_over}: {sorted(owned)} fenced in {seconds:.2f} s")

    async def _shut(self, _: Shut) -> None:
        self.close_units()

    async def _end_catch_ups(self, _: EndCatchUps) -> None:
        await asyncio.gather(*self.catch_ups, return_exceptions=True)

    async def _stop_units(self, _: StopUnits) -> None:
        await asyncio.gather(*(unit.stop() for unit in self.units.values()))

    async def _fence_all(self, step: FenceAll) -> None:
        self.units |= {p: Unit(self, p) for p in step.numbers - self.units.keys()}
        self.taking = [TakeOver(self, unit, step.take_over) for unit in self.units.values()]
        await asyncio.gather(self._ask_cluster(), *(each.fence() for each in self.taking))

    def start_catch_ups(self) -> None:
        """Everything slow, while heartbeats are sent and other units serve."""
        self.catch_ups = [
            self.task(each.bring_up(), f"the catch-up of unit {each.unit.number}")
            for each in self.taking
        ]
        self.say_ready()

    def say_ready(self) -> None:
        """Tell, once, that all units serve."""
        if not self.is_ready and all(unit.intake.is_open for unit in self.units.values()):
            self.is_ready = True
            note("adjust worker ready")

    async def _ask_cluster(self) -> None:
        if self.logs is None:
            self.logs = Logs(self.plan, self.client_options)
            await self.logs.start()
        await self.logs.learn_topics()

    async def _let_go(self, step: LetGo) -> None:
        for number in step.numbers:
            gone = self.units.pop(number)
            self.metrics.forget(number, self.plan.inputs)
            if gone.producer:
                self.later(gone.producer.stop())
            gone.store.close()

    async def stop(self) -> None:
        """After Faust has waited for running transactions: producers say goodbye, stores close."""
        await drive(leave(self.units.keys()), self.carry_out)
        if self.logs is not None:
            self.later(self.logs.stop())
        if self.goodbyes:
            await asyncio.wait(self.goodbyes, timeout=GOODBYE_S)

    async def pause(self, seconds: float) -> None:
        """Wait, outside of any transaction."""
        await asyncio.sleep(seconds)

    def offsets(self) -> dict[TopicPartition, int]:
        """How far each input is decided, for lag monitors."""
        return {
            TopicPartition(topic, unit.number): offset
            for unit in self.units.values()
            if unit.intake.is_open and unit.known
            for topic, offset in unit.known.next.items()
        }

    def report_lag(self, ends: dict[TopicPartition, int]) -> None:
        """Tell Prometheus how far each open unit is behind the ends of its inputs."""
        for unit in self.units.values():
            if unit.intake.is_open and unit.known:
                lags = {
                    topic: ends.get(TopicPartition(topic, unit.number), offset) - offset
                    for topic, offset in unit.known.next.items()
                }
                self.metrics.lag(unit.number, lags, unit.intake.oldest_ms())

    def task(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """A task that must not fail; a cancelled one is a rebalance."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()):
                die(f"in {name}", error)

        task = asyncio.create_task(work)
        task.add_done_callback(ended)
        return task

    def later(self, goodbye: Coroutine[Any, Any, Any]) -> None:
        """Closing what is fenced anyway must not hold up a rebalance; how it ends is no matter."""
        task = asyncio.create_task(goodbye)
        self.goodbyes.add(task)
        task.add_done_callback(self._said_goodbye)

    def _said_goodbye(self, task: asyncio.Task[Any]) -> None:
        self.goodbyes.discard(task)
        if not task.cancelled():
            task.exception()  # seen, so that nobody is told of it


def delivery_of(app: Any) -> Delivery:
    """The delivery of a Faust app, for the hooks that Faust calls."""
    delivery: Delivery = app.delivery
    return delivery
