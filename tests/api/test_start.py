"""How REST starts, and what it says where it cannot."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api.errors import ReadModelLostError
from api.settings import ApiSettings
from api.store import Store
from tests.api.builders import a_request, sqlite_url
from tools.kafka.ports import free_ports

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what REST must ask leave for
LIMIT_S = 120.0


def environment(home: Path, **changes: str) -> dict[str, str]:
    """Give an environment in which there is no Kafka."""
    (nobody,) = free_ports(0)
    others = {name: text for name, text in os.environ.items() if not name.startswith("ADJUST_")}
    own = {"ADJUST_HOME": str(home), "ADJUST_BOOTSTRAP_SERVERS": f"127.0.0.1:{nobody}"}
    return others | own | changes


@contextmanager
def started(given: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run REST as a process until the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "api"],
        env=given,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ADJUST_API_HOST": EVERYWHERE}, "ADJUST_API_OPEN=true"),
        ({"ADJUST_API_HOST": "some.where"}, "ADJUST_API_OPEN=true"),
        ({"ADJUST_API_PORT": "many"}, "ADJUST_API_PORT"),
        ({"ADJUST_READ_MODEL_URL": "no url"}, "URL"),
        ({"ADJUST_READ_MODEL_URL": "postgresql+psycopg://127.0.0.1:1/none"}, "refused"),
        ({"ADJUST_READ_MODEL_URL": "postgresql+pg8000://127.0.0.1:1/none"}, "pg8000"),
        ({"ADJUST_READ_MODEL_URL": "sqlite:////proc/none/api.db"}, "/proc/none"),
        ({"ADJUST_SECURITY_PROTOCOL": "SSL", "ADJUST_SSL_CAFILE": "/none"}, "No such file"),
    ],
)
def test_what_it_cannot_start_with_is_said_in_one_line(
    tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    with started(environment(tmp_path, **changes)) as process:
        output, _ = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 1
    assert said in output
    assert len(output.splitlines()) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_addresses_need_no_leave(host: str) -> None:
    assert ApiSettings(api_host=host).is_loopback


def test_without_kafka_it_lives_is_not_ready_and_takes_nothing(tmp_path: Path) -> None:
    (port,) = free_ports(0)
    changes = {
        "ADJUST_API_HOST": EVERYWHERE,
        "ADJUST_API_OPEN": "true",
        "ADJUST_API_PORT": str(port),
    }
    url = f"http://127.0.0.1:{port}"
    with started(environment(tmp_path, **changes)) as process:
        until = time.monotonic() + LIMIT_S
        while not answers(url):
            assert time.monotonic() < until, "REST did not start"
            assert process.poll() is None, "REST ended"
        assert httpx.get(f"{url}/readyz").status_code == 503
        refused = httpx.post(f"{url}/v1/adjustments", json=a_request())
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        large = httpx.post(f"{url}/v1/adjustments", content=b" " * 3 * 1024 * 1024)
        assert large.status_code == 413
        process.terminate()
        output, _ = process.communicate(timeout=LIMIT_S)
    assert f"whoever reaches {EVERYWHERE}" in output
    assert "Traceback" not in output


def answers(url: str) -> bool:
    """Say whether the process serves."""
    try:
        return httpx.get(f"{url}/livez").is_success
    except httpx.TransportError:
        return False


def test_a_deleted_file_is_noticed(tmp_path: Path) -> None:
    store = Store(sqlite_url(tmp_path))
    store.checkpoint()
    (tmp_path / "api.db").unlink()
    with pytest.raises(ReadModelLostError, match="was deleted"):
        store.checkpoint()
    Store(f"sqlite:///{tmp_path / 'other.db'}").close()
    (tmp_path / "other.db").rename(tmp_path / "api.db")
    with pytest.raises(ReadModelLostError):
        store.checkpoint()
    store.close()
