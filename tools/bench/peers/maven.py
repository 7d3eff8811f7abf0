"""Builds the Kafka Streams peer with Maven, once for each state of its sources."""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock

from tools.kafka.jars import cache_folder
from tools.kafka.java import OLDEST

PROJECT = Path(__file__).with_name("kafka_streams")
JAR, LIBRARIES = "kafka-streams-peer-1.jar", "lib"
MAIN = "adjust.peer.Main"
PROBE_S = 10
SAID_MAX = 2_000


class PeerUnavailableError(RuntimeError):
    """A peer cannot take part on this machine; the text says what to install."""


def find_tools() -> tuple[str, Path]:
    """Give Maven and the `bin` of a JDK that is new enough. Raises PeerUnavailableError."""
    maven, home = shutil.which("mvn"), os.environ.get("JAVA_HOME")
    compiler = str(Path(home) / "bin" / "javac") if home else shutil.which("javac")
    version = _version_of(compiler) if compiler else 0
    lacking = [] if maven else ["Maven (mvn)"]
    lacking += [] if version >= OLDEST else [f"a JDK (javac) of version {OLDEST} or newer"]
    if not maven or not compiler or lacking:
        message = f"Kafka Streams is left out: install {' and '.join(lacking)} to build it."
        raise PeerUnavailableError(message)
    return maven, Path(compiler).parent


def built(maven: str) -> Path:
    """Give the folder of the built peer, and build it first if need be.

    Raises PeerUnavailableError with Maven's own words if that fails.
    """
    folder = cache_folder() / "peers" / f"kafka-streams-{_digest()}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            with TemporaryDirectory(dir=folder.parent) as half_built:
                _build(maven, Path(half_built) / "to").rename(folder)
    return folder


def java_command(java: Path, folder: Path, home: Path, *more: str) -> list[str]:
    """Give the command that runs the built peer; what it leaves when killed is in `home`."""
    return [
        str(java / "java"),
        *("-Xms512m", "-Xmx512m"),
        *("-cp", os.pathsep.join((str(folder / JAR), str(folder / LIBRARIES / "*")))),
        f"-Djava.io.tmpdir={home}",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        MAIN,
        *more,
    ]


def _build(maven: str, to: Path) -> Path:
    pom = str(PROJECT / "pom.xml")
    done = subprocess.run(
        [maven, "-q", "-B", "-f", pom, "package", f"-Dto={to}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[:SAID_MAX]
        message = f"Kafka Streams is left out: Maven could not build it:\n{said}"
        raise PeerUnavailableError(message)
    return to


def _digest() -> str:
    sources = hashlib.sha256()
    for file in sorted(PROJECT.rglob("*")):
        if file.is_file() and "target" not in file.relative_to(PROJECT).parts:
            sources.update(file.relative_to(PROJECT).as_posix().encode() + file.read_bytes())
    return sources.hexdigest()[:16]


def _version_of(compiler: str) -> int:
    try:
        answer = subprocess.run(
            [compiler, "-version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PROBE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    version = re.search(r"javac (?:1\.)?(\d+)", answer.stdout + answer.stderr)
    return int(version[1]) if version else 0
