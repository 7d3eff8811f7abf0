"""The rows of one account in memory: what the tables are to `decide`, as plain dictionaries."""

import json
from typing import Any

import msgspec

from schemas.account import Account
from schemas.adjustment import Adjustment
from schemas.chargeable_event import ChargeableEvent
from schemas.reading import MalformedRequest, Unreadable, read_request
from streams.domain.decide import content_of, decide, refuse_malformed
from streams.domain.state import Answer, State
from streams.domain.upserts import Conflict, upsert_account, upsert_chargeable_event
from tests.builders import account_upsert, as_bytes, noted, rated_event
from tools.audit.auditor import Auditor

Body = dict[str, Any]


class Ledger:
    """Decides step by step, and has an auditor look at all that would be published."""

    def __init__(self) -> None:
        self.auditor = Auditor()
        self.codes: set[str] = set()
        self._account: Account | None = None
        self._events: dict[str, ChargeableEvent] = {}
        self._answers: dict[str, tuple[bytes, Body]] = {}
        self._adjustments: dict[str, Adjustment] = {}
        self._reversed_by: dict[str, str] = {}

    def take(self, kind: str, body: Body) -> None:
        """Take a step; raises Disagreement where the auditor reckons otherwise."""
        {"account": self._upsert_account, "event": self._upsert_event, "request": self._ask}[kind](
            body
        )

    def _upsert_account(self, body: Body) -> None:
        row = upsert_account(self._account, account_upsert(**body))
        if isinstance(row, Account):
            self._account = row
            self.auditor.enter("account", _written(row))

    def _upsert_event(self, body: Body) -> None:
        row = upsert_chargeable_event(self._events.get(body["refId"]), rated_event(**body))
        if row is not None and not isinstance(row, Conflict):
            self._events[row.ref_id] = row
            self.auditor.enter("chargeableEvent", _written(row))

    def _ask(self, body: Body) -> None:
        request = read_request(as_bytes(body))
        assert not isinstance(request, Unreadable)
        if isinstance(request, MalformedRequest):
            result = _written(refuse_malformed(request, noted()))
            self._judge(body, result, is_remembered=False)
            return
        first = self._answers.get(request.request_id)
        undone = request.reversal_of or ""
        state = State(
            account=self._account,
            chargeable_event=self._events.get(request.chargeable_event_ref_id),
            answer=Answer(first[0]) if first else None,
            adjustment=self._adjustments.get(undone),
            reversed_by=self._reversed_by.get(undone),
        )
        decision = decide(state, request, noted())
        assert decision == decide(state, request, noted()), "it decides otherwise a second time"
        if decision.result is None:
            assert first is not None
            self._judge(body, first[1], is_replay=True)
            return
        result = _written(decision.result)
        self._judge(body, result, is_remembered=decision.is_remembered)
        if decision.is_remembered:
            self._answers[request.request_id] = content_of(request), result
        if decision.adjustment is not None and decision.chargeable_event is not None:
            self._apply(decision.chargeable_event, decision.adjustment)

    def _apply(self, event: ChargeableEvent, adjustment: Adjustment) -> None:
        self._events[event.ref_id] = event
        self._adjustments[adjustment.ref_id] = adjustment
        if adjustment.reversal_of is not None:
            self._reversed_by[adjustment.reversal_of] = adjustment.ref_id
        self.auditor.enter("chargeableEvent", _written(event))
        self.auditor.enter("adjustment", _written(adjustment))

    def _judge(self, body: Body, result: Body, **marks: bool) -> None:
        self.codes |= {fault["code"] for fault in result["errors"]} or {result["status"]}
        self.auditor.judge("ACC-1001", body, result, **marks)


def _written(message: msgspec.Struct) -> Body:
    written: Body = json.loads(msgspec.json.encode(message))
    return written
