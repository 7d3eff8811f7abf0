"""The containers are the same system: the same Kafka, the settings that there are, one way in."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from api.settings import ApiSettings
from schemas.connection import KafkaConnection
from schemas.topics import TopicSettings
from streams.settings import WorkerSettings
from tools.kafka.jars import locked_jars
from tools.kafka.settings import Node, node_settings

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
PLACES = {"listeners", "advertised.listeners", "controller.quorum.voters", "log.dirs"}
IMAGE_ONLY = {"KAFKA_HEAP_OPTS"}


@pytest.fixture
def services() -> dict[str, Any]:
    """Give the services of the compose file, its anchors resolved."""
    services: dict[str, Any] = YAML(typ="safe").load(COMPOSE)["services"]
    return services


def test_the_compose_file_is_valid() -> None:
    command = [sys.executable, "-m", "check_jsonschema"]
    command += ["--builtin-schema", "vendor.compose-spec", str(COMPOSE)]

    checked = subprocess.run(command, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout


def test_kafka_has_the_settings_of_the_embedded_one(services: dict[str, Any]) -> None:
    given = {
        name: value
        for name, value in services["kafka"]["environment"].items()
        if name.startswith("KAFKA_") and name not in IMAGE_ONLY
    }
    embedded = node_settings(Node(1, 9092, 19092, {1: 9093}))
    expected = {
        variable(name): given.get(variable(name)) if name in PLACES else value
        for name, value in embedded.items()
    }

    assert given == expected
    assert None not in given.values()


def test_kafka_has_the_version_of_the_embedded_one(services: dict[str, Any]) -> None:
    jar = next(jar.path for jar in locked_jars() if "kafka_2.13" in jar.path)

    assert services["kafka"]["image"] == f"apache/kafka:{jar.split('/')[-2]}"


def test_each_part_is_told_only_settings_that_it_has(services: dict[str, Any]) -> None:
    fields = (
        KafkaConnection.model_fields
        | TopicSettings.model_fields
        | WorkerSettings.model_fields
        | ApiSettings.model_fields
    )
    known = {f"ADJUST_{name.upper()}" for name in fields}

    for part in ("topics", "engine", "api"):
        assert set(services[part]["environment"]) <= known


def test_each_part_starts_a_program_after_what_it_needs(services: dict[str, Any]) -> None:
    for part in ("topics", "engine", "api"):
        python, module, name = services[part]["command"]
        assert (python, module) == ("python", "-m")
        assert list(ROOT.glob(f"{name.replace('.', '/')}*"))
    assert services["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    for part in ("engine", "api"):
        waits_for = services[part]["depends_on"]["topics"]["condition"]
        assert waits_for == "service_completed_successfully"
        assert "healthcheck" in services[part]


def test_only_this_machine_reaches_a_port(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def variable(name: str) -> str:
    """Give the environment variable by which the image takes a setting."""
    return "KAFKA_" + name.upper().replace(".", "_")
