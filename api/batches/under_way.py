"""How many items of batches are under way, and how many may be.

Requests of a partition are answered in the order in which they lie, so one offset tells of all
before. A single request waits about as long as the items that were sent before it: while there are
any, so few are under way that items take `AIM_S` each, and then none for as long, since single
requests need processors too. While there are none, as many as allowed.
"""

from collections.abc import Mapping
from typing import NamedTuple

AIM_S = 0.04
REST_MAX_S = 0.25  # so that one piece that Kafka or a take-over held up does not do so to the next
ITEMS_MIN = 100  # ten milliseconds' work of the engine, and again of REST
MORE_ITEMS, LESS_SHARE = 10, 0.8  # as TCP does: a little more while it is quick, else much less


class Piece(NamedTuple):
    """Requests that lie one after the other in a partition."""

    partition: int
    last: int  # offset
    requests: int
    sent_s: float


class UnderWay:
    """What was sent and has no result yet. Times are seconds of one clock."""

    def __init__(self, most: int) -> None:
        """Nothing is under way; never more than `most` will be."""
        self._most = most
        self._limit = float(min(ITEMS_MIN, most))
        self._pieces: list[Piece] = []
        self._took_s = 0.0

    @property
    def count(self) -> int:
        """How many requests are under way, as of the last look."""
        return sum(piece.requests for piece in self._pieces)

    def limit(self, *, is_alone: bool) -> int:
        """How many may be under way; `is_alone` if there are no single requests."""
        return self._most if is_alone else int(self._limit)

    def rest_s(self, *, is_alone: bool) -> float:
        """How long to send nothing once there is room: half of the time is single requests'."""
        return 0.0 if is_alone else min(REST_MAX_S, self._took_s)

    def add(self, piece: Piece) -> None:
        """Requests were sent."""
        self._pieces.append(piece)

    def look(self, answered: Mapping[int, int], now_s: float) -> None:
        """Leave out what is answered; `answered` has the last such offset of each partition."""
        ended = [piece for piece in self._pieces if answered.get(piece.partition, -1) >= piece.last]
        if not ended:
            return
        self._pieces = [piece for piece in self._pieces if piece not in ended]
        self._took_s = max(now_s - piece.sent_s for piece in ended)
        if self._took_s > AIM_S:
            self._limit = max(min(ITEMS_MIN, self._most), self._limit * LESS_SHARE)
        else:
            self._limit = min(self._most, self._limit + MORE_ITEMS)
