"""Disk full, database away, no database at all: said, and nothing is lost."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sql

from streams.subscribers.errors import StoreError
from tests.postgres import PostgresServer
from tests.streams.subscribers.finances import Finance
from tests.streams.subscribers.topic import Partition, batch_of


def test_a_full_disk_is_said_and_costs_nothing(tmp_path: Path) -> None:
    finance = Finance(f"sqlite:///{tmp_path / 'finance.db'}")
    store, partition = finance.opened(), Partition()
    sql.event.listen(store._engine, "connect", _limit_pages)
    store.open()
    for version in range(1, 200):
        partition.publish("account", refId=f"ACC-{version}", externalId="x" * 60)

    with pytest.raises(StoreError, match="full"):
        store.keep(batch_of(*partition.records))

    sql.event.remove(store._engine, "connect", _limit_pages)
    assert store.open() == {}
    store.keep(batch_of(*partition.records))
    assert finance.rows("SELECT count(*) FROM account") == [(199,)]
    store.close()
    finance.close()


def test_a_file_that_is_no_database_is_said_and_left(tmp_path: Path) -> None:
    file = tmp_path / "finance.db"
    store = Finance(f"sqlite:///{file}").store()
    for content in (b"no database" * 1000, b"SQLite format 3\0" + bytes(5000)):
        file.write_bytes(content)
        with pytest.raises(StoreError, match="Finance's database cannot be used"):
            store.open()
        assert file.read_bytes() == content
    store.close()


def test_a_database_that_is_away_is_used_again_when_it_is_back(
    postgres: PostgresServer,
) -> None:
    with postgres.fresh_database() as url:
        finance, partition = Finance(url), Partition()
        store, name = finance.opened(), sql.make_url(url).database
        partition.publish("account")
        partition.publish("account", version=2)
        store.keep(batch_of(partition.records[0]))
        postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'adjust%'"
        )
        for _ in range(2):
            with pytest.raises(StoreError, match="Finance's database cannot be used"):
                store.keep(batch_of(partition.records[1]))
        with pytest.raises(StoreError):
            store.open()
        postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

        assert store.open()[0].following == 1
        store.keep(batch_of(partition.records[1]))
        assert finance.rows("SELECT version FROM account") == [(2,)]
        store.close()
        finance.close()


def _limit_pages(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA max_page_count = 1")  # which means: not larger than now
