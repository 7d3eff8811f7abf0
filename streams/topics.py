"""Makes the engine's topics from the catalogue, and checks that those there are as it says.

usage: python -m streams.topics [--add]
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.structs import TopicPartition
from pydantic import ValidationError

from schemas.connection import KafkaConnection
from schemas.topics import CATALOGUE, Topic, TopicSettings

BROKER_WAIT_S, BROKER_PAUSE_S = 30.0, 0.5
INSYNC = "min.insync.replicas"


class TopicError(Exception):
    """The topics are not as the catalogue says; the text tells what to do."""


async def connected_admin(connection: KafkaConnection) -> AIOKafkaAdminClient:
    """An admin client, once Kafka answers. Raises TopicError after half a minute."""
    loop, address = asyncio.get_running_loop(), connection.bootstrap_servers
    until, is_said = loop.time() + BROKER_WAIT_S, False
    while True:
        admin = AIOKafkaAdminClient(**connection.client_options())
        try:
            await admin.start()
        except (KafkaError, OSError) as error:
            await admin.close()
            if not is_said:
                sys.stderr.write(f"waiting for Kafka at {address}\n")
                is_said = True
            if loop.time() > until:
                raise TopicError(f"Kafka at {address} cannot be reached: {error}") from error
            await asyncio.sleep(BROKER_PAUSE_S)
        else:
            return admin


async def make_topics(
    connection: KafkaConnection, settings: TopicSettings, *, add: bool = False
) -> list[str]:
    """Create what is missing; answers with the names. Raises TopicError.

    A topic missing beside others that hold records was lost: an empty one in its place would make
    the engine forget, so that wants `add`.
    """
    admin = await connected_admin(connection)
    try:
        there = await _partition_counts(admin)
        missing = [topic for topic in CATALOGUE if topic.name not in there]
        if missing and there and not add and any((await _ends(connection, there)).values()):
            names = ", ".join(topic.name for topic in missing)
            raise TopicError(
                f"{names}: missing, while other topics of the engine hold records. If a new version"
                " of the engine adds it, run `python -m streams.topics --add`; if it was lost,"
                " bring it back from a backup first."
            )
        if missing:
            partitions = max(there.values(), default=settings.partitions)
            await _create(admin, missing, settings, partitions)
            made = dict.fromkeys((topic.name for topic in missing), partitions)
            await _ends(connection, made)  # waits until every partition is led
        return [topic.name for topic in missing]
    finally:
        await admin.close()


async def check_topics(connection: KafkaConnection, settings: TopicSettings) -> int:
    """The partition count of all topics. Raises TopicError where the catalogue says otherwise."""
    admin = await connected_admin(connection)
    try:
        partitions = await _partitions(admin)
        there = {name: len(of_topic) for name, of_topic in partitions.items()}
        missing = [topic.name for topic in CATALOGUE if topic.name not in there]
        if missing:
            raise TopicError(
                f"{', '.join(missing)}: missing. Run `python -m streams.topics` first."
            )
        if len(set(there.values())) != 1:
            counts = ", ".join(f"{name} {count}" for name, count in sorted(there.items()))
            raise TopicError(
                f"all topics need the same number of partitions, fixed at creation: {counts}"
            )
        found = await _found_settings(admin)
        wrong = [*_wrong_settings(found), *thin_topics(_copies(partitions), found, settings)]
        if wrong:
            raise TopicError("topic settings differ from the catalogue: " + "; ".join(wrong))
        return next(iter(there.values()))
    finally:
        await admin.close()


def _copies(partitions: Mapping[str, list[dict[str, Any]]]) -> dict[str, int]:
    """Of each topic how many copies its partition with the fewest has."""
    return {
        name: min(len(each["replicas"]) for each in of_topic)
        for name, of_topic in partitions.items()
    }


def thin_topics(
    copies: Mapping[str, int], found: Mapping[str, Mapping[str, Any]], settings: TopicSettings
) -> Iterator[str]:
    """Say which topics have fewer copies than asked for, or acknowledge what too few of them have.

    More is no fault: a topic may be moved, and other programs may ask for less.
    """
    for topic in CATALOGUE:
        there, asked = copies[topic.name], settings.replication_factor
        if there < asked:
            yield f"{topic.name} has replication factor {there}, not {asked}"
        as_made = topic.configs(TopicSettings(replication_factor=there))
        least, insync = as_made[INSYNC], found[topic.name].get(INSYNC)
        if int(insync or 0) < int(least):
            yield f"{topic.name} has {INSYNC}={insync}, not {least}"


async def _partition_counts(admin: AIOKafkaAdminClient) -> dict[str, int]:
    return {name: len(partitions) for name, partitions in (await _partitions(admin)).items()}


async def _partitions(admin: AIOKafkaAdminClient) -> dict[str, list[dict[str, Any]]]:
    names = {topic.name for topic in CATALOGUE}
    described = await admin.describe_topics()
    return {each["topic"]: each["partitions"] for each in described if each["topic"] in names}


async def _ends(connection: KafkaConnection, counts: dict[str, int]) -> dict[Any, int]:
    """End offsets of all partitions; an answer proves that they are led, metadata does not."""
    consumer = AIOKafkaConsumer(*counts, **connection.client_options())
    await consumer.start()
    try:
        partitions = [TopicPartition(name, p) for name, n in counts.items() for p in range(n)]
        ends: dict[Any, int] = await consumer.end_offsets(partitions)
        return ends
    finally:
        await consumer.stop()


async def _create(
    admin: AIOKafkaAdminClient, missing: list[Topic], settings: TopicSettings, partitions: int
) -> None:
    new = [
        NewTopic(
            topic.name,
            partitions,
            settings.replication_factor,
            topic_configs=topic.configs(settings),
        )
        for topic in missing
    ]
    response = await admin.create_topics(new)
    for name, code, *text in response.topic_errors:
        if code and for_code(code) is not TopicAlreadyExistsError:
            raise TopicError(f"{name} cannot be created: {text[0] if text else for_code(code)}")


async def _found_settings(admin: AIOKafkaAdminClient) -> dict[str, dict[str, Any]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in CATALOGUE]
    found: dict[str, dict[str, Any]] = {}
    for response in await admin.describe_configs(resources):
        for code, _, _, name, entries in response.resources:
            if code:
                raise TopicError(f"the settings of {name} cannot be read: {for_code(code)}")
            found[name] = {entry[0]: entry[1] for entry in entries}
    return found


def _wrong_settings(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [
        f"{topic.name} has {key}={found[topic.name].get(key)}, not {wanted}"
        for topic in CATALOGUE
        for key, wanted in topic.configs().items()
        if key in topic.fixed and found[topic.name].get(key) != wanted
    ]


def main() -> int:
    """Create what is missing and say so."""
    parser = argparse.ArgumentParser(prog="python -m streams.topics", description=__doc__)
    parser.add_argument("--add", action="store_true", help="add topics beside others with records")
    add = parser.parse_args().add
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # one line of ours says it all
    try:
        connection, settings = KafkaConnection(), TopicSettings()
        made = asyncio.run(make_topics(connection, settings, add=add))
        count = asyncio.run(check_topics(connection, settings))
    except (TopicError, ValidationError, KafkaError, OSError) as error:
        sys.stderr.write(f"topics: {error}\n")
        return 1
    sys.stdout.write(f"topics: {len(made)} created, {count} partitions each\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
