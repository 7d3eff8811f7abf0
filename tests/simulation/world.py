"""One simulated run: everybody takes turns, faults happen, and in the end all must be quiet."""

import heapq
from collections.abc import Callable
from functools import partial
from typing import Any

from streams.delivery.errors import Fatal
from streams.delivery.protocol import Place
from tests.simulation import ledger
from tests.simulation.actors import Message, Turns, Violation
from tests.simulation.choices import Choices, Written
from tests.simulation.coordinator import Coordinator
from tests.simulation.disk import Disk
from tests.simulation.group import Group
from tests.simulation.log import Log
from tests.simulation.variants import AS_WRITTEN, Variant
from tests.simulation.worker import Process

LOOK_STEPS = 16  # a subscriber reads on so often
STEPS_MAX = 60_000


class World:
    """The cluster, the disks, the workers, and what is still to happen."""

    def __init__(
        self, choices: Choices, variant: Variant = AS_WRITTEN, story: list[str] | None = None
    ) -> None:
        self.choices, self.variant, self.story = choices, variant, story
        self.now = 0
        partitions, workers, inputs = choices.sizes
        handler = variant.handler(lambda: self.now)
        self.plan = ledger.plan(partitions, inputs, handler)
        topics = [*self.plan.inputs, *self.plan.outputs, *self.plan.changelogs, ledger.DEAD]
        places = [(topic, number) for topic in topics for number in range(partitions)]
        self.logs = {place: Log(place) for place in places}
        self.coordinator = Coordinator(self.logs, self.post)
        self.group = Group(partitions, choices.turn)
        self.turns = Turns(choices.turn)
        self.disks: dict[Place, Disk] = {}
        self.ids = 0
        self.is_hanging = False
        self.agenda: list[tuple[int, int, Callable[[], None]]] = []
        self.processes: dict[str, Process] = {}
        self.seen: dict[Place, list[Any]] = {}  # what a subscriber has read of each output
        for written in choices.written:
            self.at(written.at, partial(self._write, written))
        for number in range(workers):
            self.begin(f"w{number}")

    def say(self, text: str) -> None:
        """Tell what happens, to whoever wants to follow the run."""
        if self.story is not None:
            self.story.append(f"{self.now:5} {text}")

    def at(self, when: int, event: Callable[[], None]) -> None:
        """Let something happen at a step."""
        self.ids += 1
        heapq.heappush(self.agenda, (when, self.ids, event))

    def after(self, steps: int) -> Callable[[], bool]:
        """Says whether so many steps have passed."""
        until = self.now + steps
        self.wake_at(until)
        return lambda: self.now >= until

    def wake_at(self, when: int) -> None:
        """Somebody waits until then."""
        self.at(when, _nothing)

    def post(self, name: str, call: Callable[[], Any]) -> None:
        """A message of the cluster to itself."""
        due = self.now + self.choices.amount(0, 60) if self.choices.happens(10) else 0
        if due:
            self.wake_at(due)
        self.turns.ready.append(Message(name, self, call, due))

    def new_id(self) -> str:
        """Of a take-over."""
        self.ids += 1
        return f"t{self.ids}"

    def disk(self, name: str, number: int) -> Disk:
        """The store of a unit in a worker's folder."""
        return self.disks.setdefault((name, number), Disk())

    def begin(self, name: str) -> None:
        """Start a worker, unless it runs."""
        if name not in self.processes:
            self.say(f"{name} starts")
            self.processes[name] = Process(self, name)

    def died(self, process: Process) -> None:
        """A supervisor starts it again."""
        process.end()
        if self.processes.get(process.name) is process:
            del self.processes[process.name]
        after = self.choices.amount(1, 60)
        self.at(self.now + after, lambda: self.begin(process.name))

    def left(self, process: Process) -> None:
        """It has stopped, and told the group."""
        process.say("has stopped")
        if self.group.members.get(process.name) is process:
            self.group.remove(process.name)
        self.died(process)

    def run(self) -> None:
        """Until all is quiet. Raises Violation."""
        try:
            while self.now < STEPS_MAX:
                self.now += 1
                if self.now % LOOK_STEPS == 0:
                    self.look()
                if self.agenda and self.agenda[0][0] <= self.now:
                    heapq.heappop(self.agenda)[2]()
                elif not self.turns.take(self.now) and not self._pass_time():
                    return
        except Fatal as error:
            raise Violation("no worker dies for nothing", str(error)) from error
        raise Violation("all is decided in the end", f"still busy after {STEPS_MAX} steps")

    def _pass_time(self) -> bool:
        """Nobody can go on: whatever waits for its time happens. False if nothing does."""
        if self.agenda:
            self.now = max(self.now, self.agenda[0][0] - 1)
            return True
        for name, process in list(self.group.members.items()):
            if process.is_dead or process.is_frozen:
                self.expire(name)
                return True
        for name, owner in self.coordinator.owners.items():
            if owner.state == "ongoing":
                self.say(f"the transaction of {name} times out")
                self.coordinator.time_out(name)
                return True
        return self._store_what_is_ahead()

    def _store_what_is_ahead(self) -> bool:
        units = [unit for process in self.processes.values() for unit in process.units.values()]
        ahead = [unit for unit in units if unit.actor and unit.known and unit.known.is_ahead]
        for unit in ahead:
            unit.is_late = True
        return bool(ahead)

    def expire(self, name: str) -> None:
        """A session runs out, if nobody keeps it."""
        process = self.group.members.get(name)
        if process is not None and (process.is_dead or process.is_frozen):
            self.say(f"the session of {name} runs out")
            self.group.remove(name)

    def look(self) -> None:
        """A subscriber reads on."""
        for topic in self.plan.outputs:
            for number in range(self.plan.partitions):
                log, seen = self.logs[topic, number], self.seen.setdefault((topic, number), [])
                at = seen[-1].offset + 1 if seen else 0
                seen += log.committed(at)

    def _write(self, written: Written) -> None:
        log = self.logs[written.topic, written.partition]
        if written.value is None:
            log.entries.append(None)
        else:
            log.add(_Input(written.key, written.value), written.timestamp)


class _Input:
    """What somebody sends."""

    headers: tuple[()] = ()

    def __init__(self, key: bytes, value: bytes) -> None:
        self.key, self.value = key, value


def _nothing() -> None:
    """Only time passes."""
