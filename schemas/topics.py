"""The topic catalogue: every topic, who writes and reads it, and how it is kept."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_DAYS_90_MS = 90 * 24 * 60 * 60 * 1000
_FOR_EVER_MS = -1
_ANY_TIME_MS = 2**63 - 1
_INPUT_MAX_BYTES = 1024 * 1024
_OUTPUT_MAX_BYTES = 4 * 1024 * 1024


class TopicSettings(BaseSettings):
    """What a cluster decides about the engine's topics, when they are created."""

    model_config = SettingsConfigDict(env_prefix="ADJUST_", frozen=True, extra="ignore")

    partitions: int = Field(
        default=12, ge=1, description="Partitions of every topic, fixed when it is created."
    )
    replication_factor: int = Field(
        default=1, ge=1, description="Copies of every partition; 3 on a cluster that must last."
    )


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One topic. Records have the account's refId as key."""

    name: str
    description: str
    writers: str
    readers: str
    schemas: tuple[str, ...] = ()  # names of published schemas; none: bytes as they were found
    key: str = "account refId in UTF-8"
    is_compacted: bool = False
    retention_ms: int = _FOR_EVER_MS
    is_stamped_by_broker: bool = False
    max_message_bytes: int = _OUTPUT_MAX_BYTES

    fixed: ClassVar[frozenset[str]] = frozenset(
        {
            "cleanup.policy",
            "retention.ms",
            "retention.bytes",
            "unclean.leader.election.enable",
            "max.message.bytes",
            "message.timestamp.type",
            "message.timestamp.before.max.ms",
            "message.timestamp.after.max.ms",
        }
    )

    def configs(self, settings: TopicSettings | None = None) -> dict[str, str]:
        """Give the topic's own Kafka settings; those in `fixed` are the same on every cluster."""
        copies = settings.replication_factor if settings else 1
        return {
            "cleanup.policy": "compact" if self.is_compacted else "delete",
            "retention.ms": str(self.retention_ms),
            "retention.bytes": "-1",
            "unclean.leader.election.enable": "false",
            "max.message.bytes": str(self.max_message_bytes),
            "message.timestamp.type": (
                "LogAppendTime" if self.is_stamped_by_broker else "CreateTime"
            ),
            "message.timestamp.before.max.ms": str(_ANY_TIME_MS),
            "message.timestamp.after.max.ms": str(_ANY_TIME_MS),
            "min.insync.replicas": str(max(1, copies - 1)),
        }


def _input(
    name: str, schema: str, description: str, writers: str, retention_ms: int = _FOR_EVER_MS
) -> Topic:
    return Topic(
        name=name,
        description=description,
        writers=writers,
        readers="engine",
        schemas=(schema,),
        is_stamped_by_broker=True,
        max_message_bytes=_INPUT_MAX_BYTES,
        is_compacted=name == "accounts",
        retention_ms=retention_ms,
    )


def _dead_letters(topic: str) -> Topic:
    return Topic(
        name=f"dlq-{topic}",
        description=f"Records of {topic} that could not be taken: their bytes, and why.",
        writers="engine",
        readers="operators",
        key="the key as it was found",
        retention_ms=_DAYS_90_MS,
    )


def _changelog(table: str) -> Topic:
    return Topic(
        name=f"adjust-{table}-changelog",
        description=f"The engine's rows of {table}; a lost local store is read back from here.",
        writers="engine",
        readers="engine",
        key="key of the row",
        is_compacted=True,
    )


INPUTS = (
    _input("accounts", "account-upsert", "Accounts as the CRM has them.", "CRM"),
    _input(
        "chargeable-events",
        "rated-chargeable-event",
        "Chargeable events as rated.",
        "rating",
        retention_ms=_DAYS_90_MS,
    ),
    _input(
        "adjustment-requests",
        "adjustment-request",
        "Adjustments that callers ask for.",
        "REST, any producer",
    ),
)

OUTPUTS = (
    Topic(
        name="adjustment-results",
        description="One result for every request. Read with isolation.level=read_committed.",
        writers="engine",
        readers="REST, producers",
        schemas=("adjustment-result",),
    ),
    Topic(
        name="business-transactions",
        description="The after-image of each changed entity. Read with "
        "isolation.level=read_committed.",
        writers="engine",
        readers="Finance, DWH, the API's read model",
        schemas=("account", "chargeable-event", "adjustment"),
    ),
)

BATCHES = Topic(
    name="adjustment-batches",
    description="Batches of adjustments: what was asked, and which chargeable events it is for.",
    writers="REST",
    readers="REST",
    key="batchId in small letters",
    is_stamped_by_broker=True,
)

DEAD_LETTERS = tuple(_dead_letters(topic.name) for topic in INPUTS)
CHANGELOGS = tuple(
    _changelog(table) for table in ("accounts", "chargeable-events", "answers", "progress")
)
CATALOGUE = (*INPUTS, *OUTPUTS, BATCHES, *DEAD_LETTERS, *CHANGELOGS)
