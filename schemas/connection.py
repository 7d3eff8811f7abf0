"""How every part reaches Kafka: its address and security, from the environment."""

import re
import ssl
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s,:\[\]]+)(:[0-9]{1,5})?")


def _are_addresses(text: str) -> str:
    for address in text.split(","):
        if not _ADDRESS.fullmatch(address.strip()):
            message = f"{address.strip()!r} is no address; write host:port, several with commas"
            raise ValueError(message)
    return text


class KafkaConnection(BaseSettings):
    """The address of a Kafka and how to be let in. Shared by worker, REST and readers."""

    model_config = SettingsConfigDict(env_prefix="ADJUST_", frozen=True, extra="ignore")

    bootstrap_servers: Annotated[str, AfterValidator(_are_addresses)] = Field(
        default="127.0.0.1:9092",
        description="Kafka of your own, as host:port separated by commas; none is started then.",
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="How connections to Kafka are secured."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="PLAIN", description="How the user name is proved where the protocol is SASL."
    )
    sasl_username: str | None = Field(default=None, description="The user name for SASL.")
    sasl_password: SecretStr | None = Field(default=None, description="The password for SASL.")
    ssl_cafile: str | None = Field(
        default=None, description="PEM file of the authority to trust; default: the system's."
    )
    ssl_certfile: str | None = Field(
        default=None, description="PEM file of the client's own certificate, where Kafka asks it."
    )
    ssl_keyfile: str | None = Field(
        default=None, description="PEM file of the key of the client's own certificate."
    )

    @property
    def uses_tls(self) -> bool:
        """Whether connections are encrypted."""
        return self.security_protocol in {"SSL", "SASL_SSL"}

    @property
    def uses_sasl(self) -> bool:
        """Whether Kafka asks for a user name."""
        return self.security_protocol.startswith("SASL")

    def client_options(self) -> dict[str, Any]:
        """What each aiokafka client is given. Raises OSError for a file that is not there."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": self.security_protocol,
        }
        if self.uses_tls:
            context = ssl.create_default_context(cafile=self.ssl_cafile)
            if self.ssl_certfile:
                context.load_cert_chain(self.ssl_certfile, self.ssl_keyfile)
            options["ssl_context"] = context
        if self.uses_sasl:
            options |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.sasl_username,
                "sasl_plain_password": _text(self.sasl_password),
            }
        return options

    def confluent_options(self) -> dict[str, str]:
        """The same for confluent-kafka."""
        options = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol,
            "ssl.ca.location": self.ssl_cafile if self.uses_tls else None,
            "ssl.certificate.location": self.ssl_certfile if self.uses_tls else None,
            "ssl.key.location": self.ssl_keyfile if self.uses_tls else None,
            "sasl.mechanism": self.sasl_mechanism if self.uses_sasl else None,
            "sasl.username": self.sasl_username if self.uses_sasl else None,
            "sasl.password": _text(self.sasl_password) if self.uses_sasl else None,
        }
        return {name: value for name, value in options.items() if value is not None}


def _text(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
