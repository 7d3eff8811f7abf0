"""One engine worker: `python -m streams`."""

import argparse
import asyncio
import gc
import logging
import os
import sys

from aiokafka.errors import KafkaError
from faust import Worker
from prometheus_client import CollectorRegistry, start_http_server
from pydantic import ValidationError

from schemas.connection import KafkaConnection
from schemas.header_names import accept_any_header_name
from schemas.topics import TopicSettings
from streams.app import build_app
from streams.delivery.steps import Points, no_point
from streams.folder import FolderError, claim_folder
from streams.settings import WorkerSettings
from streams.topics import TopicError, check_topics


def main() -> int:
    """Check, lock a folder, serve until a signal. Answers with the exit code."""
    argparse.ArgumentParser(
        prog="python -m streams",
        description="One engine worker. Settings: ADJUST_* variables, see docs/settings.md.",
    ).parse_args()
    return serve()


def serve(point: Points = no_point) -> int:
    """One worker's life. `point` hears of each step done: tests crash or wait there."""
    os.environ.setdefault("NO_COLOR", "1")
    accept_any_header_name()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # while it waits for Kafka
    try:
        settings, connection = WorkerSettings(), KafkaConnection()
        partitions = asyncio.run(check_topics(connection, TopicSettings()))
        folder = claim_folder(settings.home)
        registry = CollectorRegistry()
        if settings.metrics_port:
            start_http_server(settings.metrics_port, settings.metrics_host, registry)
        app = build_app(
            settings=settings,
            connection=connection,
            folder=folder,
            partitions=partitions,
            registry=registry,
            point=point,
        )
    except (TopicError, FolderError, ValidationError, KafkaError, OSError) as error:
        sys.stderr.write(f"adjust worker cannot start: {error}\n")
        return 1
    # Records come by the hundred thousand and die young: look for cycles seldom.
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    _Worker(app, loglevel="info", redirect_stdouts=False, loop=loop).execute_from_commandline()
    return 0


class _Worker(Worker):
    """Faust's, with what its parts tell of themselves left out."""

    def on_setup_root_logger(self, logger: logging.Logger, level: int) -> None:
        super().on_setup_root_logger(logger, level)
        for chatty in ("faust", "mode", "streams"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of each try anew


if __name__ == "__main__":
    sys.exit(main())
