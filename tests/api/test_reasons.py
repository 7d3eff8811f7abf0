"""The list of reasons as a caller of REST gets it."""

import httpx
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from schemas.reasons import DEFAULT_REASON, REASONS

PATH = "/v1/reasons"


async def test_all_reasons_are_listed_in_the_order_of_the_data(client: httpx.AsyncClient) -> None:
    answer = await client.get(PATH)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "max-age=60"
    assert answer.json()["next"] is None
    assert [reason["code"] for reason in answer.json()["items"]] == list(REASONS)


async def test_a_reason_says_what_a_caller_must_know(client: httpx.AsyncClient) -> None:
    reasons = {reason["code"]: reason for reason in (await client.get(PATH)).json()["items"]}
    assert reasons["GOODWILL"] == {
        "code": "GOODWILL",
        "name": "Goodwill",
        "chargeTypes": ["CREDIT"],
        "glCode": "4904-GOOD",
        "commentRequired": False,
        "isDefault": False,
    }
    assert reasons["OTHER"]["commentRequired"] is True
    assert reasons["OTHER"]["chargeTypes"] == ["CREDIT", "DEBIT"]


async def test_exactly_one_reason_is_the_default(client: httpx.AsyncClient) -> None:
    reasons = (await client.get(PATH)).json()["items"]
    defaults = [reason["code"] for reason in reasons if reason["isDefault"]]
    assert defaults == [DEFAULT_REASON] == ["BILLING_ERROR"]


async def test_the_list_of_reasons_fits_its_description(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    described = document["paths"][PATH]["get"]
    assert (described["operationId"], described["tags"]) == ("listReasons", ["reasons"])
    schema = described["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/ReasonList"}
    Draft202012Validator({**schema, "components": document["components"]}).validate(
        (await client.get(PATH)).json()
    )
    for name in ("Reason", "ReasonList"):
        output = document["components"]["schemas"][name]
        assert set(output["required"]) == set(output["properties"])
