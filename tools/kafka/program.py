"""Kafka's two command lines: the broker, and the formatting of a new data folder."""

import hashlib
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tools.kafka.errors import KafkaFailedError
from tools.kafka.java import Java
from tools.kafka.settings import SCRAM, Secured

LOGGING = Path(__file__).with_name("log4j2.properties")
HEAP_MIB = 384
QUICK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
FIRST_WITH_NATIVE_ACCESS, FIRST_WITH_AOT_CACHE = 22, 25
NEW_CLASSES = "classes.new"


@dataclass(frozen=True)
class Program:
    """A Java, Kafka's jars, and the cache that holds Java's archive of their classes."""

    java: Java
    jars: list[Path]
    cache: Path

    def broker(self, *, for_long: bool, keep_classes: bool) -> list[str]:
        """Give the command that runs a broker from the data folder as working directory."""
        native = self.java.version >= FIRST_WITH_NATIVE_ACCESS
        return [
            self.java.path,
            "-Xms64m",
            f"-Xmx{HEAP_MIB}m",
            *(QUICK[:1] if for_long else QUICK),
            "-XX:+ExitOnOutOfMemoryError",
            "-Xlog:disable",
            "-Xlog:all=error:stderr",
            *(["--enable-native-access=ALL-UNNAMED"] if native else []),
            *self._classes(keep_classes=keep_classes),
            f"-Dlog4j2.configurationFile={LOGGING}",
            "-Dkafka.log.file=kafka.log",
            "-Dlog4j2.disableJmx=true",
            *self._main("kafka.Kafka"),
            "server.properties",
        ]

    def format(self, home: Path, cluster_id: str, secured: Secured | None, lock: IO[str]) -> None:
        """Make an empty data folder Kafka's own, with the one user that may come in."""
        user = f"{SCRAM}=[name={secured.username},password={secured.password}]" if secured else None
        command = [
            self.java.path,
            "-Xmx64m",
            *QUICK,
            "-Dlog4j2.level=ERROR",
            *self._main("kafka.tools.StorageTool"),
            *("format", "--ignore-formatted", "-t", cluster_id, "-c", "server.properties"),
            *(["--add-scram", user] if user else []),
        ]
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=home,
            pass_fds=[lock.fileno()],
            check=False,
        )
        if done.returncode:
            what = f"could not format {home / 'data'}"
            raise KafkaFailedError(what, home, done.stdout + done.stderr)

    def keep_classes(self, home: Path) -> None:
        """Put the archive that a broker wrote at its end where the next one finds it."""
        written = home / NEW_CLASSES
        if written.exists() and not self.has_classes:
            part = self._archive.with_suffix(f".{os.getpid()}")
            shutil.copyfile(written, part)
            part.replace(self._archive)
        written.unlink(missing_ok=True)

    @property
    def has_classes(self) -> bool:
        """Whether the archive of classes is there."""
        return self._archive.exists()

    def _classes(self, *, keep_classes: bool) -> list[str]:
        """Start in half the time from Java's own archive of loaded classes, or write it."""
        read, write = (
            ("AOTCache", "AOTCacheOutput")
            if self.java.version >= FIRST_WITH_AOT_CACHE
            else ("SharedArchiveFile", "ArchiveClassesAtExit")
        )
        if self.has_classes:
            return [f"-XX:{read}={self._archive}"]
        return [f"-XX:{write}={NEW_CLASSES}"] if keep_classes else []

    @property
    def _archive(self) -> Path:
        """One Java and one set of jars have one archive."""
        fits = [os.path.realpath(self.java.path), self.java.build, *map(str, self.jars)]
        return (
            self.cache / f"classes-{hashlib.sha256(chr(10).join(fits).encode()).hexdigest()[:16]}"
        )

    def _main(self, name: str) -> list[str]:
        return ["-cp", os.pathsep.join(map(str, self.jars)), name]


def new_cluster_id() -> str:
    """Give a cluster id; it begins with a letter, since "-" would be taken for an option."""
    return "K" + secrets.token_urlsafe(16)[1:]
