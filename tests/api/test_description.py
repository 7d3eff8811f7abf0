"""The description of REST is valid OpenAPI, says enough of everything, and its links lead on."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import httpx
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.results import Waiters
from api.store import Store
from tests.api.answering import AnsweringTopic
from tests.api.builders import REQUEST_ID, a_request
from tests.api.fakes import SettledReader

METHODS = {"get", "post"}
OTHER_ADDRESS = "adjustChargeableEvent"
PROBLEM = "application/problem+json"
OF_ANY_ANSWER = {"content-type", "content-length"}
BATCHES, BATCH = "/v1/adjustment-batches", f"/v1/adjustment-batches/{REQUEST_ID}"
BATCH_BODY = {
    "batchId": REQUEST_ID,
    "user": "fin:omar",
    "filter": {"kind": "USAGE"},
    "adjustment": {"adjustmentMode": "FULL", "chargeType": "CREDIT", "currency": "EUR"},
}
EVENT, REQUEST = "/v1/chargeable-events/CE-500001", f"/v1/adjustments/{REQUEST_ID}"


class Operation(NamedTuple):
    """An operation, and where it is."""

    name: str
    says: dict[str, Any]

    def answers(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give each answer with its status."""
        yield from self.says["responses"].items()

    def bodies(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Give where each body is, its media type, and what is said of it."""
        asked = self.says.get("requestBody", {"content": {}})
        for place, message in (("request", asked), *self.answers()):
            for media_type, said in message["content"].items():
                yield f"{self.name} {place}", media_type, said


class Call(NamedTuple):
    """A call of an operation, and the status of its answer."""

    operation: str
    path: str
    status: int
    headers: Mapping[str, str] = {}


CALLS = [
    Call("adjust", "/v1/adjustments", 201, {"Prefer": "wait=5"}),
    Call("adjust", "/v1/adjustments", 202, {"Prefer": "respond-async"}),
    Call("adjust", "/v1/adjustments", 400, {"Idempotency-Key": "another"}),
    Call("previewAdjustment", "/v1/adjustments/preview", 200),
    Call("previewAdjustment", "/v1/adjustments/preview", 400, {"Adjust-After": "nowhere"}),
    Call("getAdjustment", REQUEST, 404),
    Call("watchAdjustment", f"{REQUEST}/events", 404),
    Call("searchAdjustments", "/v1/adjustments", 200),
    Call("searchChargeableEvents", "/v1/chargeable-events", 200),
    Call("searchChargeableEvents", "/v1/chargeable-events?limit=0", 400),
    Call("getChargeableEvent", f"{EVENT}?account=ACC-2", 200),
    Call("getChargeableEvent", f"{EVENT}?account=ACC-2", 304, {"If-None-Match": "*"}),
    Call("getChargeableEvent", f"{EVENT}0", 404),
    Call("getChargeableEvent", EVENT, 409),
    Call("getChargeableEventHistory", f"{EVENT}/history?account=ACC-2", 200),
    Call("getAccount", "/v1/accounts/ACC-2", 200),
    Call("getAccount", "/v1/accounts/ACC-3", 404),
    Call("listReasons", "/v1/reasons", 200),
    Call("adjustBatch", BATCHES, 202),
    Call("adjustBatch", BATCHES, 400, {"Idempotency-Key": "another"}),
    Call("searchAdjustmentBatches", BATCHES, 200),
    Call("getAdjustmentBatch", BATCH, 404),
    Call("getAdjustmentBatchItems", f"{BATCH}/items", 404),
    Call("watchAdjustmentBatch", f"{BATCH}/events", 404),
]
MISSES = [call for call in CALLS if call.status == 404]


@pytest.fixture
def topic(store: Store, waiters: Waiters) -> AnsweringTopic:
    """A topic behind which an engine answers."""
    return AnsweringTopic(store, waiters)


@pytest.fixture
async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    """The description as it is served."""
    served: dict[str, Any] = (await client.get("/openapi.json")).json()
    return served


@pytest.fixture
def operations(document: dict[str, Any]) -> list[Operation]:
    """All operations that are described."""
    return [
        Operation(f"{method} {path}", says)
        for path, methods in document["paths"].items()
        for method, says in methods.items()
    ]


def test_it_is_valid_openapi(document: dict[str, Any]) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_each_operation_has_a_name_of_its_own_a_summary_and_a_tag(
    operations: list[Operation], document: dict[str, Any]
) -> None:
    tags = {tag["name"] for tag in document["tags"] if tag["description"]}
    assert {operation.name.split()[0] for operation in operations} <= METHODS
    for name, says in operations:
        assert says.get("summary"), name
        assert set(says.get("tags", ["none"])) <= tags, name
        assert says.get("operationId", "").isalpha(), name
    names = [operation.says["operationId"] for operation in operations]
    assert len(names) == len(set(names))


def test_each_parameter_is_described_and_each_place_in_a_path_is_one(
    operations: list[Operation],
) -> None:
    for name, says in operations:
        parameters = says.get("parameters", [])
        assert all(parameter["description"] and parameter["schema"] for parameter in parameters)
        places = {part[1:].partition("}")[0] for part in name.split("/") if part.startswith("{")}
        assert places == {item["name"] for item in parameters if item["in"] == "path"}, name
        known = [(item["in"], item["name"].lower()) for item in parameters]
        assert len(known) == len(set(known)), name


def test_each_answer_is_described_with_its_headers(operations: list[Operation]) -> None:
    for name, operation in ((operation.name, operation) for operation in operations):
        for status, answer in operation.answers():
            assert len(answer["description"]) > 3, (name, status)
            for header in answer.get("headers", {}).values():
                assert header["description"], (name, status)
                assert header["schema"], (name, status)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.operation} {call.status}")
async def test_a_header_that_an_answer_has_is_described(
    client: httpx.AsyncClient, operations: list[Operation], call: Call
) -> None:
    answer = await answer_of(client, call, operations)
    assert answer.status_code == call.status, answer.text
    assert undescribed(answer, called(operations, call.operation)) == set()


@pytest.mark.parametrize("call", MISSES, ids=lambda call: f"{call.operation} {call.status}")
async def test_a_header_of_an_answer_that_is_not_sure_yet_is_described(
    client: httpx.AsyncClient, operations: list[Operation], reader: SettledReader, call: Call
) -> None:
    reader.is_behind = True
    answer = await answer_of(client, call, operations)
    assert answer.status_code == 503
    assert undescribed(answer, called(operations, call.operation)) == set()


async def test_the_headers_of_what_becomes_of_a_request_are_described(
    client: httpx.AsyncClient, operations: list[Operation]
) -> None:
    await client.post("/v1/adjustments", json=a_request(), headers={"Prefer": "wait=5"})
    for name, path in (("getAdjustment", REQUEST), ("watchAdjustment", f"{REQUEST}/events")):
        answer = await client.get(path)
        assert (answer.status_code, undescribed(answer, called(operations, name))) == (200, set())
    again = await client.post("/v1/adjustments", json=a_request(), headers={"Prefer": "wait=5"})
    assert undescribed(again, called(operations, "adjust")) == set()


def test_each_json_body_has_an_example_that_its_schema_allows(
    operations: list[Operation], document: dict[str, Any]
) -> None:
    for operation in operations:
        for place, media_type, said in operation.bodies():
            if "json" in media_type:
                schema = said["schema"] | {"components": document["components"]}
                examples = list(examples_of(said, document))
                assert examples, place
                for example in examples:
                    Draft202012Validator(schema).validate(example)


def test_what_goes_wrong_is_a_problem_and_names_its_codes(
    operations: list[Operation], document: dict[str, Any]
) -> None:
    for operation in operations:
        assert "500" in operation.says["responses"], operation.name
        for status, answer in operation.answers():
            if status >= "400":
                assert list(answer["content"]) == [PROBLEM], (operation.name, status)
                said = answer["content"][PROBLEM]
                assert "#/components/schemas/Problem" in str(said["schema"])
                shown = {example["status"] for example in examples_of(said, document)}
                assert shown == {int(status)}, (operation.name, status)


def test_what_is_there_to_be_referred_to_is_referred_to(document: dict[str, Any]) -> None:
    text = str(document)
    for kind, components in document["components"].items():
        for name in components:
            assert f"#/components/{kind}/{name}'" in text, name


def test_every_code_is_shown_by_some_operation(
    operations: list[Operation], document: dict[str, Any]
) -> None:
    shown = {
        example["code"]
        for operation in operations
        for _, media_type, said in operation.bodies()
        if media_type == PROBLEM
        for example in examples_of(said, document)
    }
    codes = set(document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"])
    assert codes - shown == {"METHOD_NOT_ALLOWED"}  # whose methods are no operations


@pytest.mark.parametrize("preferred", ["wait=5", "respond-async"])
async def test_the_links_of_an_answer_lead_to_what_becomes_of_the_request(
    client: httpx.AsyncClient,
    operations: list[Operation],
    preferred: str,
) -> None:
    answer = await client.post("/v1/adjustments", json=a_request(), headers={"Prefer": preferred})
    named = {operation.says["operationId"]: operation for operation in operations}
    links = named["adjust"].says["responses"][str(answer.status_code)]["links"]
    assert set(links) == {"getAdjustment", "watchAdjustment"}
    for link in links.values():
        path, query = followed(link, answer.json(), named[link["operationId"]])
        found = await client.get(path, params=query, headers={"Prefer": "wait=5"})
        assert found.status_code == 200
        assert answer.json()["requestId"] in found.text
    assert found.url.path.startswith(answer.headers["Location"].partition("?")[0])


def test_both_addresses_of_an_adjustment_are_described_alike(document: dict[str, Any]) -> None:
    own = document["paths"]["/v1/adjustments"]["post"]
    other = document["paths"]["/v1/rm/billing-invoicing/adjust-chargeable-event"]["post"]
    assert own | {"operationId": OTHER_ADDRESS} == other


async def answer_of(
    client: httpx.AsyncClient, call: Call, operations: list[Operation]
) -> httpx.Response:
    """Make a call; what takes a body gets a request."""
    method = called(operations, call.operation).name.split()[0]
    posted = BATCH_BODY if call.path == BATCHES else a_request()
    body = posted if method == "post" else None
    return await client.request(method, call.path, json=body, headers=call.headers)


def called(operations: list[Operation], name: str) -> Operation:
    """Give the operation of this name."""
    return next(each for each in operations if each.says["operationId"] == name)


def undescribed(answer: httpx.Response, operation: Operation) -> set[str]:
    """Give the headers of an answer of which its description says nothing."""
    described = operation.says["responses"][str(answer.status_code)].get("headers", {})
    return {*answer.headers} - OF_ANY_ANSWER - {name.lower() for name in described}


def examples_of(said: dict[str, Any], document: dict[str, Any]) -> Iterator[Any]:
    """Give the examples of a body, those that are referred to too."""
    if "example" in said:
        yield said["example"]
    for example in said.get("examples", {}).values():
        name = example["$ref"].rpartition("/")[2]
        yield document["components"]["examples"][name]["value"]


def followed(
    link: dict[str, Any], body: dict[str, Any], to: Operation
) -> tuple[str, dict[str, str]]:
    """Give the path and the query that a link makes of an answer's body."""
    path, query = to.name.split()[1], {}
    for parameter, expression in link["parameters"].items():
        place, _, name = parameter.partition(".")
        value: Any = body
        for part in expression.removeprefix("$response.body#/").split("/"):
            value = value[part]
        if place == "path":
            path = path.replace(f"{{{name}}}", value)
        else:
            query[name] = value
    return path, query
