"""Re-checks the promise on a running system, from its topics; nothing may be asked meanwhile."""

import argparse
import sys

from confluent_kafka import KafkaException
from rich.console import Console
from rich.table import Table

from schemas.connection import KafkaConnection
from tools.verify.books import Books


def main() -> int:
    """Give the exit code: 0 if everything agrees."""
    parser = argparse.ArgumentParser(prog="python -m tools.verify", description=__doc__)
    parser.add_argument(
        "--bootstrap-servers", help="Kafka, as host:port (default: ADJUST_BOOTSTRAP_SERVERS)"
    )
    asked = parser.parse_args().bootstrap_servers
    options = KafkaConnection().confluent_options() | {"log_level": "0"}
    if asked:
        options["bootstrap.servers"] = asked
    console = Console()
    try:
        books = Books.read(options)
    except (KafkaException, LookupError, TimeoutError) as problem:
        reason = problem.args[0].str() if isinstance(problem, KafkaException) else problem
        console.print(f"Kafka at {options['bootstrap.servers']} was not read: {reason}")
        return 1
    show(books, console)
    return 1 if books.disagreements() else 0


def show(books: Books, console: Console) -> None:
    """Print what was checked, on how much, and every disagreement."""
    table = Table(
        title=f"{len(books.requests)} requests, {len(books.answers)} results, "
        f"{len(books.charges)} chargeable events"
    )
    table.add_column("what was checked")
    table.add_column("disagreements", justify="right")
    checks = books.checks()
    for name, lines in checks.items():
        table.add_row(name, str(len(lines)))
    console.print(table)
    for line in (line for lines in checks.values() for line in lines):
        console.print(line, markup=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
