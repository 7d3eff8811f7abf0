"""A Faust app whose delivery is exactly once."""

from typing import Any

import faust
from faust.app.base import BootStrategy
from faust.stores import STORES

from streams.delivery.batches import Transport
from streams.delivery.delivery import Delivery
from streams.delivery.rebalance import Tables


class _Boot(BootStrategy):
    """Records are written by the units' own producers only."""

    enable_kafka_producer = False


class ExactlyOnceApp(faust.App):
    """Faust's App, agents, topics, tables, assignment and worker; delivery is the units'."""

    BootStrategy = _Boot

    def __init__(self, delivery: Delivery, **options: Any) -> None:
        STORES.aliases["unit"] = "streams.delivery.rebalance:UnitStore"
        session = delivery.session_s
        super().__init__(
            delivery.plan.app_id,
            topic_partitions=delivery.plan.partitions,
            store="unit://",
            TableManager=Tables,
            consumer_auto_offset_reset="none",
            table_standby_replicas=0,
            topic_disable_leader=True,
            topic_allow_declare=False,
            web_enabled=False,
            stream_wait_empty=True,
            broker_session_timeout=session,
            broker_request_timeout=max(40.0, session * 2),
            broker_heartbeat_interval=session / 5,
            broker_rebalance_timeout=60.0,
            broker_max_poll_records=2000,
            stream_buffer_maxsize=64,
            worker_redirect_stdouts=False,
            **options,
        )
        self.delivery = delivery

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)
