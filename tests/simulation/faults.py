"""Faults: each of them is one that a run in the field may meet."""

from collections.abc import Callable

from streams.delivery.protocol import Mark
from tests.simulation import ledger
from tests.simulation.actors import Actor, Message
from tests.simulation.choices import Fault
from tests.simulation.coordinator import Coordinator, Owner
from tests.simulation.disk import Disk
from tests.simulation.units import COMMIT
from tests.simulation.worker import Process
from tests.simulation.world import World

HANGING = "nobody"


def plan_faults(world: World) -> None:
    """Put the faults of a run on its agenda."""
    for fault in world.choices.faults:
        _plan(world, fault)


def _plan(world: World, fault: Fault) -> None:
    name = f"w{fault.worker}"
    if fault.kind in {"disk-older", "tail-lost"}:
        copies: list[Snapshot] = []
        world.at(fault.since, lambda: copies.append(Snapshot(world, name)))
        world.at(fault.at, lambda: _put_back(world, fault, copies[0]))
        return
    world.at(fault.at, lambda: FAULTS[fault.kind](world, name, fault))


def kill(world: World, name: str, fault: Fault) -> None:
    """Kill -9. What it had asked is lost, arrives late, or arrives."""
    process = world.processes.pop(name, None)
    if process is None:
        return
    world.say(f"{name} is killed; what it had asked: {fault.fate}")
    process.end()
    for item in (*world.turns.ready, *world.turns.waiting):
        if isinstance(item, Message) and item.owner is process:
            _decide_fate(world, item, fault)
    _mend(world, fault, lambda: world.begin(name))
    _expire(world, fault, name)


def freeze(world: World, name: str, fault: Fault) -> None:
    """SIGSTOP, and later SIGCONT."""
    process = world.processes.get(name)
    if process is None:
        return
    world.say(f"{name} is frozen")
    process.is_frozen = True
    _mend(world, fault, lambda: _resume(process))
    _expire(world, fault, name)


def _resume(process: Process) -> None:
    process.is_frozen = False
    process.say("wakes up")


def lose(world: World, name: str, fault: Fault, kind: str = "") -> None:
    """One answer does not come; what was asked was done, is done late, or never."""
    process = world.processes.get(name)
    if process is None or process.is_frozen:
        return
    for actor in process.actors:
        asked = actor.waits_for
        if not actor.is_done and isinstance(asked, Message) and asked.name.startswith(kind):
            _lose(world, actor, asked, fault)
            return


def _lose(world: World, actor: Actor, asked: Message, fault: Fault) -> None:
    if actor.lose(world.turns):
        world.say(f"no answer to {actor.owner.name}: {asked.name}; it is {fault.fate}")
        if not asked.is_done:
            _decide_fate(world, asked, fault)


def lose_commit(world: World, name: str, fault: Fault) -> None:
    """As `lose`, of the next commit."""
    if process := world.processes.get(name):
        process.loses_commit = lambda: lose(world, name, fault, COMMIT)


def _decide_fate(world: World, message: Message, fault: Fault) -> None:
    if fault.fate == "lost":
        message.is_done = True
    elif fault.fate == "late":
        message.due = world.now + fault.mended_after // 3
        world.wake_at(message.due)


def cancel(world: World, name: str, _fault: Fault) -> None:
    """The loop that fetches is started anew; the consumer's thread goes on."""
    if process := world.processes.get(name):
        process.cancel_fetch()


def stop(world: World, name: str, _fault: Fault) -> None:
    """An orderly stop."""
    process = world.processes.get(name)
    if process is not None and not process.is_stopping:
        process.is_stopping = True
        world.say(f"{name} is told to stop")
        process.start("stop", process.stop())


def join(world: World, _name: str, _fault: Fault) -> None:
    """One more worker."""
    names = (f"w{number}" for number in range(len(world.processes) + 1))
    world.begin(next(name for name in names if name not in world.processes))


def _disk(world: World, name: str, fault: Fault, change: Callable[[Disk], None]) -> None:
    kill(world, name, fault)
    for (owner, number), disk in world.disks.items():
        if owner == name:
            world.say(f"{fault.kind}: unit {number} of {name}")
            change(disk)


def disk_lost(world: World, name: str, fault: Fault) -> None:
    """The folder is empty, or cannot be opened."""

    def change(disk: Disk) -> None:
        if fault.fate == "late":
            disk.damage = "it cannot be opened"
        else:
            disk.drop()

    _disk(world, name, fault, change)


def disk_foreign(world: World, name: str, fault: Fault) -> None:
    """The folder comes from another cluster."""

    def change(disk: Disk) -> None:
        mark = disk.mark or Mark("t1", 1, "")
        disk.mark = Mark(mark.take_over, mark.commit, "another")
        disk.rows = {ledger.BALANCES.encode(): {b"a%d" % n: b"999" for n in range(20)}}

    _disk(world, name, fault, change)


def time_out(world: World, _name: str, fault: Fault) -> None:
    """The coordinator ends a transaction that takes too long."""
    owner = f"{ledger.APP_ID}-{fault.worker % world.plan.partitions}"
    if owner in world.coordinator.owners:
        world.say(f"the transaction of {owner} times out")
        world.coordinator.time_out(owner)


def compact(world: World, _name: str, _fault: Fault) -> None:
    """Kafka compacts the changelogs."""
    world.say("changelogs are compacted")
    for topic in world.plan.changelogs:
        for number in range(world.plan.partitions):
            world.logs[topic, number].compact()


def hang(world: World, _name: str, fault: Fault) -> None:
    """The coordinator forgot a transaction: it stays open in a changelog until someone ends it."""
    topic = world.plan.changelogs[fault.since % len(world.plan.changelogs)]
    log = world.logs[topic, fault.worker % world.plan.partitions]
    if world.is_hanging or HANGING in log.open:
        return
    world.say(f"a transaction hangs in {log.place}")
    world.is_hanging = True
    log.open[HANGING] = [len(log.entries)]
    log.entries.append(None)

    _mend(world, fault, lambda: _end_hanging(world))


def _end_hanging(world: World) -> None:
    world.is_hanging = False
    for log in world.logs.values():
        if HANGING in log.open:
            world.say(f"an operator ends the transaction that hangs in {log.place}")
            log.mark(HANGING, 0, is_commit=False)


def _mend(world: World, fault: Fault, cure: Callable[[], None]) -> None:
    world.at(world.now + fault.mended_after, cure)


def _expire(world: World, fault: Fault, name: str) -> None:
    if fault.expires_after is not None:
        world.at(world.now + fault.expires_after, lambda: world.expire(name))


FAULTS: dict[str, Callable[[World, str, Fault], None]] = {
    "kill": kill,
    "freeze": freeze,
    "lose": lose,
    "lose-commit": lose_commit,
    "cancel": cancel,
    "stop": stop,
    "join": join,
    "disk-lost": disk_lost,
    "disk-foreign": disk_foreign,
    "time-out": time_out,
    "compact": compact,
    "hang": hang,
}


class Snapshot:
    """What was on the disks, and on the broker's, at some moment."""

    def __init__(self, world: World, name: str) -> None:
        self.disks = {place: disk.copy() for place, disk in world.disks.items() if place[0] == name}
        self.logs = {place: log.copy() for place, log in world.logs.items()}
        self.owners = {name: _copy(owner) for name, owner in world.coordinator.owners.items()}


def _put_back(world: World, fault: Fault, before: Snapshot) -> None:
    if fault.kind == "disk-older":
        name = f"w{fault.worker}"
        kill(world, name, fault)
        for place, disk in before.disks.items():
            world.say(f"the store of unit {place[1]} of {name} is an older copy")
            world.disks[place].put_back(disk)
    else:
        lose_tail(world, fault, before)


def lose_tail(world: World, fault: Fault, before: Snapshot) -> None:
    """A power cut: the broker comes back with the beginning of its logs. Nobody survives it."""
    for name in list(world.processes):
        kill(world, name, fault._replace(fate="lost"))
    world.say("the broker has lost the tail of its logs")
    world.turns.ready.clear()
    world.turns.waiting.clear()
    world.logs.update(before.logs)
    world.coordinator = Coordinator(world.logs, world.post)
    world.coordinator.owners.update(before.owners)
    world.seen.clear()
    _end_hanging(world)
    for name, owner in before.owners.items():
        is_commit = owner.state != "aborted"
        for place in sorted(owner.pending):
            world.coordinator.mark_later(name, owner, place, is_commit=is_commit)


def _copy(owner: Owner) -> Owner:
    other = Owner()
    other.epoch, other.state = owner.epoch, owner.state
    other.places, other.pending = set(owner.places), set(owner.pending)
    return other
