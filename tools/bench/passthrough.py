"""The peer: librdkafka reads a request and writes three records of the engine's own bytes.

It decides nothing and keeps no state. Up to 1,000 requests are one transaction; what is written
has the keys, headers and compression of real results and business transactions.
"""

import argparse
import signal
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

from tools.verify.log import Log, Record
from tools.verify.topics import REQUESTS, RESULTS, TRANSACTIONS

TRANSACTION_MAX = 1_000
SAMPLES_MAX = 1_000
PEER_RESULTS, PEER_TRANSACTIONS = f"peer-{RESULTS}", f"peer-{TRANSACTIONS}"
TO = {TRANSACTIONS: PEER_TRANSACTIONS, RESULTS: PEER_RESULTS}
OUTPUTS = 3

Output = tuple[str, bytes | None, list[tuple[str, str | bytes | None]]]


def main() -> int:
    """Read `count` requests from the offsets given, then wait to be stopped."""
    asked = _arguments()
    options = {"bootstrap.servers": asked.bootstrap, "log_level": "0"}
    samples = sample(options)
    consumer, producer = _consumer(options), _producer(options, asked.compression)
    starts = [start.split(":") for start in asked.starts.split(",")]
    consumer.assign([TopicPartition(REQUESTS, int(each), int(at)) for each, at in starts])
    producer.init_transactions()
    _say("peer ready")
    done = 0
    while done < asked.count:
        messages = consumer.consume(TRANSACTION_MAX, timeout=1.0)
        if messages:
            _pass_on(producer, messages, samples)
            done += len(messages)
    _say("peer done")
    signal.pause()
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def sample(options: Mapping[str, str]) -> list[list[Output]]:
    """Take the three records of some applied requests out of the engine's own topics."""
    found: defaultdict[str, list[Output]] = defaultdict(list)
    for record in Log(options, [RESULTS, TRANSACTIONS], last_max=4 * SAMPLES_MAX).records():
        if record.headers["source"].startswith(REQUESTS) and "replay" not in record.headers:
            found[record.headers["source"]].append(_output(record))
    whole = [outputs for outputs in found.values() if len(outputs) == OUTPUTS]
    if not whole:
        message = "the engine has written nothing that could be passed through"
        raise LookupError(message)
    return whole[:SAMPLES_MAX]


def _output(record: Record) -> Output:
    headers: list[tuple[str, str | bytes | None]] = [
        (name, text.encode()) for name, text in record.headers.items()
    ]
    return TO[record.topic], record.value, headers


def _pass_on(
    producer: Producer, messages: Sequence[Message], samples: Sequence[Sequence[Output]]
) -> None:
    """Write three records for each request, in one transaction."""
    producer.begin_transaction()
    produce = producer.produce
    for place, message in enumerate(messages):
        if message.error() is not None:
            raise KafkaException(message.error())
        key, partition = message.key(), int(message.partition() or 0)
        for topic, value, headers in samples[place % len(samples)]:
            produce(topic, value, key, partition, headers=headers)
    producer.commit_transaction()


def _consumer(options: Mapping[str, str]) -> Consumer:
    return Consumer(
        {
            **options,
            "group.id": "peer",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "fetch.min.bytes": 1,
        }
    )


def _producer(options: Mapping[str, str], compression: str) -> Producer:
    return Producer(
        {
            **options,
            "transactional.id": "peer",
            "compression.type": compression,
            "batch.size": 1 << 20,
            "linger.ms": 5,
            "delivery.report.only.error": True,
        }
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.passthrough", description=__doc__)
    parser.add_argument("--bootstrap", required=True, help="Kafka, as host:port")
    parser.add_argument("--count", type=int, required=True, help="requests to pass through")
    parser.add_argument("--starts", required=True, help="first offsets: partition:offset,...")
    parser.add_argument("--compression", required=True, help="none, gzip, snappy, lz4 or zstd")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
