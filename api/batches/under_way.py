"""What was sent of batches and has no result yet, told by how far each partition is."""

from collections.abc import Mapping
from typing import NamedTuple


class Piece(NamedTuple):
    """Requests that lie one after the other in a partition."""

    partition: int
    last: int  # offset
    requests: int


class UnderWay:
    """Requests are answered in the order in which they lie, so one number tells of all before."""

    def __init__(self) -> None:
        """Nothing is under way."""
        self._pieces: list[Piece] = []

    def add(self, partition: int, last: int, requests: int) -> None:
        """So many requests were sent, the last of them with this offset."""
        self._pieces.append(Piece(partition, last, requests))

    def count(self, answered: Mapping[int, int]) -> int:
        """Give how many requests are under way; `answered` has each partition's last offset."""
        self._pieces = [
            piece for piece in self._pieces if answered.get(piece.partition, -1) < piece.last
        ]
        return sum(piece.requests for piece in self._pieces)
