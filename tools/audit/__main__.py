"""Sends requests of every sort to a running engine and judges each decision by a second reading.

The requests are for accounts of their own, so that any system may be audited, also one in use.
Exit code 0: every decision is right, and every refusal occurred.
"""

import argparse
import sys

from confluent_kafka import KafkaException
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from schemas.connection import KafkaConnection
from tools.audit.report import Report
from tools.audit.rules import RULES
from tools.audit.run import audit
from tools.audit.shape import CODES, WORDS

SHOWN_MAX = 20
MODES = (*WORDS["adjustmentMode"], "REVERSAL")
TREATMENTS = WORDS["taxTreatment"]


def main() -> int:
    """Give the exit code: 0 if everything agrees and nothing was left untried."""
    asked = _arguments()
    options = KafkaConnection().confluent_options() | {"log_level": "0"}
    if asked.bootstrap_servers:
        options["bootstrap.servers"] = asked.bootstrap_servers
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    try:
        with Progress(*columns, TimeElapsedColumn(), disable=not console.is_terminal) as progress:
            task = progress.add_task("results", total=asked.requests)
            report = audit(
                options,
                asked.requests,
                asked.seed,
                lambda count: progress.update(task, completed=count),
            )
    except (KafkaException, LookupError, TimeoutError) as problem:
        reason = problem.args[0].str() if isinstance(problem, KafkaException) else problem
        console.print(
            f"Kafka at {options['bootstrap.servers']} was not audited: {reason}", soft_wrap=True
        )
        return 1
    show(report, console)
    return 1 if report.disagreements or report.unseen else 0


def show(report: Report, console: Console) -> None:
    """Print what was decided, how often, and the first disagreements."""
    applied = Table("applied", *TREATMENTS, title=f"{report.requests} requests")
    for mode in MODES:
        counts = (report.applied[mode, treatment] for treatment in TREATMENTS)
        applied.add_row(mode, *map(str, counts))
    refused = Table("refused", "results")
    for code in (*CODES, *RULES):
        refused.add_row(code, str(report.refused[code]))
    for table in (applied, refused):
        for column in table.columns[1:]:
            column.justify = "right"
        console.print(table)
    console.print(f"Replays: {report.replays}. Disagreements: {len(report.disagreements)}.")
    for line in report.disagreements[:SHOWN_MAX]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if report.unseen:
        unseen = ", ".join(report.unseen)
        console.print(f"Not tried, since it did not occur: {unseen}. Try more --requests.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.audit",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--requests", type=_count, default=20_000, help="how many to send (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="the same seed draws the same (default: %(default)s)"
    )
    parser.add_argument(
        "--bootstrap-servers", help="Kafka, as host:port (default: ADJUST_BOOTSTRAP_SERVERS)"
    )
    return parser.parse_args()


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("at least one request must be sent")
    return count


if __name__ == "__main__":
    sys.exit(main())
