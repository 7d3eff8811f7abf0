"""The engine as a Faust app: three input topics, three tables, one agent."""

from pathlib import Path
from typing import Any

import faust
from prometheus_client import CollectorRegistry

from schemas.connection import KafkaConnection
from streams import tables
from streams.delivery.app import ExactlyOnceApp
from streams.delivery.batches import SliceSchema
from streams.delivery.delivery import Delivery
from streams.delivery.metrics import Metrics
from streams.delivery.plan import Plan
from streams.delivery.steps import Points, no_point
from streams.folder import WorkerFolder
from streams.handlers import handle_account, handle_chargeable_event, handle_request
from streams.publishing import BUSINESS_TRANSACTIONS, RESULTS
from streams.settings import WorkerSettings


def build_app(  # noqa: PLR0913 - what an app is made of
    *,
    settings: WorkerSettings,
    connection: KafkaConnection,
    folder: WorkerFolder,
    partitions: int,
    registry: CollectorRegistry,
    point: Points = no_point,
) -> faust.App:
    """The app of one worker. `point` hears of each step done: tests crash or wait there."""
    plan = build_plan(partitions)
    delivery = Delivery(
        plan=plan,
        folder=folder.path,
        client_options=connection.client_options(),
        session_s=settings.session_timeout_s,
        leaves_on_stop=settings.leave_on_stop,
        metrics=Metrics(registry),
        point=point,
    )
    app = ExactlyOnceApp(
        delivery,
        broker=[f"kafka://{address}" for address in connection.bootstrap_servers.split(",")],
        datadir=str(Path(folder.path)),
        consumer_group_instance_id=folder.instance_id if settings.static_membership else None,
    )
    for name in [*plan.tables, "progress"]:
        app.Table(name, partitions=partitions)
    inputs = app.topic(*plan.inputs, schema=SliceSchema())

    @app.agent(inputs)
    async def adjust(stream: Any) -> None:
        """Hand each slice to the unit of its partition number; never wait."""
        async for event in stream.noack().events():
            delivery.receive(event)

    return app


def build_plan(partitions: int) -> Plan:
    """What is delivered from where to where."""
    inputs = {
        "accounts": handle_account,
        "chargeable-events": handle_chargeable_event,
        "adjustment-requests": handle_request,
    }
    return Plan(
        app_id=tables.APP_ID,
        partitions=partitions,
        inputs=inputs,
        outputs=(RESULTS, BUSINESS_TRANSACTIONS),
        dead_letters={topic: f"dlq-{topic}" for topic in inputs},
        tables=tables.tables(),
        progress_changelog=tables.changelog_of("progress"),
    )
