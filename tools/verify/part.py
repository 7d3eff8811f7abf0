"""Checks one partition number: nothing in it depends on another, but for records sent on."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol

from tools.verify.answers import NOT_OF_THE_FORM, Answer, decode
from tools.verify.charges import Charges
from tools.verify.conflicts import Conflicts
from tools.verify.inputs import Input
from tools.verify.invariants import Invariants
from tools.verify.judge import Judge, content_digest
from tools.verify.letters import Letters
from tools.verify.log import Bounds, Record
from tools.verify.memory import Acknowledged, Memory
from tools.verify.older import Older
from tools.verify.pairs import Pairs
from tools.verify.placing import Homes, Placing
from tools.verify.rows import seq_of
from tools.verify.sent_on import SentOn
from tools.verify.shelves import Shelves
from tools.verify.standing import Kind, Looked, Standing, UnreadableError
from tools.verify.tables import Table, Unit, answer_digest, row_digest
from tools.verify.topics import (
    ACCOUNTS,
    ANSWERS,
    EVENTS,
    INPUTS,
    PROGRESS,
    REQUESTS,
    RESULTS,
    TABLES,
    TRANSACTIONS,
    changelog_of,
    dead_letters_of,
)
from tools.verify.upserts import Upserts

STEP = 1_000  # outputs between two signs of life
UPSERTS = {"account": ACCOUNTS, "chargeableEvent": EVENTS}


class Topics(Protocol):
    """The committed records of all topics, a partition at a time."""

    def part(self, topic: str, number: int) -> Iterator[Record]:
        """Read a partition while its records are asked for."""

    def bounds(self, topic: str) -> Bounds:
        """Say where its partitions begin and end, of those that were read."""


class Units(Protocol):
    """The local stores of workers, opened by partition number."""

    others: list[Looked]  # those that are not compared

    def open(self, number: int) -> Sequence[Unit]:
        """Open those of a partition number, instead of those that are open."""


class Run:
    """What all partition numbers have in common."""

    def __init__(
        self,
        partitions: int,
        acknowledged: Acknowledged,
        image: Callable[[Record], None],
        advance: Callable[[int], object],
    ) -> None:
        """Begin with nothing found.

        `image` is given each business transaction; `advance` is told how many outputs were read.
        """
        self.invariants = Invariants()
        self.homes, self.sent_on = Homes(partitions), SentOn()
        self.units: list[Looked] = []
        self.acknowledged, self.image = acknowledged, image
        self._outputs, self._advance = 0, advance

    def count(self) -> None:
        """Count one more output."""
        self._outputs += 1
        if self._outputs % STEP == 0:
            self._advance(self._outputs)


class Part:
    """Inputs, outputs, changelogs and stores of one partition number, read side by side."""

    def __init__(self, topics: Topics, number: int, run: Run, shelves: Shelves) -> None:
        """Begin before the first record of everything but dead letters, which are read."""
        found = run.invariants
        self._topics, self._number, self._run, self._found = topics, number, run, found
        self._book = shelves.shelf
        self._upserts = Upserts(found.upserts, self._book(), self._book())
        self._judge = Judge(found.decisions, self._book)
        self._charges, self._pairs = Charges(found.sums, self._book()), Pairs(found.pairs)
        self._memory = Memory(found.remembered, found.repeats, run.acknowledged, self._book())
        self._placing = Placing(found.numbers, run.homes)
        self._conflicts = Conflicts()
        self._letters = {topic: self._letters_of(topic) for topic in INPUTS}
        self._inputs = {
            topic: Input(self._noted(topic), partial(self._ends_alone, topic)) for topic in INPUTS
        }
        self._answered = 0

    def _letters_of(self, topic: str) -> Letters:
        records = self._topics.part(dead_letters_of(topic), self._number)
        return Letters((topic, self._number), records, self._conflicts, self._found.letters)

    def check(self, workers: Units) -> None:
        """Go through all of it, in the order in which the engine decided."""
        units = workers.open(self._number)
        self._tables = {
            name: Table(name, self._number, units, self._book) for name in (*TABLES, PROGRESS)
        }
        outputs = (self._topics.part(topic, self._number) for topic in (RESULTS, TRANSACTIONS))
        for record in _in_order(*outputs):
            self._enter(record)
        self._finish()
        newest = self._read_changelogs()
        self._run.units += [self._compare(place, unit) for place, unit in enumerate(units)]
        self._check_progress(newest)
        self._found.totals["chargeable events"] += len(self._charges)

    def _compare(self, place: int, unit: Unit) -> Looked:
        """Compare a store with the changelogs, as far as it has read them."""
        try:
            compared = [table.compare(place, self._found.stores) for table in self._tables.values()]
        except UnreadableError as reason:
            text = f"Workers: {unit.name} cannot be read to its end: {reason}."
            return Looked(Kind.WORKER, unit.name, Standing.UNREADABLE, text=text)
        for each in compared:
            if each.older:
                read = partial(self._topics.part, number=self._number)
                Older(unit.name, each).judge(read, self._found.stores)
        if not (behind := sum(each.behind for each in compared)):
            return Looked(Kind.WORKER, unit.name, Standing.WHOLE)
        text = f"Workers: {unit.name} is {behind} records behind, and was compared as far as that."
        return Looked(Kind.WORKER, unit.name, Standing.BEHIND, behind, text)

    def _enter(self, record: Record) -> None:
        self._run.count()
        if record.topic == TRANSACTIONS:
            self._run.image(record)
        if not self._placing.enter(record):
            return
        enter = self._enter_result if record.topic == RESULTS else self._enter_transaction
        try:
            enter(record)
        except NOT_OF_THE_FORM as error:
            self._found.numbers.say(f"{record.address}: not of the agreed form ({error!r}).")

    def _enter_result(self, record: Record) -> None:
        self._answered += 1
        answer = Answer.read(record)
        topic, number, offset = _place(answer.source)
        if (topic, number) != (REQUESTS, self._number):
            self._found.ends.say(
                f"{record.address}: answers {answer.source}, not of its partition."
            )
            return
        self._check_headers(record, answer.request_id, 2 if answer.is_applied else 0)
        self._memory.enter(answer)
        if answer.is_applied:
            self._pairs.enter_result(answer)
        is_second = offset in self._inputs[REQUESTS].answered
        request = self._inputs[REQUESTS].take(offset)
        if request is not None:
            self._answer(answer, request)
        elif is_second:
            self._found.ends.say(f"{answer.source}: has one more result, {record.address}.")
        else:
            self._found.ends.say(f"{record.address}: answers {answer.source}, where no request is.")

    def _answer(self, answer: Answer, request: Record) -> None:
        if self._letters[REQUESTS].take(request, is_at_home=True):
            self._found.ends.say(
                f"{request.address}: has a result, {answer.record.address}, and is a dead letter."
            )
        asked = self._judge.judge(answer, request)
        request_id = answer.request_id.lower() if asked is None else asked["requestId"].lower()
        if (request.key, request_id) != (answer.account.encode(), answer.request_id.lower()):
            self._found.ends.say(
                f"{answer.record.address}: {answer.name} is not what {request.address} asked."
            )
        if asked is None or not answer.is_first or answer.may_be_forgotten:
            return
        body = answer.body
        told = (body["status"], body["chargeableEventRefId"], answer.record.value or b"")
        self._tables[ANSWERS].say(answer.key, answer_digest(content_digest(asked), *told))
        undone = body["adjustment"] and body["adjustment"]["reversalOf"]
        if undone:
            key = f"{answer.account}/{undone.removeprefix(f'ADJ-{answer.account}-')}".encode()
            self._tables[ANSWERS].say_reversed(key, body["adjustment"]["refId"])

    def _enter_transaction(self, record: Record) -> None:
        kind, source = record.headers["X-Ocs-Io-message-code"], record.headers["source"]
        image = decode(record.value or b"")
        account = image["refId"] if kind == "account" else image["account"]["refId"]
        if record.key != account.encode():
            self._found.pairs.say(f"{record.address}: its key is not its account, {account}.")
        topic, number, offset = _place(source)
        if number == self._number and UPSERTS.get(kind) == topic:
            self._check_headers(record, None, 0)
            self._enter_upsert(record, image, offset)
        elif topic == REQUESTS:
            self._check_headers(
                record, record.headers.get("requestId"), 1 if kind == "adjustment" else 0
            )
            self._pairs.enter_image(kind, record, image)
        else:
            self._found.upserts.say(f"{record.address}: a {kind} cannot follow from {source}.")
        if kind == "chargeableEvent":
            self._charges.enter_event(record, image)
        elif kind == "adjustment":
            self._charges.enter_adjustment(record, image)
        self._judge.enter(kind, record, image)
        if kind in UPSERTS:
            key = account if kind == "account" else f"{account}/{image['refId']}"
            self._tables[UPSERTS[kind]].say(key.encode(), row_digest(record.value or b""))
            self._conflicts.publish(UPSERTS[kind], image, is_upsert=topic != REQUESTS)

    def _check_headers(self, record: Record, request_id: str | None, number: int) -> None:
        for fault in _header_faults(record, request_id, number):
            self._found.numbers.say(fault)

    def _enter_upsert(self, record: Record, image: dict[str, Any], offset: int) -> None:
        topic = _place(record.headers["source"])[0]
        is_second = offset in self._inputs[topic].answered
        source = self._inputs[topic].take(offset)
        if is_second:
            self._found.upserts.say(
                f"{record.address}: {record.headers['source']} was published before already."
            )
            return
        if source is not None and self._letters[topic].take(source, is_at_home=True):
            self._found.upserts.say(
                f"{source.address}: was published as {record.address}, and is a dead letter."
            )
        if source is None and topic == EVENTS and offset >= self._begin(topic):
            self._found.upserts.say(
                f"{record.address}: follows from {topic}-{self._number}-{offset}, where nothing is."
            )
        self._upserts.publish(topic, record, image, source)

    def _noted(self, topic: str) -> Iterator[Record]:
        """Give the records of an input, noting each."""
        for record in self._topics.part(topic, self._number):
            self._upserts.note(record)
            if "found-at" in record.headers and self._run.homes.has(record):
                self._run.sent_on.copy(record)
            yield record

    def _ends_alone(self, topic: str, record: Record) -> bool:
        """Whether a record is put aside, sent on, or an upsert that says nothing new."""
        is_at_home = self._run.homes.has(record)
        letters = self._letters[topic]
        letters.have_expired = self._begin(dead_letters_of(topic)) > 0
        if letters.take(record, is_at_home=is_at_home):
            return True
        if record.key is not None and not is_at_home and "found-at" not in record.headers:
            self._run.sent_on.stray(record, self._run.homes.of(record.key))
            return True
        return topic != REQUESTS and self._upserts.says_nothing_new(record)

    def _begin(self, topic: str) -> int:
        return self._topics.bounds(topic).begins.get(self._number, 0)

    def _finish(self) -> None:
        found = self._found
        for topic, input_ in self._inputs.items():
            undecided = 0
            for record in input_.rest():
                undecided += 1
                found.undecided.say(f"{record.address}: nothing came of it yet.")
            missed, more = input_.missed()
            check, what = (found.ends, "result") if topic == REQUESTS else (found.upserts, "image")
            for record in missed:
                check.say(
                    f"{record.address}: has no {what}, is no dead letter, and was not sent on."
                )
            check.disagreements += more
            self._count(topic, input_.count, undecided)
            if topic != ACCOUNTS:
                self._letters[topic].strays(self._begin(topic))
        self._upserts.finish()
        self._pairs.finish()
        self._charges.finish()
        self._judge.finish()
        found.unjudged += self._judge.unjudged

    def _count(self, topic: str, count: int, undecided: int) -> None:
        found = self._found
        found.undecided.rows += count
        found.letters.rows += self._letters[topic].count
        if topic != REQUESTS:
            return
        found.totals["requests"] += count
        found.totals["results"] += self._answered
        found.totals["dead letters"] += self._letters[topic].count
        found.totals["sent on"] += self._run.sent_on.of(topic, self._number)
        found.ends.rows += count
        found.balance.rows += count
        dead, sent_on = self._letters[topic].count, self._run.sent_on.of(topic, self._number)
        if count != self._answered + dead + sent_on + undecided:
            found.balance.say(
                f"{topic}-{self._number}: {count} requests, but {self._answered} results, {dead} "
                f"dead letters and {sent_on} sent on; {undecided} are not decided yet."
            )

    def _read_changelogs(self) -> dict[str, Any] | None:
        newest = None
        for name, table in self._tables.items():
            for record in self._topics.part(changelog_of(name), self._number):
                table.hold(record)
                newest = record if name == PROGRESS else None
            if name != PROGRESS:
                table.finish(self._found.tables)
        return None if newest is None else json.loads(newest.value or b"{}")

    def _check_progress(self, progress: dict[str, Any] | None) -> None:
        """The row that says how far a partition number is agrees with its outputs."""
        self._found.tables.rows += 1
        row = progress or {}
        for topic, last in self._placing.last.items():
            if (said := row.get("seq", {}).get(topic, 0)) != last:
                self._found.tables.say(
                    f"{changelog_of(PROGRESS)}-{self._number}: says that {topic} has {said} "
                    f"records, but the last is number {last}."
                )


def _in_order(results: Iterator[Record], transactions: Iterator[Record]) -> Iterator[Record]:
    """A result was decided after the transaction that it names, and before the next one."""
    result = next(results, None)
    for transaction in transactions:
        seq = seq_of(transaction)
        while result is not None and (seq is None or _state_seq(result) < seq):
            yield result
            result = next(results, None)
        yield transaction
    if result is not None:
        yield result
    yield from results


def _state_seq(result: Record) -> int:
    seq = result.headers.get("state-seq", "")
    return int(seq) if seq.isdecimal() else -1


def _place(source: str) -> tuple[str, int, int]:
    topic, number, offset = source.rsplit("-", 2)
    return topic, int(number), int(offset)


def _header_faults(record: Record, request_id: str | None, number: int) -> Iterator[str]:
    """Say where headers do not agree with the record, or with each other."""
    headers = record.headers
    source = headers["source"]
    expected = {"requestId": request_id, "ce_id": f"{source}-{number}"}
    if record.topic == TRANSACTIONS:
        expected["X-Ocs-Io-transaction-id"] = request_id or source
    for name, content in expected.items():
        if headers.get(name) != content:
            yield f"{record.address}: header {name} is {headers.get(name)}, must be {content}."
