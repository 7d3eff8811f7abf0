"""The settings of a subscriber, from the environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class SubscriberSettings(BaseSettings):
    """Read once, in `__main__`; the address of Kafka is in `schemas.connection`."""

    model_config = SettingsConfigDict(env_prefix="ADJUST_", frozen=True, extra="ignore")

    home: Path = Field(
        default=Path(".adjust"),
        description="Folder of local data; the warehouse is its folder `dwh`.",
    )
    finance_url: str | None = Field(
        default=None,
        description="SQLAlchemy URL of Finance's database. Default: the SQLite file `finance.db` "
        "in ADJUST_HOME.",
    )
    finance_accounts: Path | None = Field(
        default=None,
        description="TOML file that names the general ledger accounts. Default: the one that "
        "comes along.",
    )
    dwh_flush_s: float = Field(
        default=10.0,
        gt=0,
        le=20.0,
        description="Seconds after which rows that were read are in files of the warehouse.",
    )
    lease_s: float = Field(
        default=5.0,
        gt=0,
        le=300.0,
        description="Seconds without a sign of life after which another instance of the same "
        "subscriber takes over.",
    )
    metrics_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port of the subscriber's metrics for Prometheus; 0: none.",
    )
    metrics_host: str = Field(
        default="127.0.0.1", description="Address on which the metrics are served."
    )

    @property
    def finance_database(self) -> str:
        """The URL of Finance's database."""
        return self.finance_url or f"sqlite:///{self.home / 'finance.db'}"

    @property
    def warehouse(self) -> Path:
        """The folder of the warehouse."""
        return self.home / "dwh"
