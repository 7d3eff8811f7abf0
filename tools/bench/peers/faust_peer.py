"""A peer: Faust as its documentation has it, one agent an input, tables on RocksDB.

At least once: what it promises is less than what the engine does, and so is what it writes: values
without headers.
"""

import argparse
import sys
from typing import Any

import faust

from tools.bench.peers.deciding import (
    ACCOUNTS,
    ANSWERS,
    DEAD_LETTERS,
    EVENTS,
    INPUTS,
    RESULTS,
    TRANSACTIONS,
    handle,
)


class _Rows:
    """The rows of one account."""

    def __init__(self, tables: dict[str, Any], account: str) -> None:
        self._tables, self._account = tables, account

    def get(self, table: str, key: str) -> bytes | None:
        """One of them."""
        row: bytes | None = self._tables[table].get(f"{self._account}/{key}")
        return row

    def put(self, table: str, key: str, row: bytes) -> None:
        """Keep one."""
        self._tables[table][f"{self._account}/{key}"] = row


def build_app(bootstrap: str, folder: str, prefix: str, partitions: int) -> faust.App:
    """Three inputs, three tables, three agents."""
    app = faust.App(
        f"{prefix}app",
        broker=f"kafka://{bootstrap}",
        store="rocksdb://",
        datadir=folder,
        topic_partitions=partitions,
        broker_session_timeout=6,
        broker_heartbeat_interval=1.2,
        consumer_group_instance_id=f"{prefix}1",
        web_enabled=False,
        topic_disable_leader=True,
        key_serializer="raw",
        value_serializer="raw",
    )
    tables = {
        name: app.Table(name, key_type=str, value_type=bytes)
        for name in (ACCOUNTS, EVENTS, ANSWERS)
    }
    written = (RESULTS, TRANSACTIONS, *(DEAD_LETTERS + name for name in INPUTS))
    outputs = {name: app.topic(prefix + name) for name in written}
    for name in INPUTS:
        app.agent(app.topic(prefix + name), name=f"take-{name}")(_taking(name, tables, outputs))

    app.on_rebalance_complete.connect(_say_ready)
    return app


async def _say_ready(_app: Any, /, *_: Any, **_more: Any) -> None:
    sys.stdout.write("peer ready\n")
    sys.stdout.flush()


def _taking(name: str, tables: dict[str, Any], outputs: dict[str, Any]) -> Any:
    async def take(stream: Any) -> None:
        async for event in stream.events():
            key, at_ms = event.key.decode(), round(event.message.timestamp * 1000)
            for topic, value in handle(_Rows(tables, key), name, key, event.value, at_ms):
                await outputs[topic].send(key=event.key, value=value)

    return take


def main() -> None:
    """Run until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("bootstrap", "folder", "prefix"):
        parser.add_argument(name)
    parser.add_argument("partitions", type=int)
    app = build_app(**vars(parser.parse_args()))
    worker = faust.Worker(app, loglevel="warning", redirect_stdouts=False)
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
