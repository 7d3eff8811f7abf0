"""A simulated worker's process: it carries out the steps of the protocol, one at a time."""

from collections import deque
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from streams.delivery import owning
from streams.delivery.errors import Fatal
from streams.delivery.intake import Fetched, Flow, HandOver, Queue, Slice, moved
from streams.delivery.protocol import Place
from tests.simulation.actors import Actor, Fenced, Lost, Message, Steps, Violation, drive
from tests.simulation.units import Unit

if TYPE_CHECKING:
    from tests.simulation.world import World


class Process:
    """What a worker has in memory. A kill forgets it all; the disks stay."""

    def __init__(self, world: "World", name: str) -> None:
        self.world, self.name, self.variant = world, name, world.variant
        self.flow = Flow()
        self.units: dict[int, Unit] = {}
        self.taking: list[Unit] = []
        self.queue: deque[tuple[int, Slice]] = deque()  # Faust's, from the fetch to the agent
        self.positions: dict[Place, int] = {}  # of the consumer
        self.fetch = object()  # the one that nobody has cancelled
        self.is_fetching = self.is_frozen = self.is_stopping = self.is_dead = False
        self.generation = 0
        self.actors: list[Actor] = []
        self.catch_ups: list[Actor] = []
        self.recovery: Actor | None = None
        self.loses_commit: Any = None  # what happens to the next one
        self.carry_out = {
            owning.Shut: self._shut,
            owning.EndCatchUps: self._nothing,  # a cancelled one does nothing more
            owning.StopUnits: self._stop_units,
            owning.LetGo: self._let_go,
            owning.FenceAll: self._fence_all,
        }
        self.member = self.start("member", self._member())
        self.start("fetch", self._fetching(self.fetch))
        self.start("agent", self._agent())

    def start(self, name: str, steps: Steps) -> Actor:
        """One more thread of work."""
        actor = Actor(name, self, steps)
        self.actors.append(actor)
        self.world.turns.ready.append(actor)
        return actor

    def ask(self, name: str, call: Any) -> Message:
        """Send something to the cluster."""
        message = Message(name, self, call)
        self.world.turns.ready.append(message)
        return message

    def say(self, text: str) -> None:
        """Tell what happens."""
        if self.world.story is not None:
            self.world.say(f"{self.name} {text}")

    def end(self) -> None:
        """It is no more."""
        self.is_dead = True
        for actor in self.actors:
            actor.is_done = True

    def die(self, error: Exception, where: str) -> None:
        """It ends itself. Only what the protocol foresees may be the cause."""
        self.say(f"dies in {where}: {error}")
        if not self._is_foreseen(error):
            raise Violation("no worker dies for nothing", f"{self.name} in {where}: {error!r}")
        self.world.died(self)

    def _is_foreseen(self, error: Exception) -> bool:
        if isinstance(error, Fatal):
            return self.world.is_hanging and "stays open" in str(error)
        if isinstance(error, Lost):
            return True
        owners = self.world.coordinator.owners
        return isinstance(error, Fenced) and any(
            owners[unit.name].epoch > unit.epoch and owners[unit.name].fenced_by is not self
            for unit in self.units.values()
        )

    def _member(self) -> Steps:
        """Faust's order at a rebalance: start, revoked, (join), `on_rebalance`, recovery."""
        world, inputs = self.world, len(self.world.plan.inputs)
        while True:
            yield self._is_called
            self.flow.stop()
            self.say("hears of a rebalance")
            yield None
            self.close_units()
            if world.choices.happens(30):
                self.cancel_fetch()
            yield None
            told = yield self.ask("join", self._join)
            self.generation = told.generation
            self.positions = {(t, p): 0 for t in world.plan.inputs for p in told.numbers}
            self.say(f"is assigned {list(told.numbers)} in generation {told.generation}")
            yield None
            owned = dict.fromkeys(told.numbers, inputs)
            steps = self.variant.own(self.flow, self.units.keys(), owned, inputs)
            yield from drive(steps, self.carry_out, world.choices.pauses)
            self.catch_ups = [
                self.start(f"catch-up {unit.number}", unit.bring_up()) for unit in self.taking
            ]
            recovery = self._recovery(self.flow.take_over, self.recovery)
            self.recovery = self.start("recovery", recovery)

    def _is_called(self) -> bool:
        return self.world.group.calls(self)

    def _join(self) -> Any:
        return self.world.group.join(self)

    def _recovery(self, number: int, before: Actor | None) -> Steps:
        """Faust resumes and clears its queues twice before it says that recovery is over."""
        choices = self.world.choices
        if before is not None:
            yield lambda: before.is_done
        for _ in range(2):
            if not choices.happens(50):  # what is on its way to the agent stays
                self.queue.clear()
            yield None
            if choices.happens(20):
                yield self.world.after(choices.amount(1, 80))
        self.variant.complete(self.flow, number)

    def _wanted(self) -> dict[Place, int]:
        if not self.flow.is_flowing:
            return {}
        return {
            (topic, unit.number): offset
            for unit in self.units.values()
            for topic, offset in unit.intake.wanted().items()
        }

    def _can_fetch(self) -> bool:
        if self.is_fetching or not self.flow.is_flowing:
            return False
        logs = self.world.logs
        for number, unit in self.units.items():
            for topic, at in unit.intake.wanted().items():
                if logs[topic, number].stable > at:
                    return True
        return False

    def _fetching(self, mine: object) -> Steps:
        while mine is self.fetch:
            yield self._can_fetch
            want, take_over = self._wanted(), self.flow.take_over
            yield None
            fetched = yield from self._fetch(want)
            if mine is not self.fetch:
                return  # a cancelled one took records, and nobody gets them
            for place, found in fetched.items():
                self.say(f"fetched {place[0]}-{place[1]} [{found.start}, {found.end})")
                steps = self.variant.deliver(self.flow, place[0], found, take_over)
                delivering = _Delivering(self, place[1], mine)
                yield from drive(steps, delivering.carry_out, self.world.choices.pauses)

    def _fetch(self, want: dict[Place, int]) -> Generator[Any, Any, dict[Place, Fetched]]:
        """As the consumer's thread does it, one at a time."""
        yield lambda: not self.is_fetching
        positions = self.positions
        if any(place not in positions for place in want):
            return {}
        self.is_fetching = True
        positions.update(self.variant.misplaced(want, positions))
        yield None
        self.is_fetching = False
        got, logs, amount = {}, self.world.logs, self.world.choices.amount
        for place in want:
            log, at = logs[place], positions[place]
            if log.stable > at:
                end = positions[place] = amount(at + 1, log.stable)
                got[place] = log.committed(at, end)
        return moved(want, got, positions) if positions is self.positions else {}

    def cancel_fetch(self) -> None:
        """The loop is started anew; what it waited for goes on."""
        self.say("cancels its fetch")
        self.fetch = object()
        self.start("fetch", self._fetching(self.fetch))

    def _agent(self) -> Steps:
        queue, choices = self.queue, self.world.choices
        while True:
            yield lambda: queue
            number, part = queue.popleft()
            if choices.happens(10):  # it is in the agent's hands for a while
                yield self.world.after(choices.amount(1, 60))
            unit = self.units.get(number)
            if unit is not None:
                self.variant.receive(unit.intake, part, part)

    def close_units(self) -> None:
        """A rebalance starts."""
        self.flow.stop()
        for actor in self.catch_ups:
            actor.is_done = True
        for unit in self.units.values():
            unit.intake.close()

    def stop(self) -> Steps:
        """An orderly stop."""
        self.member.is_done = True
        steps = owning.leave(self.units.keys())
        yield from drive(steps, self.carry_out, self.world.choices.pauses)
        self.world.left(self)

    def _nothing(self, _: Any) -> None:
        return

    def _shut(self, _: Any) -> None:
        self.close_units()

    def _stop_units(self, _: Any) -> Steps:
        for unit in self.units.values():
            unit.intake.close()
        for unit in self.units.values():
            yield lambda unit=unit: not unit.is_deciding
            unit.stop()

    def _let_go(self, step: owning.LetGo) -> None:
        for number in step.numbers:
            del self.units[number]

    def _fence_all(self, step: owning.FenceAll) -> Steps:
        for number in sorted(step.numbers - self.units.keys()):
            self.units[number] = Unit(self, number)
        self.taking = list(self.units.values())
        for unit in self.taking:
            yield from unit.fence(step.take_over)


class _Delivering:
    """One fetched range on its way to its unit."""

    def __init__(self, process: Process, number: int, fetch: object) -> None:
        self.process, self.number, self.mine = process, number, fetch
        self.carry_out = {Queue: self._queue, HandOver: self._hand_over}

    def _queue(self, step: Queue) -> bool:
        process = self.process
        if self.mine is not process.fetch:
            return True
        process.queue.append((self.number, step.part))
        return False

    def _hand_over(self, step: HandOver) -> None:
        self.process.units[self.number].intake.hand_over(step.part)
