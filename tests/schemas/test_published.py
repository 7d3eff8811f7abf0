"""Tests that what is published of the messages is true, complete and current."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import msgspec
import pytest

from schemas.account import AccountUpsert
from schemas.adjustment import AdjustmentRequest
from schemas.asyncapi import build_asyncapi
from schemas.chargeable_event import RatedChargeableEvent
from schemas.dead_letters import DeadLetterCode
from schemas.messages import MESSAGES, examples_folder, examples_of, json_schema
from schemas.reading import read_account, read_rated_event, read_request
from schemas.reasons import DEFAULT_REASON, REASONS
from schemas.refusals import Refusal
from tests.builders import as_bytes
from tools.publish import main

EXAMPLES = [(name, shows) for name in MESSAGES for shows in examples_of(name)]
INCOMING = {
    AdjustmentRequest: read_request,
    AccountUpsert: read_account,
    RatedChargeableEvent: read_rated_event,
}


@pytest.mark.parametrize(("name", "shows"), EXAMPLES)
def test_an_example_is_read_and_written_as_it_stands(name: str, shows: str) -> None:
    example, message = examples_of(name)[shows], MESSAGES[name]
    if message in INCOMING:
        read = INCOMING[message](as_bytes(example))
        assert isinstance(read, message)
        written = json.loads(read.model_dump_json(by_alias=True, exclude_unset=True))
    else:
        written = json.loads(msgspec.json.encode(msgspec.convert(example, message)))
    assert list(written.items()) == list(example.items())


@pytest.mark.parametrize(("name", "shows"), EXAMPLES)
def test_an_example_fits_its_published_schema(name: str, shows: str) -> None:
    jsonschema.validate(examples_of(name)[shows], json_schema(name))


def test_every_message_has_an_example_and_every_example_a_message() -> None:
    assert {path.name for path in examples_folder().iterdir()} == set(MESSAGES)
    files = [path for path in examples_folder().rglob("*") if path.is_file()]
    assert len(files) == len(EXAMPLES)
    assert {name for name, _ in EXAMPLES} == set(MESSAGES)


@pytest.mark.parametrize("name", MESSAGES)
def test_every_attribute_is_described(name: str) -> None:
    schema = json_schema(name)
    for part in (schema, *schema.get("$defs", {}).values()):
        for field, described in part.get("properties", {}).items():
            assert "$ref" in described or described.get("description"), (name, field)


def test_outputs_always_have_all_their_attributes() -> None:
    for name in ("adjustment-result", "account", "chargeable-event", "adjustment"):
        for part in json_schema(name)["$defs"].values():
            assert set(part.get("required", ())) == set(part.get("properties", ()))


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = build_asyncapi()
    for reference in _references(document):
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_every_code_explains_itself_in_what_is_published() -> None:
    published = json.dumps(build_asyncapi(), ensure_ascii=False)
    for refusal in Refusal:
        assert refusal.headline
        assert f"{refusal}: {refusal.explanation}" in published
    for code in DeadLetterCode:
        assert f"{code}: {code.explanation}" in published


def test_the_reasons_are_listed_by_their_codes() -> None:
    assert all(code == reason.code for code, reason in REASONS.items())
    assert DEFAULT_REASON in REASONS
    assert [code for code, reason in REASONS.items() if reason.comment_required] == ["OTHER"]
    assert [code for code, reason in REASONS.items() if len(reason.charge_types) == 1] == [
        "GOODWILL"
    ]


def test_the_published_files_are_current() -> None:
    assert main(["--check"]) == 0


def test_a_file_that_is_not_current_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "published"
    assert main([], folder) == 0
    (folder / "account.json").write_text("{}")
    (folder / "forgotten.json").write_text("{}")
    assert main(["--check"], folder) == 1
    assert "account.json, forgotten.json: not current" in capsys.readouterr().err
    assert main([], folder) == 0
    assert main(["--check"], folder) == 0


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for each in part.values():
            yield from _references(each)
    elif isinstance(part, list):
        for each in part:
            yield from _references(each)
