"""REST keeps to its own description, whatever Schemathesis makes of it and sends."""

import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import uvicorn

from api.app import build_app
from api.desk import Desk
from api.results import Waiters
from api.store import Store
from tests.api.answering import AnsweringTopic
from tests.postgres import POSTGRESQL, SQLITE
from tools.waiting import wait_until

RUN_S = 240.0
OTHER_ADDRESS = "adjustChargeableEvent"
EXAMPLES = 20  # for each operation and phase
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


@pytest.fixture
def topic(store: Store, waiters: Waiters) -> AnsweringTopic:
    """A topic behind which an engine answers."""
    return AnsweringTopic(store, waiters)


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    """The address of a live REST."""

    @asynccontextmanager
    async def open_desk() -> AsyncIterator[Desk]:
        yield desk

    with serving(uvicorn.Config(build_app(open_desk), port=0, log_config=None)) as served:
        yield served


@contextmanager
def serving(config: uvicorn.Config) -> Iterator[str]:
    """Serve from a thread for as long as the block lasts."""
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started, "REST serves")
        host, port = server.servers[0].sockets[0].getsockname()
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize(
    ("database", "phases"),
    [(SQLITE, "examples,coverage"), (POSTGRESQL, "fuzzing,stateful")],
    indirect=["database"],
)
def test_rest_keeps_to_its_description(address: str, phases: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json"]
    sizes = [f"--phases={phases}", f"--max-examples={EXAMPLES}", f"--checks={','.join(CHECKS)}"]
    skipped = f"--exclude-operation-id={OTHER_ADDRESS}"  # the same operation once more
    modes = ["--generation-deterministic", "--continue-on-failure", "--no-color"]
    done = subprocess.run(
        [*command, *sizes, *modes, skipped],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
