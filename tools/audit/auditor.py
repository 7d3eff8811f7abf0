"""Keeps books from published messages alone, and judges by them whatever is decided.

What goes in, in its order: each business transaction (`enter`), each result with its request
(`judge`; an applied result before the two business transactions it caused). What comes out: a
Disagreement for whatever is not as the auditor reckons it. The books then go on from what was
published, so that one fault is told once.
"""

from collections.abc import Callable, MutableMapping

from tools.audit.answers import First, Verdict, applied, differs, malformed, refused, result_differs
from tools.audit.packing import digest, pack, unpack
from tools.audit.reckoning import plus, read, state, written
from tools.audit.rules import Case, Charge, first_broken
from tools.audit.shape import Body, Fault, content, shape_faults

Book = MutableMapping[bytes, bytes]
NOT_OF_THE_FORM = (KeyError, TypeError, ValueError, AttributeError)
NAMES = {
    "account": {
        *("refId", "externalId", "currency", "state", "taxExempt", "billingInProgress", "version"),
    },
    "chargeableEvent": {
        *("refId", "account", "usageType", "kind", "eventDate", "quantity", "unitOfMeasure"),
        *("currency", "original", "tax", "glCode", "status", "billingPeriod", "invoiceRefId"),
        *("adjusted", "current", "adjustmentState", "adjustmentCount", "version"),
    },
}


class Disagreement(Exception):  # noqa: N818 - it is what an auditor states
    """Something published that is not as the auditor reckons it, in a sentence."""


class Auditor:
    """Books of accounts, charges and answers."""

    def __init__(self, book: Callable[[], Book] = dict) -> None:
        """Begin with empty books; `book` gives one."""
        self._accounts, self._charges, self._remembered = book(), book(), book()
        self._adjustments = book()
        self._due: dict[str, list[tuple[str, Body]]] = {}

    def enter(self, kind: str, image: Body) -> None:
        """Enter the next business transaction of its account."""
        try:
            fault = self._enter(kind, image)
        except NOT_OF_THE_FORM as error:
            fault = f"not of the agreed form ({error!r})"
        if fault:
            version = f", version {image['version']}" if "version" in image else ""
            raise Disagreement(f"The {kind} {image.get('refId')}{version}: {fault}.")

    def judge(
        self,
        account_ref_id: str,
        request: Body,
        result: Body,
        *,
        is_replay: bool = False,
        is_remembered: bool = True,
    ) -> None:
        """Judge the next result of an account; `account_ref_id` is the key of its record."""
        overdue = self._overdue(account_ref_id)
        try:
            faults = shape_faults(request)
            verdict = self._verdict(account_ref_id, request, faults)
            fault = result_differs(
                verdict, result, is_replay=is_replay, is_remembered=is_remembered
            )
            if is_remembered and not is_replay:
                self._book(account_ref_id, None if faults else content(request), result)
        except NOT_OF_THE_FORM as error:
            fault = f"not of the agreed form ({error!r})"
        if fault or overdue:
            name = f"Request {request.get('requestId')} of account {account_ref_id}"
            raise Disagreement(f"{name}: {fault or overdue}.")

    def outstanding(self) -> list[str]:
        """What was applied without its business transactions, a sentence each."""
        overdue = {account: self._overdue(account) for account in [*self._due]}
        return [f"Account {account}: {fault}." for account, fault in overdue.items() if fault]

    def _enter(self, kind: str, image: Body) -> str:
        account = image["refId"] if kind == "account" else image["account"]["refId"]
        due = self._due.get(account)
        if not due:
            return self._take(kind, account, image)
        expected_kind, expected = due.pop(0)
        if not due:
            del self._due[account]
        if (kind, image["refId"]) == (expected_kind, expected["refId"]):
            return differs("", expected, image)
        self._due.pop(account, None)
        self._take(kind, account, image)
        return f"{expected_kind} {expected['refId']} was to be published before it"

    def _take(self, kind: str, account: str, image: Body) -> str:
        """Take over an image that no result announced: only an upsert makes such a one."""
        last: Body | None = None
        fault = ""
        if kind == "account":
            last, self._accounts[account.encode()] = self._account(account), pack(image)
        elif kind == "chargeableEvent":
            place = f"{account}/{image['refId']}"
            known = self._charge(place)
            last = known.image if known else None
            charge = known or Charge(place, self._adjustments)
            charge.packed_image = pack(image)
            self._charges[place.encode()] = charge.pack()
            fault = _sums_differ(charge)
        else:
            return "no applied result announced it"
        return _upsert_differs(last, image, NAMES[kind]) or fault

    def _verdict(self, account: str, request: Body, faults: list[Fault]) -> Verdict:
        if faults:
            return Verdict(malformed(account, request, faults), is_remembered=False)
        asked = content(request)
        packed = self._remembered.get(f"{account}/{asked['requestId']}".encode())
        known = None if packed is None else First.unpack(packed)
        if known is not None and known.asked == digest(asked):
            return Verdict({}, first=known)
        charge = self._charge(f"{account}/{asked['chargeableEventRefId']}")
        case = Case(asked, self._account(account), charge)
        if known is not None:
            answer = refused(account, case, ("REQUEST_ID_REUSED", "requestId"))
            return Verdict(answer, is_remembered=False)
        broken = first_broken(case)
        answer = refused(account, case, broken) if broken else applied(account, case)
        return Verdict(answer)

    def _book(self, account: str, asked: Body | None, result: Body) -> None:
        """Enter what was answered, be it right or wrong."""
        if asked is not None:
            key = f"{account}/{asked['requestId']}".encode()
            if key not in self._remembered:
                self._remembered[key] = First.of(asked, result).pack()
        if result["status"] != "APPLIED":
            return
        image, adjustment = result["chargeableEvent"], result["adjustment"]
        place = f"{account}/{image['refId']}"
        charge = self._charge(place) or Charge(place, self._adjustments)
        charge.book(image, adjustment)
        self._charges[place.encode()] = charge.pack()
        self._due[account] = [("chargeableEvent", image), ("adjustment", adjustment)]

    def _account(self, ref_id: str) -> Body | None:
        packed = self._accounts.get(ref_id.encode())
        account: Body | None = None if packed is None else unpack(packed)
        return account

    def _charge(self, place: str) -> Charge | None:
        packed = self._charges.get(place.encode())
        return None if packed is None else Charge.unpack(place, packed, self._adjustments)

    def _overdue(self, account: str) -> str:
        due = self._due.pop(account, [])
        missing = " and ".join(f"{kind} {image['refId']}" for kind, image in due)
        return f"{missing} was to be published before" if missing else ""


def _upsert_differs(last: Body | None, image: Body, names: set[str]) -> str:
    """What an upsert must not have done; one that changes nothing publishes nothing."""
    version = last["version"] + 1 if last else 1
    if image.keys() != names:
        return f"its attributes differ in {sorted(image.keys() ^ names)}"
    if last and {**last, "version": version} == image:
        return "it says nothing new"
    if last and last["currency"] != image["currency"]:
        return f"its currency was {last['currency']}"
    return differs("version", version, image["version"])


def _sums_differ(charge: Charge) -> str:
    """What in a charge's last image does not follow from its books."""
    image = charge.image
    original = read(image["original"])
    current = plus(original, charge.effects)
    if min(current) < 0 or original[0] + original[1] != original[2]:
        return f"charged {original}, adjusted by {charge.effects}, cannot be"
    derived = {
        "adjusted": written(charge.effects),
        "current": written(current),
        "adjustmentState": state(charge.effects, current),
        "adjustmentCount": charge.count,
    }
    return differs("", derived, {name: image[name] for name in derived})
