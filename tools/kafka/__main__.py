"""Runs one Kafka in the foreground until Ctrl-C."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from tools.kafka.broker import Broker
from tools.kafka.errors import EmbeddedKafkaError

POLL_S = 0.2


def main() -> int:
    """Give the exit code: 0 after a stop that was asked for."""
    asked = _arguments()
    broker = Broker(asked.home, port=asked.port, keep_classes=True)
    try:
        broker.start()
        return asyncio.run(_run(broker))
    except EmbeddedKafkaError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before it was up
        return 130
    finally:
        broker.stop()


async def _run(broker: Broker) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    ready = asyncio.create_task(broker.wait_ready())
    await _first(stop, ready)
    if stop.is_set():
        ready.cancel()
        return 0
    ready.result()
    if broker.notice:
        print(broker.notice)
    print(f"kafka ready at {broker.bootstrap}, data in {broker.home}; Ctrl-C stops it", flush=True)
    ended = asyncio.create_task(_until_ended(broker))
    await _first(stop, ended)
    if stop.is_set():
        ended.cancel()
        return 0
    print(f"kafka ended by itself:\n{broker.last_errors()}", file=sys.stderr)
    return 1


async def _first(stop: asyncio.Event, work: asyncio.Task[None]) -> None:
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping, work}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()


async def _until_ended(broker: Broker) -> None:
    while broker.is_running:  # noqa: ASYNC110  a child process sets no event
        await asyncio.sleep(POLL_S)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.kafka", description=__doc__)
    parser.add_argument(
        "--home", type=Path, default=Path(".adjust/kafka"), help="data folder (default %(default)s)"
    )
    parser.add_argument(
        "--port", type=int, default=9092, help="port for clients (default %(default)s)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
