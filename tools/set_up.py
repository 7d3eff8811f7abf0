"""Makes the virtual environment that requirements.lock describes; needs nothing but Python.

usage: python3 tools/set_up.py      (the Makefile calls it when the lock has changed)
"""

from __future__ import annotations  # an older Python must be able to read on and say so

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

OLDEST = (3, 11)
UV = "uv==0.13.9"
ROOT = Path(__file__).resolve().parent.parent
VENV, LOCK = ROOT / ".venv", ROOT / "requirements.lock"
PIP_TO_UV = {  # uv reads neither pip.conf nor PIP_*
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}


def main() -> int:
    """Make the environment, or say in a sentence why it cannot be made."""
    if sys.version_info < OLDEST:
        found = f"{sys.version_info.major}.{sys.version_info.minor}"
        say(
            f"Python 3.11 or newer is needed, this is {found}; name another: make PYTHON=python3.12"
        )
        return 1
    try:
        make_environment()
    except subprocess.CalledProcessError as error:
        say(f"set-up failed: {' '.join(map(str, error.cmd[:6]))} ended with {error.returncode}")
        return 1
    (VENV / "ready").touch()
    return 0


def make_environment() -> None:
    """A virtual environment with exactly the locked packages."""
    python = VENV / "bin" / "python"
    if not (VENV / "bin" / "pip").exists():  # none yet, or one that was interrupted
        say("making the virtual environment .venv")
        shutil.rmtree(VENV, ignore_errors=True)
        made = subprocess.run(
            [sys.executable, "-m", "venv", VENV], capture_output=True, text=True, check=False
        )
        if made.returncode:
            say(made.stdout + made.stderr)
            say("On Debian and Ubuntu: apt install python3-venv")
            made.check_returncode()
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    say("installing the locked packages")
    try:
        run([*pip, "install", "--quiet", UV])
        run([python, "-m", "uv", "pip", "sync", "--require-hashes", "--python", python, LOCK])
        run([*pip, "install", "--quiet", UV])  # `sync` took it away, and `make lock` needs it
    except subprocess.CalledProcessError:
        say("uv could not, trying pip")
        run([*pip, "install", "--require-hashes", "--requirement", LOCK])


def run(command: Sequence[object]) -> None:
    """Run a command in the terminal's sight."""
    subprocess.run([*map(str, command)], check=True, env={**os.environ, **pip_settings()})


def pip_settings() -> dict[str, str]:
    """The index and certificates that pip was told of, in the words of uv."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    settings = {}
    for line in listed.stdout.splitlines():
        name, _, value = line.partition("=")
        wanted = PIP_TO_UV.get(name.rpartition(".")[2])
        if wanted and wanted not in os.environ:
            settings[wanted] = value.strip("'\"")
    return settings


def say(text: str) -> None:
    """One line for the person in front."""
    sys.stderr.write(f"set-up: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
