"""Writes what is published: JSON Schemas, and the AsyncAPI and OpenAPI documents.

usage: python -m tools.publish [--check]
"""

import argparse
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from api.app import build_app
from api.desk import Desk
from schemas.asyncapi import build_asyncapi
from schemas.messages import MESSAGES, json_schema

PUBLISHED = Path(str(files("schemas"))) / "published"


def documents() -> dict[str, str]:
    """Give every published file: its name and its text."""
    contents: dict[str, Any] = {f"{name}.json": json_schema(name) for name in MESSAGES}
    contents["asyncapi.json"] = build_asyncapi()
    contents["openapi.json"] = build_app(_no_desk).openapi()
    return {
        name: json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        for name, content in contents.items()
    }


@asynccontextmanager
async def _no_desk() -> AsyncIterator[Desk]:
    message = "the application is described here, never started"
    raise RuntimeError(message)
    yield


def differences(folder: Path) -> list[str]:
    """Give the names of files that are missing, out of date or not published any more."""
    wanted = documents()
    there = {path.name: path.read_text("utf-8") for path in folder.glob("*")}
    return sorted(name for name in wanted | there if wanted.get(name) != there.get(name))


def publish(folder: Path) -> None:
    """Make the folder say what the code says."""
    folder.mkdir(exist_ok=True)
    wanted = documents()
    for path in folder.glob("*"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, "utf-8")


def main(arguments: list[str] | None = None, folder: Path = PUBLISHED) -> int:
    """Write the files, or only check them; 1 where they are not current."""
    parser = argparse.ArgumentParser(prog="python -m tools.publish", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; say what is not so")
    if not parser.parse_args(arguments).check:
        publish(folder)
        return 0
    stale = differences(folder)
    if stale:
        names = ", ".join(stale)
        sys.stderr.write(f"{names}: not current in {folder.name}. Run python -m tools.publish.\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
