"""Tests that the catalogue keeps topics as the contract says."""

import pytest

from schemas.messages import MESSAGES
from schemas.topics import CATALOGUE, CHANGELOGS, DEAD_LETTERS, INPUTS, OUTPUTS, TopicSettings

DAYS_90_MS = "7776000000"
BY_NAME = {topic.name: topic for topic in CATALOGUE}


def test_the_catalogue_has_every_topic_once() -> None:
    assert [topic.name for topic in CATALOGUE] == [
        "accounts",
        "chargeable-events",
        "adjustment-requests",
        "adjustment-results",
        "business-transactions",
        "adjustment-batches",
        "dlq-accounts",
        "dlq-chargeable-events",
        "dlq-adjustment-requests",
        "adjust-accounts-changelog",
        "adjust-chargeable-events-changelog",
        "adjust-answers-changelog",
        "adjust-progress-changelog",
    ]


def test_only_accounts_and_changelogs_are_compacted() -> None:
    compacted = {
        topic.name for topic in CATALOGUE if topic.configs()["cleanup.policy"] == "compact"
    }
    assert compacted == {"accounts", *(topic.name for topic in CHANGELOGS)}


@pytest.mark.parametrize(
    ("name", "kept_ms"),
    [
        ("chargeable-events", DAYS_90_MS),
        ("dlq-adjustment-requests", DAYS_90_MS),
        ("adjustment-requests", "-1"),
        ("adjustment-results", "-1"),
        ("business-transactions", "-1"),
    ],
)
def test_what_can_be_rebuilt_is_dropped_and_what_was_said_is_kept(name: str, kept_ms: str) -> None:
    assert BY_NAME[name].configs()["retention.ms"] == kept_ms


def test_the_broker_stamps_inputs_and_outputs_carry_their_sources_time() -> None:
    for topic in INPUTS:
        assert topic.configs()["message.timestamp.type"] == "LogAppendTime"
        assert topic.configs()["max.message.bytes"] == "1048576"
    for topic in (*OUTPUTS, *DEAD_LETTERS, *CHANGELOGS):
        configs = topic.configs()
        assert configs["message.timestamp.type"] == "CreateTime"
        assert configs["message.timestamp.before.max.ms"] == "9223372036854775807"
        assert configs["message.timestamp.after.max.ms"] == "9223372036854775807"
        assert configs["max.message.bytes"] == "4194304"


@pytest.mark.parametrize(("copies", "in_sync"), [(1, "1"), (2, "1"), (3, "2")])
def test_one_copy_may_be_missing(copies: int, in_sync: str) -> None:
    configs = CATALOGUE[0].configs(TopicSettings(replication_factor=copies))
    assert configs["min.insync.replicas"] == in_sync


def test_every_message_belongs_to_a_topic() -> None:
    named = {name for topic in CATALOGUE for name in topic.schemas}
    assert named == set(MESSAGES)
