"""Kafka's program files are those of the lock, or a sentence says why there are none."""

import hashlib
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tools.kafka.errors import JarsUnavailableError, WrongJarError
from tools.kafka.jars import COMPILER_LOCK, Jar, fetch_jars, locked_jars
from tools.kafka.lock import POM

NOWHERE = "http://127.0.0.1:1"
CONTENT = b"the right content"
JAR = Jar("org/example/thing/1.0/thing-1.0.jar", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
MAVEN = {"": "http://maven.apache.org/POM/4.0.0"}


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Give the address of a mirror that has the jar, and the jar's file in it."""
    served = tmp_path / "mirror" / JAR.path
    served.parent.mkdir(parents=True)
    served.write_bytes(CONTENT)
    handler = partial(QuietHandler, directory=str(tmp_path / "mirror"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", served
        server.shutdown()


def test_a_cold_cache_without_network_names_the_folder_and_the_setting(tmp_path: Path) -> None:
    with pytest.raises(JarsUnavailableError) as refused:
        fetch_jars([JAR], tmp_path, NOWHERE)

    assert str(tmp_path / "jars") in str(refused.value)
    assert "ADJUST_MAVEN_URL" in str(refused.value)


def test_a_warm_cache_needs_no_network(tmp_path: Path, mirror: tuple[str, Path]) -> None:
    fetched = fetch_jars([JAR], tmp_path, mirror[0])

    assert fetch_jars([JAR], tmp_path, NOWHERE) == fetched
    assert fetched[0].read_bytes() == CONTENT


def test_a_damaged_jar_is_fetched_again(tmp_path: Path, mirror: tuple[str, Path]) -> None:
    fetched = fetch_jars([JAR], tmp_path, mirror[0])
    fetched[0].write_bytes(CONTENT[:5])

    fetch_jars([JAR], tmp_path, mirror[0])

    assert fetched[0].read_bytes() == CONTENT


def test_a_jar_that_is_not_the_locked_one_is_refused(
    tmp_path: Path, mirror: tuple[str, Path]
) -> None:
    mirror[1].write_bytes(b"the wrong content")

    with pytest.raises(WrongJarError, match=r"thing-1\.0\.jar"):
        fetch_jars([JAR], tmp_path, mirror[0])

    assert not (tmp_path / "jars" / JAR.path).exists()


def test_the_locks_have_what_the_pom_asks_for_and_not_what_it_excludes() -> None:
    pom = ET.parse(POM)  # noqa: S314  the project's own file
    asked = {maven_path(entry) for entry in pom.iterfind(".//dependency", MAVEN)}
    excluded = [maven_path(entry) for entry in pom.iterfind(".//exclusion", MAVEN)]
    jars = locked_jars() + locked_jars(COMPILER_LOCK)
    locked = {jar.path.rsplit("/", 1)[0] for jar in jars}

    assert asked <= locked
    assert not [path for path in locked if path.startswith(tuple(excluded))]


def test_the_lock_has_one_version_of_each_library() -> None:
    libraries = [jar.path.rsplit("/", 2)[0] for jar in locked_jars()]
    kafka = {jar.path.split("/")[4] for jar in locked_jars() if "org/apache/kafka" in jar.path}

    assert len(libraries) == len(set(libraries))
    assert kafka == {"4.2.2"}  # 4.3 and 4.4 can lose the end of a transaction (KAFKA-20734)


def maven_path(entry: ET.Element) -> str:
    """Give the folder of a dependency in a Maven repository."""
    parts = [entry.findtext(name, "", MAVEN) for name in ("groupId", "artifactId", "version")]
    return "/".join([parts[0].replace(".", "/"), *parts[1:]]).rstrip("/")
