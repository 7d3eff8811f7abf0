"""The adjustment that a new system begins with: asked over REST, followed to Finance, and told."""

from collections.abc import Callable
from typing import Any

import httpx

from schemas.connection import KafkaConnection
from streams.domain.amounts import micro_as_money
from tools.demo import transactions_of

WAIT_S = 30
ENTITIES = 2  # a chargeable event and its adjustment

DEMO_REQUEST = {
    "requestId": "1b6f0b0a-3c6e-4c1f-8f0b-5d9e2a7c4e01",
    "user": "crm:demo",
    "account": {"refId": "ACC-1001"},
    "chargeableEventRefId": "CE-500002",
    "chargeType": "CREDIT",
    "chargeAdjustment": 5_000_000,
    "currency": "EUR",
    "taxIncluded": True,
    "reason": "GOODWILL",
}
CURL_REQUEST = {
    "requestId": "7d8f3f3e-6f0a-4d2b-9a51-0c8a5f6f2f10",
    "user": "crm:jane",
    "account": {"refId": "ACC-1001"},
    "chargeableEventRefId": "CE-500001",
    "chargeType": "CREDIT",
    "chargeAdjustment": 1_000_000,
    "currency": "EUR",
    "taxIncluded": True,
    "reason": "INCORRECT_METERING",
}


async def adjust_first(url: str, connection: KafkaConnection, tell: Callable[[str], None]) -> None:
    """Ask for the demonstration's adjustment and tell what became of it."""
    tell(f"asked:    {_asked(DEMO_REQUEST)}")
    async with httpx.AsyncClient(trust_env=False, timeout=WAIT_S + 5) as client:
        response = await client.post(
            f"{url}/v1/adjustments", json=DEMO_REQUEST, headers={"Prefer": f"wait={WAIT_S}"}
        )
    answer = response.json()
    if response.status_code != httpx.codes.CREATED:
        tell(f"answered: {response.status_code} {answer.get('title') or answer.get('status')}")
        return
    tell(f"answered: 201 {answer['status']}, effect {_money(answer['adjustment'], 'effect')}")
    request_id = str(DEMO_REQUEST["requestId"])
    for image in await transactions_of(connection, request_id, ENTITIES):
        tell(f"Finance:  {_image(image)}")


def _asked(request: dict[str, Any]) -> str:
    amount = micro_as_money(request["chargeAdjustment"], request["currency"])
    event, account = request["chargeableEventRefId"], request["account"]["refId"]
    tax = "with" if request["taxIncluded"] else "without"
    return (
        f"POST /v1/adjustments: {request['chargeType']} {amount} {tax} tax on {event} of {account}"
    )


def _image(image: dict[str, Any]) -> str:
    if image["entity"] == "adjustment":
        return (
            f"adjustment {image['refId']}, {_money(image, 'effect')}, {image['billingTreatment']}"
        )
    return (
        f"chargeableEvent {image['refId']} version {image['version']}, "
        f"{image['adjustmentState']}, now {_money(image, 'current')}"
    )


def _money(image: dict[str, Any], name: str) -> str:
    """Give three amounts, as `-5.00 EUR (-4.132231 without tax, tax -0.867769)`."""
    amounts, currency = image[name], image["currency"]
    excluded, tax, total = (
        ("-" if amounts[part] < 0 else "") + micro_as_money(abs(amounts[part]), currency)
        for part in ("taxExcludedAmount", "taxAmount", "taxIncludedAmount")
    )
    return f"{total} ({excluded.split()[0]} without tax, tax {tax.split()[0]})"
