"""What REST can be told from outside: where it listens, and where it keeps what it has read."""

import ipaddress
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

BATCH_IN_FLIGHT = 8_000  # items
PROCESSES_MAX = 16  # of REST in one ADJUST_HOME


class ApiSettings(BaseSettings):
    """Settings of REST; the address of Kafka is in `schemas.connection`."""

    model_config = SettingsConfigDict(env_prefix="ADJUST_", frozen=True, extra="ignore")

    api_host: str = Field(default="127.0.0.1", description="Address that REST listens on.")
    api_port: int = Field(default=8080, ge=0, le=65535, description="Port that REST listens on.")
    api_open: bool = Field(
        default=False,
        description="Allows REST to listen on other than loopback addresses. It asks nobody who "
        "they are: whoever reaches the address may adjust charges.",
    )
    home: Path = Field(default=Path(".adjust"), description="Folder of local data.")
    read_model_url: str | None = Field(
        default=None,
        description="SQLAlchemy URL of what REST keeps of the topics; a cache, rebuilt from the "
        "topics where it is lost. Each process needs one of its own. Default: the SQLite file "
        "`api.db` in ADJUST_HOME, `api-1.db` for a second process, and so on.",
    )

    batch_in_flight: int = Field(
        default=BATCH_IN_FLIGHT,
        ge=1,
        le=100_000,
        description="How many items of batches a REST process has under way at most. While single "
        "requests come it has so few that these are quick; the first of them waits for all.",
    )

    @property
    def database_urls(self) -> list[str]:
        """Where what was read may be kept: the first that no other process holds."""
        if self.read_model_url is not None:
            return [self.read_model_url]
        names = ["api.db", *(f"api-{number}.db" for number in range(1, PROCESSES_MAX))]
        return [f"sqlite:///{self.home / name}" for name in names]

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        if self.api_host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.api_host).is_loopback
        except ValueError:
            return False
