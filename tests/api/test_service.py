"""What operators and developers are told."""

import re

import httpx
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from api.problems import EXPLANATIONS, type_of
from schemas.refusals import Refusal
from tests.api.builders import a_request
from tests.api.fakes import ListedTopic, SettledReader

BATCH = "/{batch_id}"
PATHS = {
    *(f"/v1/adjustment-batches{rest}" for rest in ("", BATCH, f"{BATCH}/items", f"{BATCH}/events")),
    *("/v1/adjustments", "/v1/adjustments/preview"),
    "/v1/rm/billing-invoicing/adjust-chargeable-event",
    "/v1/adjustments/{request_id}",
    "/v1/adjustments/{request_id}/events",
    "/v1/chargeable-events",
    "/v1/chargeable-events/{ref_id}",
    "/v1/chargeable-events/{ref_id}/history",
    "/v1/accounts/{ref_id}",
    "/v1/reasons",
    *("/livez", "/readyz", "/metrics", "/asyncapi.json", "/schemas/{name}.json"),
    "/problems/{name}",
}


async def test_the_process_says_that_it_lives(client: httpx.AsyncClient) -> None:
    assert (await client.get("/livez")).status_code == 200


async def test_it_is_ready_only_after_the_ends_at_start_were_reached(
    client: httpx.AsyncClient, reader: SettledReader
) -> None:
    reader.lag = 3
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "lag": 3})
    reader.is_ready = False
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_UNAVAILABLE")


async def test_answers_are_counted(client: httpx.AsyncClient) -> None:
    await client.get("/nowhere")
    text = (await client.get("/metrics")).text
    assert 'adjust_api_answers_total{method="GET",status="404"} 1.0' in text


async def test_every_code_has_a_page_and_every_refusal_a_status(client: httpx.AsyncClient) -> None:
    assert {*Refusal} <= EXPLANATIONS.keys()
    listed = (await client.get("/problems")).text
    for code in EXPLANATIONS:
        page = await client.get(type_of(code))
        assert (page.status_code, code in page.text, code in listed) == (200, True, True)
    assert (await client.get("/problems/none-such")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/v1/adjustments/", 404),
        ("GET", "/v1/adjustments/a/b/c", 404),
        ("GET", "/docs/static/none", 404),
        ("GET", "/docs/static/%2e%2e/core.py", 404),
        ("GET", "/schemas/none.json", 404),
        ("GET", "/schemas/..%2fasyncapi.json", 404),
        ("DELETE", "/v1/adjustments", 405),
        ("PUT", "/livez", 405),
    ],
)
async def test_what_is_not_there_is_a_problem(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


async def test_the_description_of_rest_is_complete_and_without_loose_ends(
    client: httpx.AsyncClient,
) -> None:
    document = (await client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == PATHS
    components = document["components"]["schemas"]
    named = re.findall(r"'#/components/schemas/([^']+)'", str(document))
    assert set(named) <= set(components)
    for schema in components.values():
        Draft202012Validator.check_schema(schema)


async def test_the_described_examples_are_what_rest_takes_and_gives(
    client: httpx.AsyncClient, topic: ListedTopic
) -> None:
    document = (await client.get("/openapi.json")).json()
    examples = document["components"]["examples"]
    answer = await client.post(
        "/v1/adjustments",
        json=examples["credit-of-an-amount-with-tax"]["value"],
        headers={"Prefer": "respond-async"},
    )
    assert answer.status_code == 202
    received = examples["AdjustmentReceived"]["value"]
    assert answer.json() | {"requestedAt": received["requestedAt"]} == received
    malformed = await client.post("/v1/adjustments", json=a_request(user=...))
    problem = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
    Draft202012Validator(problem).validate(malformed.json())
    assert len(topic.sent) == 1


async def test_the_pages_of_the_api_need_no_internet(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert sources
    for source in sources:
        assert source.startswith("/")
        assert (await client.get(source)).status_code == 200


async def test_the_description_of_the_topics_and_each_schema_are_served(
    client: httpx.AsyncClient,
) -> None:
    assert (await client.get("/asyncapi.json")).json()["asyncapi"].startswith("3.")
