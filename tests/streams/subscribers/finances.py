"""Finance's database, and a look into it."""

from typing import Any

import sqlalchemy as sql

from streams.subscribers.finance.gl_accounts import GlAccounts
from streams.subscribers.finance.store import FinanceStore

ACCOUNTS = GlAccounts(receivable="1200", tax_payable="2200", tax_payable_by_code={"VAT21": "2221"})
CREDIT = (-826446, -173554, -1000000)


class Finance:
    """A store and a look into its database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = sql.create_engine(url)

    def store(self, lease_s: float = 60.0) -> FinanceStore:
        return FinanceStore(self.url, ACCOUNTS, lease_s)

    def opened(self) -> FinanceStore:
        store = self.store()
        store.open()
        return store

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def execute(self, statement: str) -> None:
        with self._engine.begin() as connection:
            connection.exec_driver_sql(statement)

    def close(self) -> None:
        self._engine.dispose()
