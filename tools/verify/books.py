"""Keeps books of requests, results and business transactions, and says where they disagree."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.verify.charges import Charges
from tools.verify.log import Log, Record
from tools.verify.placing import Placing

REQUESTS = "adjustment-requests"
RESULTS = "adjustment-results"
TRANSACTIONS = "business-transactions"
DEAD_LETTERS = "dlq-adjustment-requests"
UPSERTS = {"account": "accounts", "chargeableEvent": "chargeable-events"}
IMAGES_OF_AN_ADJUSTMENT = ["chargeableEvent", "adjustment"]
REUSED = "REQUEST_ID_REUSED"
MALFORMED = {
    *("MISSING_ATTRIBUTE", "INVALID_TYPE", "INVALID_FORMAT", "INVALID_ENUM", "UNKNOWN_ATTRIBUTE"),
    *("AMOUNT_NOT_POSITIVE", "AMOUNT_OUT_OF_RANGE", "CONFLICTING_ATTRIBUTES"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What matters of one result."""

    record: str
    offset: int
    source: str
    account: str
    request_id: str
    status: str
    codes: frozenset[str]
    is_replay: bool
    is_remembered: bool
    digest: bytes
    adjustment: str
    event: str

    @property
    def name(self) -> str:
        """Name the request as a reader of the report would look for it."""
        return f"Request {self.request_id} of account {self.account}"


@dataclass(frozen=True, slots=True)
class Image:
    """What matters of one business transaction that a request caused."""

    record: str
    kind: str
    content: str


class Books:
    """All requests with what became of them, and all charges. Nothing may be asked meanwhile."""

    def __init__(self, partitions: dict[str, int]) -> None:
        """Begin with the partition count of each topic and nothing entered."""
        self.charges = Charges()
        self.dead: Counter[str] = Counter()
        self.requests: dict[str, Record] = {}
        self.answers: list[Answer] = []
        self._placing = Placing(partitions)
        self._faults: list[str] = []
        self._images: defaultdict[str, list[Image]] = defaultdict(list)
        self._upserts: Counter[str] = Counter()

    @classmethod
    def read(cls, kafka: str | Mapping[str, str]) -> "Books":
        """Read the topics from their beginnings to their ends (an address, or client options)."""
        options = {"bootstrap.servers": kafka} if isinstance(kafka, str) else kafka
        log = open_log(options)
        return cls.of(log.records(), log.partitions)

    @classmethod
    def of(cls, records: Iterable[Record], partitions: dict[str, int]) -> "Books":
        """Keep books of these records."""
        books = cls(partitions)
        for record in records:
            books.enter(record)
        return books

    def enter(self, record: Record) -> None:
        """Enter the next record of a partition."""
        try:
            self._entries[record.topic](self, record)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self._faults.append(f"{record.address}: not of the agreed form ({error!r}).")

    def disagreements(self) -> list[str]:
        """Say all that does not fit together, a line each; nothing if the promise was kept."""
        return [line for lines in self.checks().values() for line in lines]

    def checks(self) -> dict[str, list[str]]:
        """Each part of the promise with the lines that contradict it."""
        return {
            "each message has the agreed form": self._faults,
            "each request ends once: as a result, a dead letter, or sent on": [
                *self._unbalanced_requests()
            ],
            "each result is the one of its request": [*self._foreign_answers()],
            "each requestId is decided once, repeats answer the same": [*self._broken_memory()],
            "each adjustment has its result and its chargeable event": [*self._broken_pairs()],
            "each upsert is published at most once": [*self._repeated_upserts()],
            "original plus effects is current, never below zero": [*self.charges.disagreements()],
            "seq without gap, each key in its partition": self._placing.disagreements,
        }

    def missing(self, acknowledged: Iterable[tuple[str, str]]) -> list[str]:
        """Say which of these well-formed requests (account, requestId) have no own result."""
        decided = {
            (answer.account, answer.request_id) for answer in self.answers if _is_first(answer)
        }
        return [
            f"Request {request_id} of account {account} was acknowledged and has no result."
            for account, request_id in sorted(set(acknowledged) - decided)
        ]

    def undecided(self) -> list[str]:
        """Give the addresses of the request records that nothing became of yet."""
        answered = {answer.source for answer in self.answers}
        ended = answered | self.dead.keys() | self.sent_on().keys()
        return [address for address in self.requests if address not in ended]

    def sent_on(self) -> Counter[str]:
        """Count the copies in the right partition of each request found in a wrong one."""
        copies: Counter[str] = Counter()
        for copy in self.requests.values():
            found = self.requests.get(copy.headers.get("found-at", ""))
            if found and not self._placing.is_at_home(found):
                copies[found.address] += (found.key, found.value) == (copy.key, copy.value)
        return copies

    def _enter_request(self, record: Record) -> None:
        self.requests[record.address] = record

    def _enter_dead_letter(self, record: Record) -> None:
        headers = record.headers
        names = ("dlq-topic", "dlq-partition", "dlq-offset")
        self.dead["-".join(headers[name] for name in names)] += 1

    def _enter_result(self, record: Record) -> None:
        self._placing.enter_output(record)
        result = json.loads(record.value or b"")
        answer = Answer(
            record=record.address,
            offset=record.offset,
            source=record.headers["source"],
            account=result["account"]["refId"],
            request_id=result["requestId"],
            status=result["status"],
            codes=frozenset(fault["code"] for fault in result["errors"]),
            is_replay=record.headers.get("replay") == "true",
            is_remembered=record.headers.get("remembered") != "false",
            digest=hashlib.sha256(record.value or b"").digest(),
            adjustment=_adjustment(result["adjustment"]) if result["adjustment"] else "",
            event=_event(result["chargeableEvent"]) if result["chargeableEvent"] else "",
        )
        self.answers.append(answer)
        if (answer.status == "APPLIED") != (not answer.codes and bool(answer.adjustment)):
            self._faults.append(f"{record.address}: {answer.status} with {set(answer.codes)}.")

    def _enter_transaction(self, record: Record) -> None:
        self._placing.enter_output(record)
        kind, source = record.headers["X-Ocs-Io-message-code"], record.headers["source"]
        image = json.loads(record.value or b"")
        content = ""
        if kind == "chargeableEvent":
            self.charges.enter_event(record, image)
            content = _event(image)
        elif kind == "adjustment":
            self.charges.enter_adjustment(record, image)
            content = _adjustment(image)
        if source.rsplit("-", 2)[0] == UPSERTS.get(kind):
            self._upserts[source] += 1
        else:
            self._images[source].append(Image(record.address, kind, content))

    _entries: Mapping[str, Callable[["Books", Record], None]] = {
        REQUESTS: _enter_request,
        RESULTS: _enter_result,
        TRANSACTIONS: _enter_transaction,
        DEAD_LETTERS: _enter_dead_letter,
    }

    def _unbalanced_requests(self) -> Iterator[str]:
        results = Counter(answer.source for answer in self.answers)
        sent_on = self.sent_on()
        for address in self.requests:
            ends = (results[address], self.dead[address], sent_on[address])
            if sum(ends) != 1:
                yield (
                    f"{address}: {ends[0]} results, {ends[1]} dead letters, sent on {ends[2]} "
                    "times; it must be one of them, once."
                )
        for source in sorted((results.keys() | self.dead.keys()) - self.requests.keys()):
            yield f"{source}: has a result or a dead letter, but is no request."
        ended = results.total() + self.dead.total() + sent_on.total()
        if ended != len(self.requests):
            yield (
                f"{len(self.requests)} requests, but {results.total()} results + "
                f"{self.dead.total()} dead letters + {sent_on.total()} sent on."
            )

    def _foreign_answers(self) -> Iterator[str]:
        for answer in self.answers:
            request = self.requests.get(answer.source)
            if request is None:
                continue
            asked = _request_id(request.value)
            if request.key != answer.account.encode() or asked != answer.request_id.lower():
                yield f"{answer.record}: {answer.name} is not what {answer.source} asked."

    def _broken_memory(self) -> Iterator[str]:
        first: dict[tuple[str, str], Answer] = {}
        for answer in sorted(self.answers, key=lambda one: one.offset):
            place = (answer.account, answer.request_id)
            known = first.get(place)
            if _is_first(answer):
                first.setdefault(place, answer)
                if known:
                    yield f"{answer.name} was decided twice: {known.record}, {answer.record}."
            elif answer.is_replay and (known is None or known.digest != answer.digest):
                yield f"{answer.name}: the repeat {answer.record} is not like the first result."
            elif REUSED in answer.codes and known is None:
                yield f"{answer.name}: {answer.record} calls it used, but nothing came before."
            forgettable = bool(answer.codes) and answer.codes <= MALFORMED | {REUSED}
            if answer.is_remembered == forgettable:
                yield f"{answer.name}: {answer.record} is remembered wrongly."

    def _broken_pairs(self) -> Iterator[str]:
        applied = {
            answer.source: answer
            for answer in self.answers
            if answer.status == "APPLIED" and not answer.is_replay
        }
        for source, images in self._images.items():
            if [image.kind for image in images] != IMAGES_OF_AN_ADJUSTMENT:
                kinds = ", ".join(f"{image.kind} {image.record}" for image in images)
                yield f"{source}: published {kinds}; an adjustment is one event, one adjustment."
            if source not in applied:
                yield f"{source}: has business transactions, but no applied result."
        for source, answer in applied.items():
            contents = [image.content for image in self._images.get(source, [])]
            if contents != [answer.event, answer.adjustment]:
                yield f"{answer.name}: {answer.record} tells other than its transactions."

    def _repeated_upserts(self) -> Iterator[str]:
        for source, times in self._upserts.items():
            if times > 1:
                yield f"{source}: published {times} times."


def open_log(options: Mapping[str, str]) -> Log:
    """Give the log of all topics that there are books of. Raises LookupError without them."""
    log = Log(options, [REQUESTS, RESULTS, TRANSACTIONS, DEAD_LETTERS])
    if log.absent:
        message = f"This Kafka has no topic {', '.join(log.absent)}."
        raise LookupError(message)
    return log


def _is_first(answer: Answer) -> bool:
    return answer.is_remembered and not answer.is_replay


def _request_id(value: bytes | None) -> str | None:
    try:
        return str(json.loads(value or b"")["requestId"]).lower()
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _adjustment(image: dict[str, Any]) -> str:
    names = ("refId", "requestId", "chargeableEventRefId", "effect", "before", "after")
    return repr([image[name] for name in names])


def _event(image: dict[str, Any]) -> str:
    names = ("refId", "account", "version", "adjustmentCount", "original", "adjusted", "current")
    return repr([image[name] for name in names])
