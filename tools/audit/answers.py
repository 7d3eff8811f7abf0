"""What an answer must say in every field, and where one that was given says something else."""

import re
from typing import NamedTuple

from tools.audit.packing import SIZE, digest, is_same
from tools.audit.reckoning import plus, read, state, written
from tools.audit.rules import Case
from tools.audit.shape import Body, Fault

FIELD_MAX = 40  # longer names of fields are told cut short; so much of them is compared
SHOWN_MAX = 100
AS_A_REPLAY = " as a replay"
BILLING_TREATMENT = {"RATED": "SAME_PERIOD", "BILLED": "NEXT_BILL"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class First(NamedTuple):
    """What is kept of an answer that is remembered."""

    asked: bytes
    result: bytes
    said: str

    @classmethod
    def of(cls, asked: Body, result: Body) -> "First":
        """Keep what tells a repeat from other contents, and the same answer from another."""
        return cls(digest(asked), digest(result), _said(result))

    @classmethod
    def unpack(cls, packed: bytes) -> "First":
        """Read it again."""
        return cls(
            packed[:SIZE],
            packed[SIZE : 2 * SIZE],
            packed[2 * SIZE :].decode(errors="surrogatepass"),
        )

    def pack(self) -> bytes:
        """Give it in few bytes."""
        return self.asked + self.result + self.said.encode(errors="surrogatepass")


class Verdict(NamedTuple):
    """What the auditor expects of an answer: this one, or a repeat of the first."""

    result: Body
    first: First | None = None
    is_remembered: bool = True


def malformed(account: str, request: Body, faults: list[Fault]) -> Body:
    """The answer to a request of the wrong form: nothing is known of its charge."""
    request_id, event = request["requestId"], request.get("chargeableEventRefId")
    is_guid = ("INVALID_FORMAT", "requestId") not in faults
    names = {
        "requestId": request_id.lower() if is_guid else request_id,
        "account": {"refId": account},
        "chargeableEventRefId": event if isinstance(event, str) else None,
    }
    return {**names, **_refusal(faults), "chargeableEvent": None, "remaining": None}


def refused(account: str, case: Case, broken: Fault) -> Body:
    """The answer to a request that breaks a rule: with the charge as it is, if there is one."""
    image = case.image if case.charge else None
    known = {"chargeableEvent": image, "remaining": image["current"] if image else None}
    return {**_names(account, case.asked), **_refusal([broken]), **known}


def applied(account: str, case: Case) -> Body:
    """The answer to a request that breaks no rule."""
    image = _adjusted_event(case)
    return {
        **_names(account, case.asked),
        "status": "APPLIED",
        "errors": [],
        "adjustment": _adjustment(account, case, image),
        "chargeableEvent": image,
        "remaining": image["current"],
    }


def result_differs(verdict: Verdict, result: Body, *, is_replay: bool, is_remembered: bool) -> str:
    """The first thing that is not as expected, or nothing."""
    first = verdict.first
    said = f"{_said(result)}{AS_A_REPLAY if is_replay else ''}"
    expected = f"{first.said}{AS_A_REPLAY}" if first else _said(verdict.result)
    if said != expected:
        return f"was {said}, but reckoned to be {expected}"
    if is_remembered != verdict.is_remembered:
        return f"{said} was {'' if is_remembered else 'not '}remembered"
    if first:
        return "" if first.result == digest(result) else f"{said} differs from the first answer"
    return _noted_differs(result) or differs("", _with_noted(verdict.result, result), result)


def differs(path: str, expected: object, found: object) -> str:
    """The first place where two JSON values differ, in words; nothing if they are the same."""
    return "" if is_same(expected, found) else _difference(path, expected, found)


def _difference(path: str, expected: object, found: object) -> str:
    if isinstance(expected, dict) and isinstance(found, dict):
        if expected.keys() != found.keys():
            whose = path or "the message"
            return f"the attributes of {whose} differ in {sorted(expected.keys() ^ found.keys())}"
        places = (
            _difference(f"{path}.{name}" if path else name, expected[name], found[name])
            for name in expected
        )
        return next(filter(None, places), "")
    if type(expected) is not type(found) or expected != found:
        return f"{path} is {_short(found)}, but reckoned to be {_short(expected)}"
    return ""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"


def _said(result: Body) -> str:
    faults = [f"{error['code']} of {error['field'][:FIELD_MAX]}" for error in result["errors"]]
    how = f" ({', '.join(faults)})" if faults else ""
    return f"{result['status']}{how}"


def _noted_differs(result: Body) -> str:
    """What is wrong with the parts that the auditor cannot reckon."""
    time, adjustment = result["requestedAt"], result["adjustment"]
    if time is not None and not TIME.fullmatch(time):
        return f"requestedAt is {time!r}"
    if adjustment is not None and adjustment["requestedAt"] != time:
        return f"adjustment.requestedAt is {adjustment['requestedAt']!r}, not {time!r}"
    for error in result["errors"]:
        if error.keys() != {"code", "field", "message"} or not error["message"]:
            return f"the error {error} does not say what is wrong"
    return ""


def _with_noted(expected: Body, result: Body) -> Body:
    """The expected answer with what only the record's headers and the engine's texts say."""
    whole = {**expected, "errors": result["errors"], "requestedAt": result["requestedAt"]}
    if expected["adjustment"] is not None:
        noted = {name: result["adjustment"][name] for name in ("channel", "batch", "requestedAt")}
        whole["adjustment"] = {**expected["adjustment"], **noted}
    return whole


def _names(account: str, asked: Body) -> Body:
    return {
        "requestId": asked["requestId"],
        "account": {"refId": account},
        "chargeableEventRefId": asked["chargeableEventRefId"],
    }


def _refusal(faults: list[Fault]) -> Body:
    errors = [{"code": code, "field": field} for code, field in faults]
    return {"status": "REFUSED", "errors": errors, "adjustment": None}


def _adjusted_event(case: Case) -> Body:
    charge = case.known_charge
    adjusted = plus(charge.effects, case.effect)
    current = plus(read(case.image["current"]), case.effect)
    return {
        **case.image,
        "adjusted": written(adjusted),
        "current": written(current),
        "adjustmentState": state(adjusted, current),
        "adjustmentCount": charge.count + 1,
        "version": case.image["version"] + 1,
    }


def _adjustment(account: str, case: Case, image: Body) -> Body:
    asked, undone = case.asked, case.undone
    return {
        **_names(account, asked),
        "refId": f"ADJ-{account}-{asked['requestId']}",
        "user": asked["user"],
        "chargeType": case.charge_type,
        "adjustmentMode": "REVERSAL" if undone else asked["adjustmentMode"],
        "taxTreatment": undone["taxTreatment"] if undone else asked["taxTreatment"],
        "currency": asked["currency"],
        "reason": asked["reason"],
        "comment": asked.get("comment"),
        "effect": written(case.effect),
        "before": case.image["current"],
        "after": image["current"],
        "eventVersion": image["version"],
        "billingTreatment": BILLING_TREATMENT[image["status"]],
        "reversalOf": undone["refId"] if undone else None,
    }
