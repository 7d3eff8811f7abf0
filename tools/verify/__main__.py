"""Re-checks the promise on a running system, from its topics and from what subscribers keep.

Finance and the warehouse may be at work meanwhile: each is compared as far as it had read when the
check began. Nothing may be asked of the engine meanwhile.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from confluent_kafka import KafkaException
from rich.console import Console
from rich.table import Table

from schemas.connection import KafkaConnection
from tools.verify.books import TRANSACTIONS, Books, open_log
from tools.verify.checks import Check, Report
from tools.verify.stores import Stores, open_stores


def main() -> int:
    """Give the exit code: 0 if everything agrees."""
    asked = _arguments()
    options = KafkaConnection().confluent_options() | {"log_level": "0"}
    if asked.bootstrap_servers:
        options["bootstrap.servers"] = asked.bootstrap_servers
    console = Console()
    stores = open_stores(asked.home, asked.finance_url)
    try:
        books, reports = check(options, stores)
    except (KafkaException, LookupError, TimeoutError) as problem:
        reason = problem.args[0].str() if isinstance(problem, KafkaException) else problem
        console.print(f"Kafka at {options['bootstrap.servers']} was not read: {reason}")
        return 1
    found = show(books, console, reports)
    for line in (*stores.absent, *stores.unreadable):
        console.print(line, markup=False, soft_wrap=True)
    return 1 if found or stores.unreadable else 0


def check(options: Mapping[str, str], stores: Stores) -> tuple[Books, list[Report]]:
    """Read the topics once, for the books and for all stores."""
    log = open_log(options)
    books = Books(log.partitions)
    for record in log.records():
        books.enter(record)
        if record.topic == TRANSACTIONS:
            stores.enter(record)
    return books, list(stores.finish(log.bounds(TRANSACTIONS)))


def show(books: Books, console: Console, reports: Sequence[Report] = ()) -> int:
    """Print what was checked, on how much, and every disagreement; give how many there are."""
    table = Table(
        title=f"{len(books.requests)} requests, {len(books.answers)} results, "
        f"{len(books.charges)} chargeable events"
    )
    table.add_column("what was checked")
    table.add_column("rows", justify="right")
    table.add_column("disagreements", justify="right")
    shown: list[str] = []
    found = 0
    for name, lines in books.checks().items():
        of_books = Check(name)
        for line in lines:
            of_books.say(line)
        table.add_row(name, "", str(of_books.disagreements))
        shown += of_books.lines()
        found += of_books.disagreements
    for report in reports:
        table.add_section()
        for each in report.checks:
            table.add_row(each.name, str(each.rows), str(each.disagreements))
            found += each.disagreements
        shown += [*report.disagreements, *report.notes]
    console.print(table)
    for line in shown:
        console.print(line, markup=False, soft_wrap=True)
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.verify", description=__doc__)
    parser.add_argument(
        "--bootstrap-servers", help="Kafka, as host:port (default: ADJUST_BOOTSTRAP_SERVERS)"
    )
    parser.add_argument(
        "--home",
        type=Path,
        default=Path(os.environ.get("ADJUST_HOME") or ".adjust"),
        help="folder with finance.db and the warehouse, dwh (default: ADJUST_HOME)",
    )
    parser.add_argument(
        "--finance-url",
        default=os.environ.get("ADJUST_FINANCE_URL"),
        help="SQLAlchemy URL of Finance's database (default: ADJUST_FINANCE_URL)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
