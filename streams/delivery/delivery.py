"""All units of one worker, and the two gates of delivery between Faust and them."""

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any

from aiokafka.structs import TopicPartition

from streams.delivery.errors import die, note
from streams.delivery.intake import Flow, Slice, check_owned
from streams.delivery.logs import Logs
from streams.delivery.metrics import Metrics
from streams.delivery.plan import Plan
from streams.delivery.steps import Points, no_point
from streams.delivery.store import StoreMemory
from streams.delivery.takeover import TakeOver
from streams.delivery.unit import Unit

CATCH_UPS = 4  # units that replay at a time
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
        self.catch_ups: list[asyncio.Task[None]] = []
        self.few = asyncio.Semaphore(CATCH_UPS)
        self.goodbyes: set[asyncio.Task[Any]] = set()
        self.is_ready = False

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

    async def take_over(self, assigned: Iterable[Any]) -> list[TakeOver]:
        """The part of a rebalance that must be over before the next heartbeat: stop, and fence."""
        async with asyncio.timeout(self.session_s * FENCE_SHARE):
            return await self._take_over(assigned)

    async def _take_over(self, assigned: Iterable[Any]) -> list[TakeOver]:
        began = time.monotonic()
        self.close_units()
        number = self.flow.begin_take_over()
        owned = Counter(tp.partition for tp in assigned if tp.topic in self.plan.inputs)
        check_owned(owned, len(self.plan.inputs))
        await asyncio.gather(*self.catch_ups, return_exceptions=True)
        await asyncio.gather(*(unit.stop() for unit in self.units.values()))
        self._release(self.units.keys() - owned.keys())
        self.units |= {p: Unit(self, p) for p in owned.keys() - self.units.keys()}
        taking = [TakeOver(self, unit) for unit in self.units.values()]
        await asyncio.gather(self._ask_cluster(), *(each.fence() for each in taking))
        seconds = time.monotonic() - began
        note(f"take-over {number}: partitions {sorted(owned)} fenced in {seconds:.2f} s")
        return taking

    def start_catch_ups(self, taking: list[TakeOver]) -> None:
        """Everything slow, while heartbeats are sent and other units serve."""
        number, began = self.flow.take_over, time.monotonic()
        self.catch_ups = [
            self.task(
                self._bring_up(each, number, began), f"the catch-up of unit {each.unit.number}"
            )
            for each in taking
        ]
        self._say_ready()

    async def _bring_up(self, taking: TakeOver, number: int, began: float) -> None:
        unit = taking.unit
        progress = await taking.catch_up(self.few)
        assert unit.producer
        topics = [*self.plan.changelogs, *self.plan.outputs, *self.plan.dead_letters.values()]
        await unit.producer.warm(topics)
        await self.point("CaughtUp", unit.number)
        unit.serve(progress, number)
        seconds = time.monotonic() - began
        self.metrics.take_over_seconds.observe(seconds)
        note(f"unit {unit.number} serves after {seconds:.2f} s, commit {progress.commit}")
        self._say_ready()

    def _say_ready(self) -> None:
        if not self.is_ready and all(unit.intake.is_open for unit in self.units.values()):
            self.is_ready = True
            note("adjust worker ready")

    async def _ask_cluster(self) -> None:
        if self.logs is None:
            self.logs = Logs(self.plan, self.client_options)
            await self.logs.start()
        await self.logs.learn_topics()

    def _release(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            gone = self.units.pop(number)
            self.metrics.forget(number, self.plan.inputs)
            if gone.producer:
                self.later(gone.producer.stop())
            gone.store.close()

    async def stop(self) -> None:
        """After Faust has waited for running transactions: producers say goodbye, stores close."""
        self.close_units()
        await asyncio.gather(*self.catch_ups, return_exceptions=True)
        await asyncio.gather(*(unit.stop() for unit in self.units.values()))
        self._release(list(self.units))
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
            if unit.intake.is_open
            for topic, offset in unit.next.items()
        }

    def report_lag(self, ends: dict[TopicPartition, int]) -> None:
        """Tell Prometheus how far each open unit is behind the ends of its inputs."""
        for unit in self.units.values():
            if unit.intake.is_open:
                lags = {
                    topic: ends.get(TopicPartition(topic, unit.number), offset) - offset
                    for topic, offset in unit.next.items()
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
