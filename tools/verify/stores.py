"""Opens the stores of the subscribers that are there, each at one moment."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
from sqlalchemy.exc import SQLAlchemyError

from tools.verify.checks import Report
from tools.verify.finance import FinanceCheck
from tools.verify.finance_store import FinanceStore
from tools.verify.held import AbsentError
from tools.verify.log import Bounds, Log, Record
from tools.verify.rows import row_of
from tools.verify.standing import Kind, Looked, Standing
from tools.verify.topics import TRANSACTIONS
from tools.verify.warehouse import WarehouseCheck
from tools.verify.warehouse_store import WarehouseStore


@dataclass
class Stores:
    """The stores that are checked, and what is said of the others."""

    checks: list[FinanceCheck | WarehouseCheck] = field(default_factory=list)
    others: list[Looked] = field(default_factory=list)

    def enter(self, record: Record) -> None:
        """Compare a business transaction with each store."""
        if not self.checks:
            return
        row = row_of(record)
        for check in self.checks:
            check.enter(record, row)

    def finish(self, bounds: Bounds) -> Iterator[Report]:
        """Say what each store was found to be, and let go of it."""
        for check in self.checks:
            yield check.finish(bounds)
            check.close()


def compare(options: Mapping[str, str], stores: Stores) -> list[Report]:
    """Compare stores with the topic as it is now. Raises KafkaException, TimeoutError."""
    log = Log(options, [TRANSACTIONS])
    for record in log.records():
        stores.enter(record)
    return list(stores.finish(log.bounds(TRANSACTIONS)))


def open_stores(home: Path, finance_url: str | None) -> Stores:
    """Read the positions and rows of all stores; the topic is to be read after that."""
    url = finance_url or f"sqlite:///{home / 'finance.db'}"
    stores = Stores()
    _open(stores, Kind.FINANCE, lambda: FinanceCheck(FinanceStore(url)))
    _open(stores, Kind.WAREHOUSE, lambda: WarehouseCheck(WarehouseStore(home / "dwh")))
    return stores


def _open(stores: Stores, kind: Kind, read: Callable[[], FinanceCheck | WarehouseCheck]) -> None:
    name = "Finance" if kind is Kind.FINANCE else "The warehouse"
    try:
        stores.checks.append(read())
    except AbsentError as absent:
        text = f"{name} is absent, and was not checked: {absent}"
        stores.others.append(Looked(kind, name, Standing.ABSENT, text=text))
    except (SQLAlchemyError, duckdb.Error, LookupError, ValueError, TypeError, OSError) as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        text = f"{name} was not read: {reason}"
        stores.others.append(Looked(kind, name, Standing.UNREADABLE, text=text))
