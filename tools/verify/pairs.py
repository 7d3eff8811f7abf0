"""Proves that an adjustment, its chargeable event and its applied result always come together."""

from dataclasses import dataclass, field
from typing import Any

from tools.verify.answers import Answer
from tools.verify.checks import Check
from tools.verify.log import Record

WAITING_MAX = 10_000  # requests of which a part is missing; what is missing longer is told
KINDS = ("chargeableEvent", "adjustment")


@dataclass
class _Applied:
    """What was met so far of one applied request."""

    answer: Answer | None = None
    images: list[tuple[str, Record, Any]] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return self.answer is not None and len(self.images) >= len(KINDS)


class Pairs:
    """Applied requests, until result and both images of each were met."""

    def __init__(self, check: Check) -> None:
        """Begin with none."""
        self._check = check
        self._waiting: dict[str, _Applied] = {}
        self._last = ""

    def enter_result(self, answer: Answer) -> None:
        """Enter an applied result."""
        self._check.rows += 1
        applied = self._waiting.setdefault(answer.source, _Applied())
        if applied.answer is None:
            applied.answer = answer
        self._settle(answer.source, applied)

    def enter_image(self, kind: str, record: Record, image: Any) -> None:
        """Enter a business transaction that a request caused."""
        source = record.headers["source"]
        if source == self._last and source not in self._waiting:
            self._check.say(
                f"{record.address}: is one more of {source}; an adjustment is one event and one "
                "adjustment."
            )
            return
        applied = self._waiting.setdefault(source, _Applied())
        applied.images.append((kind, record, image))
        self._settle(source, applied)

    def finish(self) -> None:
        """Say what stayed alone."""
        for source, applied in self._waiting.items():
            self._tell(source, applied)
        self._waiting.clear()

    def _settle(self, source: str, applied: _Applied) -> None:
        if applied.is_whole:
            del self._waiting[source]
            self._last = source
            self._tell(source, applied)
        elif len(self._waiting) > WAITING_MAX:
            oldest = next(iter(self._waiting))
            self._tell(oldest, self._waiting.pop(oldest))

    def _tell(self, source: str, applied: _Applied) -> None:
        kinds = [kind for kind, _, _ in applied.images]
        if applied.answer is None:
            where = ", ".join(record.address for _, record, _ in applied.images)
            self._check.say(f"{source}: published {where}, but has no applied result.")
        elif kinds != [*KINDS]:
            found = ", ".join(f"{kind} {record.address}" for kind, record, _ in applied.images)
            self._check.say(
                f"{applied.answer.name}: {applied.answer.record.address} is applied, and published "
                f"{found or 'nothing'}; an adjustment is one event, then one adjustment."
            )
        else:
            body = applied.answer.body
            for kind, record, image in applied.images:
                if body[kind] != image:
                    self._check.say(
                        f"{applied.answer.name}: {applied.answer.record.address} tells another "
                        f"{kind} than {record.address}."
                    )
