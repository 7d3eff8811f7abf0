"""What must be true when all is quiet, judged from the logs by books of its own."""

from collections import Counter
from typing import Any

from streams.delivery.work import FOUND_AT, partition_of
from tests.simulation import ledger
from tests.simulation.actors import Violation
from tests.simulation.log import Record
from tests.simulation.world import World


def check(world: World) -> None:
    """Raises Violation."""
    world.look()
    outcomes = _outcomes(world)
    for number in range(world.plan.partitions):
        _check_outcomes(world, number, outcomes)
        _check_seq(world, number)
        books = _decide_again(world, number)
        _check_business(world, number, books)
        _check_tables(world, number, books)
        _check_owner(world, number, books)
    _check_readers(world)


class Books:
    """What an account has, and what was answered to whom."""

    def __init__(self) -> None:
        self.balances: dict[bytes, bytes] = {}
        self.answers: dict[bytes, bytes] = {}
        self.images: list[tuple[bytes, bytes]] = []


def _outcomes(world: World) -> Counter[tuple[str, str]]:
    """How often each input record came to what."""
    found: Counter[tuple[str, str]] = Counter()
    for (topic, _), log in world.logs.items():
        for record in log.committed():
            headers = _headers(record)
            if topic == ledger.RESULTS:
                found["result", headers["source"]] += 1
            elif topic == ledger.DEAD:
                parts = (headers["dlq-topic"], headers["dlq-partition"], headers["dlq-offset"])
                found["dead letter", "-".join(parts)] += 1
            elif FOUND_AT in headers:
                found[
                    "sent on", [h[1].decode() for h in record.headers if h[0] == FOUND_AT][-1]
                ] += 1
    return found


def _check_outcomes(world: World, number: int, outcomes: Counter[tuple[str, str]]) -> None:
    for topic in world.plan.inputs:
        for record in world.logs[topic, number].committed():
            wanted = _outcome_of(record, world.plan.partitions)
            came = {kind: outcomes[kind, record.source] for kind in OUTCOMES}
            if not any(came.values()):
                raise Violation("all is decided in the end", f"{record.source} came to nothing")
            if came != {kind: int(kind == wanted) for kind in OUTCOMES}:
                raise Violation("each record has one outcome", f"{record.source}: {came}")


OUTCOMES = ("result", "dead letter", "sent on")


def _outcome_of(record: Record, partitions: int) -> str:
    if partition_of(record.key, partitions) != record.partition:
        return "sent on"
    return "result" if b":" in record.value else "dead letter"


def _check_seq(world: World, number: int) -> None:
    for topic in world.plan.outputs:
        found = [int(_headers(record)["seq"]) for record in world.logs[topic, number].committed()]
        if found != list(range(1, len(found) + 1)):
            raise Violation("seq has no gap and no repeat", f"{topic}-{number}: {found}")


def _decide_again(world: World, number: int) -> Books:
    """The requests anew, in the order of their results."""
    books = Books()
    requests = {
        record.source: record
        for topic in world.plan.inputs
        for record in world.logs[topic, number].committed()
    }
    for result in world.logs[ledger.RESULTS, number].committed():
        request = requests.get(_headers(result)["source"])
        if request is None:
            raise Violation("each record has one outcome", f"{result.value!r} answers nothing")
        name, _, amount = request.value.partition(b":")
        key = request.key + b"/" + name
        expected = books.answers.get(key)
        check_name = "a repeat gets the first answer"
        if expected is None:
            check_name = "the oracle decides the same"
            before = int(books.balances.get(request.key, b"0"))
            expected, after = ledger.decide(name, before, int(amount), request.timestamp)
            books.answers[key] = expected
            if after is not None:
                books.balances[request.key] = b"%d" % after
                books.images.append((request.key, b"%d" % after))
        if result.value != expected:
            raise Violation(check_name, f"{request.source}: {result.value!r}, not {expected!r}")
    return books


def _check_business(world: World, number: int, books: Books) -> None:
    found = [(r.key, r.value) for r in world.logs[ledger.BUSINESS, number].committed()]
    if found != books.images:
        raise Violation("what subscribers read is what was applied", f"{number}: {found}")


def _check_tables(world: World, number: int, books: Books) -> None:
    for name, rows in (("balances", books.balances), ("answers", books.answers)):
        log = world.logs[world.plan.tables[name].changelog, number]
        found = {record.key: record.value for record in log.committed()}
        if found != rows:
            raise Violation("changelogs hold the state", f"{name} of {number}: {found}, not {rows}")


def _check_owner(world: World, number: int, books: Books) -> None:
    owners = [
        process.units[number]
        for process in world.processes.values()
        if number in process.units and process.units[number].intake.is_open
    ]
    if len(owners) != 1:
        raise Violation("each unit is served by one worker", f"{number} by {len(owners)}")
    for name, rows in (("balances", books.balances), ("answers", books.answers)):
        found = owners[0].disk.rows.get(name.encode(), {})
        if found != rows:
            raise Violation("the local store is the changelog", f"{name} of {number}: {found}")


def _check_readers(world: World) -> None:
    for place, seen in world.seen.items():
        if seen != world.logs[place].committed():
            raise Violation("no reader saw what went away", str(place))


def _headers(record: Record) -> dict[str, Any]:
    return {name: content.decode() for name, content in record.headers}
