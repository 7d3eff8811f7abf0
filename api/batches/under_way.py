"""How many items of batches are under way, and how many may be.

Requests of a partition are answered in the order in which they lie, so one offset tells of all
before. A single request waits about as long as the items that were sent before it, and needs
processors too. So while there are any, one piece is under way at a time, so small that it takes
`AIM_S`, and after it none for as long. While there are none, as many as allowed.
"""

from collections.abc import Mapping
from typing import NamedTuple

AIM_S = 0.04
REST_MAX_S = 0.25  # so that what held up one piece does not hold up the next
LOST_S = 60.0  # Kafka may lose what it took with a node: then there is never a result
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
        self._rests_until_s = 0.0

    @property
    def count(self) -> int:
        """How many requests are under way, as of the last look."""
        return sum(piece.requests for piece in self._pieces)

    def together(self, *, is_alone: bool) -> int:
        """How many to send in one piece; `is_alone` if there are no single requests."""
        return max(1, self._most // 2) if is_alone else int(self._limit)

    def has_room(self, requests: int, now_s: float, *, is_alone: bool) -> bool:
        """Whether so many more may be sent."""
        is_any_awaited = any(now_s - piece.sent_s <= LOST_S for piece in self._pieces)
        return not is_any_awaited or (is_alone and self.count + requests <= self._most)

    def rest_s(self, now_s: float, *, is_alone: bool) -> float:
        """How long to send nothing although there is room."""
        return 0.0 if is_alone else max(0.0, self._rests_until_s - now_s)

    def add(self, piece: Piece) -> None:
        """Requests were sent."""
        self._pieces.append(piece)

    def look(self, answered: Mapping[int, int], now_s: float) -> None:
        """Leave out what is answered; `answered` has the last such offset of each partition."""
        ended = [piece for piece in self._pieces if answered.get(piece.partition, -1) >= piece.last]
        if not ended:
            return
        self._pieces = [piece for piece in self._pieces if piece not in ended]
        took_s = max(now_s - piece.sent_s for piece in ended)
        self._rests_until_s = now_s + min(REST_MAX_S, took_s)
        if took_s > AIM_S:
            self._limit = max(min(ITEMS_MIN, self._most), self._limit * LESS_SHARE)
        elif sum(piece.requests for piece in ended) > self._limit / 2:  # else it says little
            self._limit = min(self._most, self._limit + MORE_ITEMS)
