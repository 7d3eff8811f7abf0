"""Tests that a Kafka of one's own is reached with the usual security settings."""

import ssl

import pytest

from schemas.connection import KafkaConnection

WORD = "wonderland"


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KafkaConnection.model_fields:
        monkeypatch.delenv(f"ADJUST_{name.upper()}", raising=False)


def test_without_settings_the_local_kafka_is_reached_in_plain_text() -> None:
    connection = KafkaConnection()
    assert connection.client_options() == {
        "bootstrap_servers": "127.0.0.1:9092",
        "security_protocol": "PLAINTEXT",
    }
    assert connection.confluent_options() == {
        "bootstrap.servers": "127.0.0.1:9092",
        "security.protocol": "PLAINTEXT",
    }


def test_user_name_and_tls_are_given_to_both_kinds_of_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "SECURITY_PROTOCOL": "SASL_SSL",
        "SASL_MECHANISM": "SCRAM-SHA-512",
        "SASL_USERNAME": "engine",
        "SASL_PASSWORD": WORD,
    }.items():
        monkeypatch.setenv(f"ADJUST_{name}", value)
    connection = KafkaConnection()
    options = connection.client_options()
    assert isinstance(options.pop("ssl_context"), ssl.SSLContext)
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert options["sasl_plain_username"] == "engine"
    assert options["sasl_plain_password"] == WORD
    assert connection.confluent_options()["sasl.password"] == WORD
    assert WORD not in repr(connection)


def test_a_user_name_without_a_password_is_passed_on_as_it_is() -> None:
    connection = KafkaConnection(security_protocol="SASL_PLAINTEXT", sasl_username="engine")
    assert connection.client_options()["sasl_plain_password"] is None
    assert "sasl.password" not in connection.confluent_options()


def test_a_certificate_that_is_not_there_is_an_os_error() -> None:
    connection = KafkaConnection(
        security_protocol="SSL", ssl_certfile="/nowhere/cert.pem", ssl_keyfile="/nowhere/key.pem"
    )
    with pytest.raises(OSError, match="No such file"):
        connection.client_options()
