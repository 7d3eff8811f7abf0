"""Writes the locks from pom.xml; for maintainers, since it needs mvn and a fetch never does.

usage: python -m tools.kafka.lock
"""

import hashlib
import json
import subprocess
import tempfile
from pathlib import Path

from tools.kafka.jars import COMPILER_LOCK, LOCK

POM = Path(__file__).with_name("pom.xml")


def main() -> None:
    """Write both: what Kafka runs with, and the compiler."""
    _write(LOCK, "runtime")
    _write(COMPILER_LOCK, "provided")


def _write(lock: Path, scope: str) -> None:
    """Resolve the dependencies with Maven, and note size and SHA-256 of each jar."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                *("mvn", "-q", "-B", "-C", "-f", str(POM), "dependency:copy-dependencies"),
                *(f"-DincludeScope={scope}", "-Dmdep.useRepositoryLayout=true"),
                f"-DoutputDirectory={folder}",
            ],
            check=True,
        )
        jars = [_entry(jar, Path(folder)) for jar in sorted(Path(folder).rglob("*.jar"))]
    lock.write_text(json.dumps({"jars": jars}, indent=1) + "\n")
    print(f"{len(jars)} jars in {lock}")


def _entry(jar: Path, folder: Path) -> dict[str, object]:
    return {
        "path": jar.relative_to(folder).as_posix(),
        "size": jar.stat().st_size,
        "sha256": hashlib.sha256(jar.read_bytes()).hexdigest(),
    }


if __name__ == "__main__":
    main()
