"""Runs the whole system in the foreground until Ctrl-C: Kafka, topics, engine, REST, demo data.

Each part is started when the one before is ready, and brought back when it dies. One Ctrl-C stops
all of them, the last one first; they also end when this process is killed.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator

import httpx
from aiokafka.errors import KafkaError
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url

from api.settings import ApiSettings
from schemas.connection import KafkaConnection
from streams.settings import WorkerSettings
from streams.subscribers.settings import SubscriberSettings
from tools.demo import is_empty, publish_demo
from tools.first_adjustment import CURL_REQUEST, adjust_first
from tools.kafka.broker import Broker
from tools.kafka.errors import EmbeddedKafkaError
from tools.kafka.ports import free_ports
from tools.supervise import Part, PartFailedError, Supervisor
from tools.workers import READY

METRICS_PORT = 9101
COLOURS = {
    "run": 36,
    "kafka": 33,
    "topics": 34,
    "worker": 32,
    "api": 35,
    "finance": 33,
    "dwh": 34,
    "demo": 36,
}
WIDTH = max(map(len, COLOURS))
SUBSCRIBERS = ("finance", "dwh")
POLL_S = 0.2
INTERRUPTED = 130


class RunSettings(BaseSettings):
    """What `make run` alone is told; each part has its own settings besides."""

    model_config = SettingsConfigDict(env_prefix="ADJUST_", frozen=True, extra="ignore")

    kafka_port: int = Field(
        default=9092,
        ge=0,
        le=65535,
        description="Port of the embedded Kafka; another free one if taken.",
    )
    demo: bool | None = Field(
        default=None,
        description="Whether demo data is published; default: where the embedded Kafka is empty.",
    )


class CannotRunError(Exception):
    """The system is not started; the text says why and what to do."""


def main() -> int:
    """Give the exit code: 0 after a stop that was asked for."""
    argparse.ArgumentParser(
        prog="python -m tools.run",
        description="The whole system in the foreground, until Ctrl-C. "
        "Settings: ADJUST_* variables, see docs/settings.md.",
    ).parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # while Kafka goes
    try:
        system = System()
        system.start_kafka()
        return asyncio.run(system.run())
    except ValidationError as error:
        faults = (
            f"ADJUST_{fault['loc'][0]}".upper() + f": {fault['msg']}" for fault in error.errors()
        )
        problem: object = "; ".join(faults)
    except (CannotRunError, EmbeddedKafkaError, PartFailedError, KafkaError, OSError) as error:
        problem = error
    except KeyboardInterrupt:  # before there was anything to stop
        return INTERRUPTED
    say("run", f"stopped: {problem}")
    return 1


class System:
    """What runs, and where it is reached."""

    def __init__(self) -> None:
        """Read all settings. Raises CannotRunError for an address that is taken."""
        self.settings, self.rest = RunSettings(), ApiSettings()
        worker, self.connection = WorkerSettings(), KafkaConnection()
        self.broker: Broker | None = None
        if "bootstrap_servers" not in self.connection.model_fields_set:
            home = self.rest.home / "kafka"
            self.broker = Broker(home, port=self.settings.kafka_port, keep_classes=True)
        self.api_port = self.rest.api_port or free_ports(0)[0]
        self.metrics_port = worker.metrics_port
        if "metrics_port" not in worker.model_fields_set:
            (self.metrics_port,) = free_ports(METRICS_PORT)
        ports = [0] * len(SUBSCRIBERS)
        if self.metrics_port:
            ports = free_ports(*(self.metrics_port + 1 + place for place in range(len(ports))))
        self.subscriber_ports = dict(zip(SUBSCRIBERS, ports, strict=True))
        check_free("REST", self.rest.api_host, self.api_port, "ADJUST_API_PORT")
        if self.metrics_port:
            check_free("The worker", worker.metrics_host, self.metrics_port, "ADJUST_METRICS_PORT")
        self.supervisor = Supervisor(say)

    @property
    def url(self) -> str:
        """Where REST is reached from this machine."""
        host = self.rest.api_host if self.rest.is_loopback else "127.0.0.1"
        return f"http://{f'[{host}]' if ':' in host else host}:{self.api_port}"

    def start_kafka(self) -> None:
        """Start the embedded Kafka, if it is to be used. Raises EmbeddedKafkaError."""
        if self.broker:
            say("run", f"starting Kafka, data in {self.broker.home}")
            self.broker.start()
            self.connection = KafkaConnection(
                bootstrap_servers=self.broker.bootstrap, security_protocol="PLAINTEXT"
            )

    async def run(self) -> int:
        """Bring everything up, then serve until a signal. Gives the exit code."""
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        asked = asyncio.create_task(stop.wait())
        serving = asyncio.create_task(self._serve())
        try:
            await asyncio.wait({asked, serving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (asked, serving):
                task.cancel()
            await asyncio.wait({asked, serving})
            await self._stop()
        if not serving.cancelled():
            serving.result()
        return 0

    async def _serve(self) -> None:
        if self.broker:
            await self.broker.wait_ready()
            say("kafka", self.broker.notice or f"ready at {self.broker.bootstrap}")
        topics, worker, api = self._parts()
        await self.supervisor.run_once(topics)
        await self.supervisor.bring_up(worker)
        await self.supervisor.bring_up(api)
        await self.supervisor.bring_up_together(self._subscribers())
        if await self._wants_demo():
            await self._show_demo()
        self._tell_addresses()
        await self._keep_kafka()

    async def _show_demo(self) -> None:
        """Publish the demo data and make the first adjustment; without them the system runs on."""
        try:
            say("demo", "publishing accounts and chargeable events")
            count = await publish_demo(self.connection)
            say("demo", f"{count} accounts and chargeable events are with Finance")
            await adjust_first(self.url, self.connection, lambda text: say("demo", text))
        except (TimeoutError, KafkaError, httpx.HTTPError) as error:
            say("demo", f"not finished: {str(error) or 'it took too long'}")

    def _parts(self) -> tuple[Part, Part, Part]:
        own = self._environment(self.metrics_port)
        topics, worker, api = (
            [sys.executable, "-m", module] for module in ("streams.topics", "streams", "api")
        )
        return (
            Part(name="topics", command=topics, environment=own),
            Part(name="worker", command=worker, environment=own, ready_line=READY),
            Part(name="api", command=api, environment=own, is_ready=self._is_rest_ready),
        )

    def _subscribers(self) -> Iterator[Part]:
        for name, port in self.subscriber_ports.items():
            yield Part(
                name=name,
                command=[sys.executable, "-m", "streams.subscribers", name],
                environment=self._environment(port),
                ready_line=f"adjust {name} reads",
            )

    def _environment(self, metrics_port: int) -> dict[str, str]:
        return {
            "ADJUST_BOOTSTRAP_SERVERS": self.connection.bootstrap_servers,
            "ADJUST_SECURITY_PROTOCOL": self.connection.security_protocol,
            "ADJUST_API_PORT": str(self.api_port),
            "ADJUST_METRICS_PORT": str(metrics_port),
        }

    async def _is_rest_ready(self) -> bool:
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(f"{self.url}/readyz")).is_success
        except httpx.TransportError:
            return False

    async def _wants_demo(self) -> bool:
        if self.settings.demo is not None:
            return self.settings.demo
        return self.broker is not None and await is_empty(self.connection)

    async def _keep_kafka(self) -> None:
        """Bring Kafka back where it was, as often as it dies."""
        while True:
            await asyncio.sleep(POLL_S)
            if self.broker and not self.broker.is_running:
                say("run", f"Kafka ended by itself, starting it again. {self.broker.last_errors()}")
                await asyncio.to_thread(self.broker.stop)
                await asyncio.to_thread(self.broker.start)
                await self.broker.wait_ready()
                if self.broker.bootstrap != self.connection.bootstrap_servers:
                    raise CannotRunError(f"Kafka died, and now its {self.broker.notice}.")
                say("kafka", f"ready at {self.broker.bootstrap}")

    async def _stop(self) -> None:
        say("run", "stopping")
        await self.supervisor.stop()
        if self.broker:
            await asyncio.to_thread(self.broker.stop)
            say("run", "kafka stopped")

    def _tell_addresses(self) -> None:
        body = json.dumps(CURL_REQUEST)
        metrics = f"http://127.0.0.1:{self.metrics_port}/metrics" if self.metrics_port else "off"
        of_readers = ", ".join(
            f"http://127.0.0.1:{port}/metrics ({name})" if port else f"off ({name})"
            for name, port in self.subscriber_ports.items()
        )
        stores = SubscriberSettings()
        for text in (
            f"REST       {self.url}",
            f"API pages  {self.url}/docs",
            f"Metrics    {self.url}/metrics (REST), {metrics} (worker),",
            f"           {of_readers}",
            f"Kafka      {self.connection.bootstrap_servers}",
            f"Finance    {make_url(stores.finance_database).render_as_string()}",
            f"Warehouse  {stores.warehouse}",
            "Try it from another terminal; Ctrl-C here stops everything:",
            f"curl -i {self.url}/v1/adjustments -H 'Content-Type: application/json' -d '{body}'",
        ):
            say("run", text)


def check_free(part: str, host: str, port: int, setting: str) -> None:
    """Raise CannotRunError where nobody could listen on the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotRunError(
                f"{part} cannot listen on {host}:{port} ({error.strerror}); "
                f"end what listens there, or choose another port with {setting}."
            ) from error


def say(name: str, text: str) -> None:
    """Print a line with the name of the part that it is of."""
    label = f"{name:>{WIDTH}} |"
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        label = f"\x1b[{COLOURS.get(name, 37)}m{label}\x1b[0m"
    with contextlib.suppress(OSError):  # a closed terminal must not disturb an orderly stop
        print(label, text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
