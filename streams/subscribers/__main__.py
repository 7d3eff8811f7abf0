"""A subscriber to business transactions: `python -m streams.subscribers finance`, or `dwh`."""

import argparse
import asyncio
import io
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server
from pydantic import ValidationError

from schemas.connection import KafkaConnection
from schemas.header_names import accept_any_header_name
from streams.subscribers.errors import FencedError, StoreError
from streams.subscribers.finance.export import export
from streams.subscribers.finance.gl_accounts import GlAccountsError, read_accounts
from streams.subscribers.finance.store import FinanceStore
from streams.subscribers.metrics import Metrics
from streams.subscribers.reader import Reader, Store
from streams.subscribers.settings import SubscriberSettings
from streams.subscribers.warehouse.sql import run_sql
from streams.subscribers.warehouse.store import Warehouse

MISTAKE, FENCED = 2, 3  # exit codes


def main() -> int:
    """Give the exit code: 0 after an orderly stop."""
    asked = _parser().parse_args()
    try:
        settings = SubscriberSettings()
        run: Callable[[argparse.Namespace, SubscriberSettings], int] = asked.run
        return run(asked, settings)
    except ValidationError as error:
        faults = (
            f"ADJUST_{fault['loc'][0]}".upper() + f": {fault['msg']}" for fault in error.errors()
        )
        problem: object = "; ".join(faults)
    except (KeyboardInterrupt, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still to be written has no reader
        return 0
    except (GlAccountsError, StoreError, OSError) as error:
        problem = error
    sys.stderr.write(f"adjust {asked.name}: {problem}\n")
    return MISTAKE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m streams.subscribers",
        description="Subscribers to business transactions. Settings: ADJUST_* variables, "
        "see docs/settings.md.",
    )
    names = parser.add_subparsers(dest="name", required=True, metavar="finance | dwh")
    finance = names.add_parser(
        "finance", help="keep Finance's database", description="Keeps Finance's database."
    )
    finance.set_defaults(run=_finance)
    dwh = names.add_parser(
        "dwh", help="keep the warehouse's files", description="Keeps the warehouse's files."
    )
    dwh.set_defaults(run=_dwh)
    more = finance.add_subparsers(metavar="export")
    journal = more.add_parser("export", help="write a period's journal as CSV")
    journal.add_argument(
        "--from",
        dest="first",
        type=date.fromisoformat,
        required=True,
        metavar="DAY",
        help="first day, UTC, as in 2026-11-01",
    )
    journal.add_argument(
        "--to",
        dest="end",
        type=date.fromisoformat,
        required=True,
        metavar="DAY",
        help="the day after the last",
    )
    journal.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    journal.set_defaults(run=_export)
    asking = dwh.add_subparsers(metavar="sql").add_parser("sql", help="ask the warehouse")
    asking.add_argument("query", help="a query in SQL over the views of docs/subscribing.md")
    asking.set_defaults(run=_sql)
    return parser


def _finance(_asked: argparse.Namespace, settings: SubscriberSettings) -> int:
    accounts = read_accounts(settings.finance_accounts)
    store = FinanceStore(settings.finance_database, accounts, settings.lease_s)
    return _serve("finance", settings, store)


def _dwh(_asked: argparse.Namespace, settings: SubscriberSettings) -> int:
    store = Warehouse(settings.warehouse, lease_s=settings.lease_s, flush_s=settings.dwh_flush_s)
    return _serve("dwh", settings, store)


def _export(asked: argparse.Namespace, settings: SubscriberSettings) -> int:
    if asked.output is None:
        assert isinstance(sys.stdout, io.TextIOWrapper)
        sys.stdout.reconfigure(encoding="utf-8", newline="")
        export(settings.finance_database, asked.first, asked.end, sys.stdout)
        return 0
    # A file that was there stays until there is a whole one.
    part = asked.output.with_name(f"{asked.output.name}.part")
    try:
        with part.open("w", newline="", encoding="utf-8") as out:
            lines = export(settings.finance_database, asked.first, asked.end, out)
        part.replace(asked.output)
    finally:
        part.unlink(missing_ok=True)
    sys.stdout.write(f"{lines} lines are in {asked.output}\n")
    return 0


def _sql(asked: argparse.Namespace, settings: SubscriberSettings) -> int:
    return run_sql(settings.warehouse, asked.query, sys.stdout)


def _serve(name: str, settings: SubscriberSettings, store: Store) -> int:
    """Read for a store until a signal."""
    accept_any_header_name()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    for chatty in ("aiokafka", "alembic"):
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
    registry = CollectorRegistry()
    if settings.metrics_port:
        start_http_server(settings.metrics_port, settings.metrics_host, registry)
    reader = Reader(name, KafkaConnection().client_options(), store, Metrics(registry))
    try:
        asyncio.run(_until_stopped(reader))
    except FencedError as error:
        sys.stderr.write(f"adjust {name} ends: {error}\n")
        return FENCED
    return 0


async def _until_stopped(reader: Reader) -> None:
    reading = asyncio.create_task(reader.run())

    def stop() -> None:
        reader.stop()
        reading.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    with suppress(asyncio.CancelledError):
        await reading


if __name__ == "__main__":
    sys.exit(main())
