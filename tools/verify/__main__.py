"""Re-checks the promise on a running system, from its topics and from what is kept of them.

Finance and the warehouse may be at work meanwhile: each is compared as far as it had read when the
check began. Nothing may be asked of the engine meanwhile. Exit code 0: all agrees; 1: something
does not, or could not be read; 2: the command was not understood.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping

from confluent_kafka import KafkaException
from rich.console import Console

from schemas.connection import KafkaConnection
from tools.verify.arguments import read_arguments
from tools.verify.books import TRANSACTIONS, Books, open_log
from tools.verify.checks import Check
from tools.verify.findings import Findings, show
from tools.verify.stores import Stores, open_stores

PAUSE_S = 0.5


def main() -> int:
    """Give the exit code."""
    asked = read_arguments(__doc__)
    options = KafkaConnection().confluent_options() | {"log_level": "0"}
    if asked.bootstrap_servers:
        options["bootstrap.servers"] = asked.bootstrap_servers
    console = Console()
    try:
        findings = check(options, asked)
    except (KafkaException, LookupError, TimeoutError) as problem:
        reason = problem.args[0].str() if isinstance(problem, KafkaException) else problem
        console.print(f"Kafka at {options['bootstrap.servers']} was not read: {reason}")
        return 1
    show(findings, console)
    if asked.json is not None:
        asked.json.write_text(json.dumps(findings.as_json(), indent=1), encoding="utf-8")
    return 0 if findings.is_agreed else 1


def check(options: Mapping[str, str], asked: argparse.Namespace) -> Findings:
    """Wait for what is not decided, then read the topics once, for the books and for all stores."""
    deadline = time.monotonic() + asked.wait
    while time.monotonic() < deadline and Books.read(options).undecided():
        time.sleep(PAUSE_S)
    stores = open_stores(asked.home, asked.finance_url)
    books, findings = _read(options, stores)
    for name, lines in books.checks().items():
        findings.checks.append(_of_books(name, lines, len(books.requests)))
    missing = books.missing(asked.acknowledged)
    name = "each acknowledged request has its own result"
    findings.checks.append(_of_books(name, missing, len(asked.acknowledged), "I1"))
    undecided = [f"{address}: not decided yet." for address in books.undecided()]
    name = "every request is decided"
    findings.checks.append(_of_books(name, undecided, len(books.requests), "I12"))
    folders = sorted(path for home in asked.worker_home for path in home.glob("worker-*/unit-*.db"))
    findings.notes.append(f"Workers: {len(folders)} local stores are there, and not compared.")
    return findings


def _read(options: Mapping[str, str], stores: Stores) -> tuple[Books, Findings]:
    log = open_log(options)
    books = Books(log.partitions)
    for record in log.records():
        books.enter(record)
        if record.topic == TRANSACTIONS:
            stores.enter(record)
    findings = Findings(notes=[*stores.absent], unreadable=stores.unreadable)
    findings.totals.update(
        {
            "requests": len(books.requests),
            "results": len(books.answers),
            "chargeable events": len(books.charges),
        }
    )
    findings.add(stores.finish(log.bounds(TRANSACTIONS)))
    return books, findings


def _of_books(name: str, lines: list[str], rows: int, invariant: str = "") -> Check:
    found = Check(name, rows, invariant=invariant)
    for line in lines:
        found.say(line)
    return found


if __name__ == "__main__":
    sys.exit(main())
