"""Topics that keep less than was asked for are found out before a worker serves."""

from schemas.topics import CATALOGUE, TopicSettings
from streams.topics import INSYNC, thin_topics

SAFE = TopicSettings(replication_factor=3)


def thin(copies: int, insync: str, asked: TopicSettings = SAFE) -> list[str]:
    """What is said where the first topic is so and all others are as asked."""
    first, *others = (topic.name for topic in CATALOGUE)
    there = dict.fromkeys(others, 3) | {first: copies}
    found = {name: {INSYNC: "2"} for name in others} | {first: {INSYNC: insync}}
    return [*thin_topics(there, found, asked)]


def test_topics_as_they_were_asked_for_are_not_thin() -> None:
    assert thin(3, "2") == []


def test_a_topic_with_fewer_copies_than_asked_for_is_named() -> None:
    assert thin(1, "1") == ["accounts has replication factor 1, not 3"]


def test_a_topic_that_acknowledges_what_one_of_three_has_is_named_whatever_was_asked() -> None:
    for asked in (SAFE, TopicSettings(replication_factor=1)):
        assert thin(3, "1", asked) == ["accounts has min.insync.replicas=1, not 2"]


def test_more_copies_than_asked_for_are_no_fault() -> None:
    assert thin(4, "3") == []
    assert thin(3, "3", TopicSettings(replication_factor=1)) == []
