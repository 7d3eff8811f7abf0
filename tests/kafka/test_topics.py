"""A real Kafka tells how many copies its topics have."""

import pytest

from schemas.topics import TopicSettings
from streams.topics import TopicError, check_topics
from tests.kafka.conftest import Engine


async def test_a_worker_that_was_promised_three_copies_does_not_start_on_one(
    engine: Engine,
) -> None:
    settings = TopicSettings()
    assert await check_topics(engine.connection, settings) == settings.partitions

    with pytest.raises(TopicError, match="accounts has replication factor 1, not 3; "):
        await check_topics(engine.connection, TopicSettings(replication_factor=3))
