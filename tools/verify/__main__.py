"""Re-checks the promise on a running system, from its topics and from what is kept of them.

Finance and the warehouse may be at work meanwhile: each is compared as far as it had read when the
check began. Nothing may be asked of the engine meanwhile. Exit code 0: all agrees; 1: something
does not, or could not be read; 2: the command was not understood.
"""

import argparse
import json
import sys
from collections.abc import Mapping

from confluent_kafka import KafkaException
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.connection import KafkaConnection
from tools.verify.arguments import read_arguments
from tools.verify.findings import Findings, show
from tools.verify.stores import open_stores
from tools.verify.undecided import wait_decided
from tools.verify.whole import Beside, verify_cluster


def main() -> int:
    """Give the exit code."""
    asked = read_arguments(__doc__)
    try:
        options = KafkaConnection().confluent_options() | {"log_level": "0"}
    except ValidationError as error:
        for fault in error.errors():
            print(f"ADJUST_{fault['loc'][0]}".upper() + f": {fault['msg']}", file=sys.stderr)
        return 2
    if asked.bootstrap_servers:
        options["bootstrap.servers"] = asked.bootstrap_servers
    console = Console()
    try:
        findings = _verify(options, asked, console)
    except (KafkaException, LookupError, TimeoutError) as problem:
        reason = problem.args[0].str() if isinstance(problem, KafkaException) else problem
        console.print(f"Kafka at {options['bootstrap.servers']} was not read: {reason}")
        return 1
    show(findings, console)
    if asked.json is not None:
        asked.json.write_text(json.dumps(findings.as_json(), indent=1), encoding="utf-8")
    return 0 if findings.is_agreed else 1


def _verify(options: Mapping[str, str], asked: argparse.Namespace, console: Console) -> Findings:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), disable=not console.is_terminal) as progress:
        if asked.wait:
            waiting = progress.add_task("waiting for what is undecided", total=None)
            wait_decided(options, asked.wait)
            progress.remove_task(waiting)
        stores = open_stores(asked.home, asked.finance_url)
        task = progress.add_task("results and business transactions", total=None)
        return verify_cluster(
            options,
            Beside(stores, asked.worker_home, asked.acknowledged),
            lambda done, total: progress.update(task, completed=done, total=total),
        )


if __name__ == "__main__":
    sys.exit(main())
