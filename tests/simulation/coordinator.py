"""Who may write under a transactional id, and how its transactions end."""

from collections.abc import Callable, Iterable
from typing import Any

from streams.delivery.protocol import Place
from tests.simulation.actors import BEGUN, RETRY, Fenced
from tests.simulation.log import Log

EMPTY, ONGOING, COMMITTED, ABORTED = "empty", "ongoing", "committed", "aborted"


class Owner:
    """What the coordinator knows of one transactional id."""

    __slots__ = ("epoch", "fenced_by", "pending", "places", "state")

    def __init__(self) -> None:
        self.epoch = 0
        self.state = EMPTY
        self.places: set[Place] = set()
        self.pending: set[Place] = set()  # where the marker is not written yet
        self.fenced_by: Any = None


class Coordinator:
    """As Kafka's, in the first version of its protocol: the epoch is not raised by a commit.

    `post` sends a marker on its way: each is written at a moment of its own.
    """

    def __init__(
        self, logs: dict[Place, Log], post: Callable[[str, Callable[[], Any]], None]
    ) -> None:
        self.logs, self.post = logs, post
        self.owners: dict[str, Owner] = {}

    def owner(self, name: str) -> Owner:
        """Known from its first call on."""
        found = self.owners.get(name)
        if found is None:
            found = self.owners[name] = Owner()
        return found

    def fence(self, name: str, caller: Any) -> Any:
        """InitProducerId: ends what is open, waits for what is prepared, raises the epoch."""
        owner = self.owner(name)
        if owner.state is ONGOING:
            owner.epoch += 1
            owner.fenced_by = caller
            self._end(name, owner, is_commit=False)
            return BEGUN
        if owner.pending:
            return RETRY
        owner.epoch += 1
        owner.fenced_by = caller
        owner.state = EMPTY
        return owner.epoch

    def add(self, name: str, epoch: int, places: Iterable[Place]) -> Any:
        """AddPartitionsToTxn: begins a transaction, once the one before it has all its markers."""
        owner = self._check(name, epoch)
        if owner.pending:
            return RETRY
        if owner.state is not ONGOING:
            owner.places.clear()
        owner.state = ONGOING
        owner.places.update(places)
        return None

    def write(self, name: str, epoch: int, place: Place, records: Any, now: int) -> int:
        """Produce. A broker asks the coordinator about a producer with nothing open there."""
        log = self.logs[place]
        if name not in log.open:
            owner = self._check(name, epoch)
            if owner.state is not ONGOING or place not in owner.places:
                raise Fenced(f"{name} has no transaction at {place}")
        return log.write(name, epoch, records, now)

    def end(self, name: str, epoch: int, *, is_commit: bool) -> None:
        """EndTxn. It is done once decided; the markers follow."""
        owner = self._check(name, epoch)
        if owner.state is ONGOING:
            self._end(name, owner, is_commit=is_commit)
        elif owner.state is not (COMMITTED if is_commit else ABORTED):
            raise Fenced(f"{name} has no transaction to end")

    def time_out(self, name: str) -> None:
        """Nobody ended it in time."""
        owner = self.owners[name]
        if owner.state is ONGOING:
            owner.epoch += 1
            owner.fenced_by = None
            self._end(name, owner, is_commit=False)

    def _check(self, name: str, epoch: int) -> Owner:
        owner = self.owner(name)
        if owner.epoch != epoch:
            raise Fenced(f"epoch {epoch} of {name}, it is at {owner.epoch}")
        return owner

    def _end(self, name: str, owner: Owner, *, is_commit: bool) -> None:
        owner.state = COMMITTED if is_commit else ABORTED
        owner.pending = set(owner.places)
        for place in sorted(owner.places):
            self.mark_later(name, owner, place, is_commit=is_commit)

    def mark_later(self, name: str, owner: Owner, place: Place, *, is_commit: bool) -> None:
        """Send the marker of one partition on its way."""
        epoch = owner.epoch

        def write() -> None:
            self.logs[place].mark(name, epoch, is_commit=is_commit)
            owner.pending.discard(place)

        self.post(f"{owner.state} marker of {name} at {place[0]}", write)
