"""Every message by the name that its JSON Schema is published under, with its examples."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel

from schemas.account import Account, AccountUpsert
from schemas.adjustment import Adjustment, AdjustmentRequest
from schemas.adjustment_result import AdjustmentResult
from schemas.chargeable_event import ChargeableEvent, RatedChargeableEvent
from schemas.mode_schema import add_modes

MESSAGES: dict[str, type[BaseModel] | type[msgspec.Struct]] = {
    "account-upsert": AccountUpsert,
    "rated-chargeable-event": RatedChargeableEvent,
    "adjustment-request": AdjustmentRequest,
    "adjustment-result": AdjustmentResult,
    "account": Account,
    "chargeable-event": ChargeableEvent,
    "adjustment": Adjustment,
}
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(name: str) -> dict[str, Any]:
    """Give the JSON Schema of a message, complete in itself."""
    head = {"$schema": DIALECT, "$id": f"/schemas/{name}.json"}
    return head | schema_with_parts(name, "#/$defs/")


def schema_with_parts(name: str, place: str) -> dict[str, Any]:
    """Give the schema of a message; it refers to its parts, in `$defs`, as to be in `place`."""
    message = MESSAGES[name]
    if issubclass(message, BaseModel):
        schema = message.model_json_schema(ref_template=place + "{model}")
        if message is AdjustmentRequest:
            add_modes(schema)
        return schema
    return msgspec.json.schema(message, ref_template=place + "{name}")


def examples_folder() -> Path:
    """Give the folder of the hand-written examples: a folder a message, a file an example."""
    return Path(str(files("schemas"))) / "examples"


def examples_of(name: str) -> dict[str, Any]:
    """Give a message's examples, by what they show."""
    paths = sorted((examples_folder() / name).glob("*.json"))
    return {path.stem.replace("-", " "): json.loads(path.read_bytes()) for path in paths}
