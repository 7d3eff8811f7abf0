"""How long a caller wants to wait, as its `Prefer` header says (RFC 7240)."""

import re
from collections.abc import Iterable

WAIT_MAX_S = 30.0

_WAIT = re.compile(r'wait\s*=\s*"?([0-9]+)"?')
_DIGITS_MAX = 9


def wait_asked(headers: Iterable[str], default_s: float) -> float:
    """Give the seconds to wait; a preference that makes no sense counts as not given."""
    preferences = [
        preference.partition(";")[0].strip().lower()
        for header in headers
        for preference in header.split(",")
    ]
    for preference in preferences:
        if asked := _WAIT.fullmatch(preference):
            digits = asked[1]
            return WAIT_MAX_S if len(digits) > _DIGITS_MAX else min(float(digits), WAIT_MAX_S)
    return 0.0 if "respond-async" in preferences else default_s
