"""A system to measure: Kafka of its own in a temporary folder, and the parts of the project."""

import asyncio
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tools.bench.processes import Part
from tools.chaos.folder import Folder
from tools.kafka.broker import Broker
from tools.verify.topics import TRANSACTIONS

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
ATTRIBUTES_AT = 21  # of a record batch, where its three lowest bits name the compression
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class System:
    """What a measurement needs to know of the running system."""

    home: Path
    bootstrap: str
    kafka: psutil.Process

    @property
    def options(self) -> dict[str, str]:
        """Give confluent-kafka's options; it is not to tell when Kafka stops."""
        return {"bootstrap.servers": self.bootstrap, "log_level": "0"}

    @property
    def environment(self) -> dict[str, str]:
        """Give the settings of the parts, each of which gets its home besides."""
        return {
            "ADJUST_BOOTSTRAP_SERVERS": self.bootstrap,
            "ADJUST_METRICS_PORT": "0",
        }

    def worker(self, home: Path | None = None) -> Part:
        """Start a worker, in a folder of its own where it is not the only one."""
        return Part("streams", home or self.home, self.environment)

    def rest(self, port: int, read_model: str | None = None) -> Part:
        """Start REST, on a read model of its own or on the one at this URL."""
        settings = {"ADJUST_API_PORT": str(port)}
        if read_model is not None:
            settings["ADJUST_READ_MODEL_URL"] = read_model
        return Part("api", self.home, self.environment | settings)

    def compression(self) -> str:
        """Tell how the engine compresses, from the first batch of its outputs that Kafka kept."""
        logs = sorted(self.home.glob(f"kafka/data/{TRANSACTIONS}-*/*.log"))
        written = next(log for log in logs if log.stat().st_size > ATTRIBUTES_AT + 2)
        with written.open("rb") as batch:
            batch.seek(ATTRIBUTES_AT)
            (attributes,) = struct.unpack(">h", batch.read(2))
        return CODECS[attributes & 7]


@contextmanager
def running_system(*, for_long: bool = True) -> Iterator[System]:
    """Start Kafka with the engine's topics; stop it and delete its data afterwards.

    That is done also if this process is killed. A Kafka that is not `for_long` starts with less
    work, and does more of it later.
    """
    with Folder(prefix="adjust-bench-") as folder:
        home = folder.path
        broker = Broker(home / "kafka", for_long=for_long)
        broker.start()
        try:
            asyncio.run(broker.wait_ready())
            system = System(home, broker.bootstrap, broker.java())
            make_topics(system)
            yield system
        finally:
            broker.stop()


def make_topics(system: System) -> None:
    """Create the topics of the catalogue. Raises EndedError with what went wrong."""
    with Part("streams.topics", system.home, system.environment) as making:
        making.wait_for_end()
