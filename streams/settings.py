"""The settings of one engine worker, from the environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class WorkerSettings(BaseSettings):
    """Read once, in `__main__`. None of them changes what is decided."""

    model_config = SettingsConfigDict(env_prefix="ADJUST_", frozen=True, extra="ignore")

    home: Path = Field(
        default=Path(".adjust"),
        description="Folder for local data; workers on one machine share it.",
    )
    metrics_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port of the worker's metrics for Prometheus on 127.0.0.1; 0: none.",
    )
    metrics_host: str = Field(
        default="127.0.0.1", description="Address on which the metrics are served."
    )
    session_timeout_s: float = Field(
        default=6.0,
        ge=6.0,
        le=300.0,
        description="Seconds without a heartbeat after which other workers take over.",
    )
    static_membership: bool = Field(
        default=True,
        description="Keep the group's membership over a crash, so that a restart moves nothing.",
    )
    leave_on_stop: bool = Field(
        default=True,
        description=(
            "Hand partitions over at once on an orderly stop; false keeps them for a worker"
            " that comes back within the session time-out."
        ),
    )
