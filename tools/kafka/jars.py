"""Brings the files of a lock into the cache, several at a time, each checked."""

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from jgo.maven import MavenContext
from requests import RequestException
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from tools.kafka.errors import JarsUnavailableError, WrongJarError

LOCK = Path(__file__).with_name("kafka.lock.json")
COMPILER_LOCK = Path(__file__).with_name("compiler.lock.json")  # Java's, for tests alone
AT_ONCE = 6


@dataclass(frozen=True)
class Jar:
    """One file of the lock; `path` is its place in a Maven repository."""

    path: str
    size: int
    sha256: str


def cache_folder() -> Path:
    """Where files that can be fetched again are kept."""
    return Path(os.environ.get("ADJUST_CACHE") or "~/.cache/adjust").expanduser()


def locked_jars(lock: Path = LOCK) -> list[Jar]:
    """Give what a lock lists."""
    return [Jar(**entry) for entry in json.loads(lock.read_text())["jars"]]


def fetch_jars(jars: list[Jar], cache: Path, mirror: str | None) -> list[Path]:
    """Give the paths of all jars; only what is missing or damaged is fetched.

    Raises JarsUnavailableError, WrongJarError, OSError.
    """
    folder = cache / "jars"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "jars.lock"):
        missing = [jar for jar in jars if not _is_right(folder / jar.path, jar)]
        if missing:
            _fetch_all(missing, folder, mirror)
    return [folder / jar.path for jar in jars]


def _fetch_all(missing: list[Jar], folder: Path, mirror: str | None) -> None:
    remote = {"central": mirror.rstrip("/")} if mirror else None
    maven = MavenContext(repo_cache=folder, remote_repos=remote)
    with _progress(sum(jar.size for jar in missing)) as progress:
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            for jar in pool.map(lambda jar: _fetch(maven, folder, jar), missing):
                progress.advance(progress.task_ids[0], jar.size)
        finally:
            pool.shutdown(cancel_futures=True)


def _fetch(maven: MavenContext, folder: Path, jar: Jar) -> Jar:
    path = folder / jar.path
    path.unlink(missing_ok=True)  # half a file of a run that was killed
    group, artifact, version, name = jar.path.rsplit("/", 3)
    try:
        maven.project(group.replace("/", "."), artifact).at_version(version).artifact().resolve()
    except (RequestException, RuntimeError) as problem:
        raise JarsUnavailableError(folder, name, problem) from problem
    if not _is_right(path, jar):
        path.unlink(missing_ok=True)
        raise WrongJarError(name, folder)
    return jar


def _is_right(path: Path, jar: Jar) -> bool:
    if not path.exists() or path.stat().st_size != jar.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256


@contextmanager
def _progress(total: int) -> Iterator[Progress]:
    columns = (
        TextColumn("Apache Kafka"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        progress.add_task("", total=total)
        yield progress
