"""Judges rows of a store that is behind, whose records in the changelog compaction took meanwhile.

Such a row is one that was published at some time, and none that the changelog says only after the
offset that the store reaches: then the store would be ahead of what it says of itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tools.verify.answers import decode
from tools.verify.checks import Check
from tools.verify.log import Record
from tools.verify.tables import Compared, told_digest
from tools.verify.topics import ACCOUNTS, EVENTS, TRANSACTIONS, changelog_of

_KINDS = {"account": ACCOUNTS, "chargeableEvent": EVENTS}
Read = Callable[[str], Iterator[Record]]  # all records of a topic


@dataclass(frozen=True)
class Older:
    """The rows of one table of one store that the changelog has newer records of only."""

    store: str
    compared: Compared

    def judge(self, read: Read, check: Check) -> None:
        """Read once more what could prove them; there are none in most runs."""
        table, left = self.compared.table, dict(self.compared.older)
        for record in read(changelog_of(table)):
            if self._is_of(left, record.key, record.value):
                self._say(check, record.key, f"is what {record.address} says, which is newer")
                del left[record.key or b""]
        if table not in _KINDS.values():
            return
        for record in read(TRANSACTIONS) if left else ():
            key = _key_of(table, record)
            if self._is_of(left, key, record.value):
                del left[key or b""]
        for key in left:
            self._say(check, key, "is nothing that was ever published")

    def _is_of(self, rows: dict[bytes, bytes], key: bytes | None, value: bytes | None) -> bool:
        row = rows.get(key or b"")
        is_there = row is not None and value is not None
        return is_there and row == told_digest(self.compared.table, value or b"")

    def _say(self, check: Check, key: bytes | None, what: str) -> None:
        name = (key or b"").decode(errors="replace")
        check.say(f"{self.store}, row {name} of {self.compared.table}: {what}.")


def _key_of(table: str, record: Record) -> bytes | None:
    """Give the key of the row that an image became; its end is the subject of the record."""
    if _KINDS.get(record.headers.get("X-Ocs-Io-message-code", "")) != table:
        return None
    if table == ACCOUNTS:
        return record.key
    subject = decode(record.value or b"")["refId"]
    return (record.key or b"") + f"/{subject}".encode()
