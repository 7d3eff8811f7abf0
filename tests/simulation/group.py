"""The consumer group: who is a member, and which partition numbers each has."""

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.simulation.actors import BEGUN, RETRY


class Assignment(NamedTuple):
    """What a member is told when a rebalance is complete."""

    generation: int
    numbers: tuple[int, ...]


class Group:
    """Members are processes of workers; a worker is known by its name, as a static member is."""

    def __init__(self, partitions: int, rotate: Callable[[int], int]) -> None:
        self.partitions, self.rotate = partitions, rotate
        self.members: dict[str, Any] = {}
        self.joined: set[Any] = set()
        self.is_rebalancing = False
        self.generation = 0
        self.assigned: dict[Any, Assignment] = {}

    def calls(self, process: Any) -> bool:
        """Whether the next heartbeat of this process tells it to join anew."""
        if self.members.get(process.name) is not process:
            return True
        return self.is_rebalancing and process not in self.joined

    def join(self, process: Any) -> Any:
        """JoinGroup: answered once all have joined. A restarted static member gets its own back."""
        before = self.members.get(process.name)
        if before is process and not self.is_rebalancing:
            return self.assigned[process]
        if before is not None and before is not process and not self.is_rebalancing:
            self.members[process.name] = process
            self.assigned[process] = self.assigned.pop(before)
            return self.assigned[process]
        if before is process and process in self.joined:
            return RETRY
        self.members[process.name] = process
        self.joined.discard(before)
        self.joined.add(process)
        self.is_rebalancing = True
        if not self._complete():
            return BEGUN
        return self.assigned[process]

    def remove(self, name: str) -> None:
        """A session ran out, or a member left."""
        gone = self.members.pop(name, None)
        self.joined.discard(gone)
        self.assigned.pop(gone, None)
        self.is_rebalancing = bool(self.members)
        self._complete()

    def _complete(self) -> bool:
        if not self.members or self.joined != set(self.members.values()):
            return False
        self.generation += 1
        names = sorted(self.members)
        shift = self.rotate(len(names))
        for place, name in enumerate(names):
            first = (place + shift) % len(names)
            numbers = tuple(range(first, self.partitions, len(names)))
            self.assigned[self.members[name]] = Assignment(self.generation, numbers)
        self.joined.clear()
        self.is_rebalancing = False
        return True
