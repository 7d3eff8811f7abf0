"""Puts the records of a run in order, has each judged, and counts what was decided."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tools.audit.auditor import Auditor, Disagreement
from tools.audit.rules import RULES
from tools.audit.shape import CODES, Body
from tools.verify.log import Record
from tools.verify.topics import REQUESTS, RESULTS, TRANSACTIONS


@dataclass
class Report:
    """What was decided in a run, and what the auditor found wrong with it."""

    requests: int = 0
    applied: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    replays: int = 0
    disagreements: list[str] = field(default_factory=list)

    @property
    def unseen(self) -> list[str]:
        """The refusals that did not occur, so that nothing is known of them."""
        return [code for code in (*CODES, *RULES) if code not in self.refused]

    def note(self, result: Body, *, is_replay: bool) -> None:
        """Count one result."""
        if is_replay:
            self.replays += 1
            return
        adjustment = result["adjustment"]
        if adjustment is not None:
            self.applied[adjustment["adjustmentMode"], adjustment["taxTreatment"]] += 1
        self.refused.update({error["code"] for error in result["errors"]})


def judge_all(records: Iterable[Record]) -> Report:
    """Judge all records of a run."""
    report, auditor = Report(), Auditor()
    requests: dict[str, Record] = {}
    outputs: defaultdict[int, list[Record]] = defaultdict(list)
    for record in records:
        if record.topic == REQUESTS:
            requests[record.address] = record
        else:
            outputs[record.partition].append(record)
    report.requests = len(requests)
    unanswered = dict(requests)
    for partition in outputs.values():
        for record in sorted(partition, key=_place):
            if record.topic == RESULTS:
                unanswered.pop(record.headers["source"], None)
            report.disagreements += _judge(record, requests, auditor, report)
    report.disagreements += auditor.outstanding()
    report.disagreements += [f"The request {address} has no result." for address in unanswered]
    return report


def _place(record: Record) -> tuple[int, int, int]:
    """A result was decided after the transaction that it names and before the next one."""
    seq = int(record.headers["seq"])
    return (seq, 0, 0) if record.topic == TRANSACTIONS else (_state_seq(record), 1, seq)


def _state_seq(record: Record) -> int:
    return int(record.headers["state-seq"])


def _judge(
    record: Record, requests: dict[str, Record], auditor: Auditor, report: Report
) -> Iterator[str]:
    """Judge one output; say what is wrong with it."""
    message, headers = json.loads(record.value or b""), record.headers
    try:
        if record.topic == TRANSACTIONS:
            auditor.enter(headers["X-Ocs-Io-message-code"], message)
            return
        is_replay = headers.get("replay") == "true"
        report.note(message, is_replay=is_replay)
        request = requests.get(headers["source"])
        if request is None:
            yield f"{record.address}: no request of this run stands at {headers['source']}."
            return
        auditor.judge(
            (request.key or b"").decode(),
            json.loads(request.value or b""),
            message,
            is_replay=is_replay,
            is_remembered=headers.get("remembered") != "false",
        )
    except Disagreement as disagreement:
        yield f"{disagreement} ({record.address})"
