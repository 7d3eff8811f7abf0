"""A peer: Quix Streams, exactly-once; run by the Python of an environment that has it.

usage: python -m tools.bench.peers.quix_peer bootstrap folder prefix partitions
"""

import argparse
import sys
from collections.abc import Iterator
from functools import cache, reduce
from typing import Any

from quixstreams import Application, State, message_context

from tools.bench.peers.deciding import DEAD_LETTERS, INPUTS, RESULTS, TRANSACTIONS, Output, handle


class _Rows:
    """The rows of one account: Quix Streams keeps them apart by the record's key."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, table: str, key: str) -> bytes | None:
        """One of them."""
        row: bytes | None = self._state.get_bytes(f"{table}/{key}")
        return row

    def put(self, table: str, key: str, row: bytes) -> None:
        """Keep one."""
        self._state.set_bytes(f"{table}/{key}", row)


def build_app(bootstrap: str, folder: str, prefix: str) -> Application:
    """One stream of the three inputs, with one state."""
    app = Application(
        bootstrap,
        consumer_group=f"{prefix}app",
        processing_guarantee="exactly-once",
        auto_offset_reset="earliest",
        commit_interval=1.0,
        consumer_poll_timeout=0.05,  # it is waited whole whenever the buffers run empty
        state_dir=folder,
        loglevel="WARNING",
        consumer_extra_config={
            "group.instance.id": f"{prefix}1",
            "session.timeout.ms": 6000,
            "heartbeat.interval.ms": 1200,
        },
    )
    written = (RESULTS, TRANSACTIONS, *(DEAD_LETTERS + name for name in INPUTS))
    outputs = {name: _topic(app, prefix + name) for name in written}
    inputs = (app.dataframe(_topic(app, prefix + name)) for name in INPUTS)
    stream = reduce(lambda one, other: one.concat(other), inputs)

    def take(value: bytes, key: bytes, at_ms: int, _headers: Any, state: State) -> Iterator[Output]:
        _say_ready()
        topic = message_context().topic.removeprefix(prefix)
        return iter(handle(_Rows(state), topic, key.decode(), value, at_ms))

    decided = stream.apply(take, stateful=True, expand=True, metadata=True)
    for name in written:
        own = decided[decided.apply(lambda output, name=name: output[0] == name)]
        own.apply(lambda output: output[1]).to_topic(outputs[name])
    return app


@cache
def _say_ready() -> None:
    """At the first record, since nothing tells of an assignment."""
    sys.stdout.write("peer ready\n")
    sys.stdout.flush()


def _topic(app: Application, name: str) -> Any:
    return app.topic(
        name,
        key_serializer="bytes",
        key_deserializer="bytes",
        value_serializer="bytes",
        value_deserializer="bytes",
    )


def main() -> None:
    """Run until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("bootstrap", "folder", "prefix", "partitions"):
        parser.add_argument(name)
    asked = parser.parse_args()
    app = build_app(asked.bootstrap, asked.folder, asked.prefix)
    app.run()


if __name__ == "__main__":
    main()
