"""Adjusts the chargeable events of a period or a file over REST: dry first, then for good.

Exit code 0: all items were applied, or the dry run was shown; 1: some were refused; 2: a mistake
in the command, the batch was not taken, or REST cannot be reached or tells nothing more of it (it
may have been taken, and then it goes on: run it again under the batch id that was shown, which
adjusts nothing twice); 3: it was not confirmed; 130: interrupted, and what was taken goes on.

usage: python -m tools.batch --user fin:omar --from 2026-11-01T00:00:00Z --kind USAGE
         --adjustment '{"adjustmentMode": "FULL", "chargeType": "CREDIT", "currency": "EUR"}'
       python -m tools.batch --user fin:omar --items wrong.csv --adjustment @how.json --yes
"""

import argparse
import json
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

PATH = "/v1/adjustment-batches"
FILTERS = ("account", "from", "to", "usage-type", "kind", "status")
ALL_APPLIED, SOME_REFUSED, NOT_TAKEN, NOT_CONFIRMED, INTERRUPTED = 0, 1, 2, 3, 130
CONNECT_S, POST_S = 10.0, 3600.0  # a dry run of millions takes minutes
PATIENCE_S, SILENT_S, AGAIN_S = 120.0, 45.0, 1.0  # REST gives a sign of life every 15 s
MICRO_DIGITS, PORT_MAX = 6, 65_535
COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
    TextColumn("{task.fields[left]}"),
)

Report = dict[str, Any]


class BatchError(Exception):
    """The batch was not taken, or is out of sight; the text says why."""


class Caller:
    """Speaks to REST about one batch."""

    def __init__(self, client: httpx.Client, batch: Report, items: bytes | None) -> None:
        """Say what is asked, and which file of items goes with it."""
        self._client, self._batch, self._items = client, batch, items

    def post(self, *, is_dry_run: bool) -> Report:
        """Send it. Raises BatchError, or httpx.TransportError."""
        body = {**self._batch, "dryRun": is_dry_run}
        if self._items is None:
            answer = self._client.post(PATH, json=body)
        else:
            parts: dict[str, tuple[str | None, bytes]] = {
                "batch": (None, json.dumps(body).encode()),
                "items": ("items.csv", self._items),
            }
            answer = self._client.post(PATH, files=parts)
        try:
            content: Report = answer.json()
            if answer.is_success and "matched" in content:
                return content
            if answer.headers["content-type"].startswith("application/problem+json"):
                raise BatchError(content["detail"])
        except (ValueError, KeyError, TypeError):
            pass
        raise BatchError(f"{answer.url} answered {answer.status_code}; this is no REST of ours.")

    def follow(self, patience_s: float) -> Iterator[Report]:
        """Give the report with each change, until the batch is finished, over each lost stream.

        Raises BatchError if nothing is heard of it for longer than the patience lasts.
        """
        address, heard_at = f"{PATH}/{self._batch['batchId']}/events", time.monotonic()
        while True:
            fault = "the stream ended"
            try:
                for report in self._stream(address):
                    heard_at = time.monotonic()
                    if report is None:
                        continue
                    yield report
                    if report["state"] == "FINISHED":
                        return
            except (httpx.HTTPError, ValueError) as error:  # whoever answers next knows as much
                fault = str(error).splitlines()[0] or type(error).__name__
            if time.monotonic() - heard_at > patience_s:
                whole = self._client.build_request("GET", address.removesuffix("/events")).url
                text = f"Nothing was heard of the batch for {patience_s:g} s ({fault}). "
                raise BatchError(f"{text}It goes on if it is known: {whole}")
            time.sleep(AGAIN_S)

    def _stream(self, address: str) -> Iterator[Report | None]:
        """Give reports, and None for another sign of life. Raises httpx.HTTPError."""
        timeout = httpx.Timeout(CONNECT_S, read=SILENT_S)
        with self._client.stream("GET", address, timeout=timeout) as stream:
            stream.raise_for_status()
            if not stream.headers.get("content-type", "").startswith("text/event-stream"):
                raise httpx.RemoteProtocolError("this is no REST of ours")
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))
                elif line.startswith(":"):
                    yield None


def main() -> int:
    """Give the exit code."""
    asked, console = _arguments(), Console()
    timeout = httpx.Timeout(CONNECT_S, read=POST_S)
    with httpx.Client(base_url=asked.url, timeout=timeout) as client:
        caller = Caller(client, _batch_of(asked), asked.items)
        try:
            if asked.dry_run or not asked.yes:
                show(caller.post(is_dry_run=True), console)
            if asked.dry_run:
                return ALL_APPLIED
            if not asked.yes and not _is_confirmed(console):
                return NOT_CONFIRMED
            again = f"If its answer is lost, run it again with --batch-id {asked.batch_id}"
            console.print(again, soft_wrap=True)  # another id would adjust all of it twice
            return _run(caller, asked.patience, console)
        except BatchError as error:
            console.print(str(error), style="red", markup=False)
        except httpx.HTTPError as error:
            console.print(f"REST at {asked.url} cannot be reached: {error}", markup=False)
        except KeyboardInterrupt:
            address = f"{asked.url}{PATH}/{asked.batch_id}"
            console.print(f"\nA batch that was taken goes on: {address}", markup=False)
            return INTERRUPTED
    return NOT_TAKEN


def _run(caller: Caller, patience_s: float, console: Console) -> int:
    report = caller.post(is_dry_run=False)
    with Progress(*COLUMNS, console=console) as progress:
        task = progress.add_task("adjusting", total=None, left="")
        for report in caller.follow(patience_s):
            done, total = report["applied"] + report["refused"], report["matched"]
            left = left_of(report["secondsLeft"])
            progress.update(task, completed=done, total=total or None, left=left, refresh=True)
    show(report, console)
    return SOME_REFUSED if report["refused"] else ALL_APPLIED


def left_of(seconds: float | None) -> str:
    """Say how long it may still take, as REST estimates it; nothing if it cannot yet."""
    return "" if seconds is None else f"about {timedelta(seconds=round(seconds))} left"


def _is_confirmed(console: Console) -> bool:
    if not sys.stdin.isatty():
        console.print("Nothing was adjusted: confirm with --yes.")
        return False
    try:
        answer = console.input("Adjust them? [y/N] ", markup=False)
    except EOFError:
        console.print()
        return False
    return answer.strip().lower() in {"y", "yes"}


def show(report: Report, console: Console) -> None:
    """Print a report."""
    table = Table(title=f"batch {report['batchId']}{', dry run' if report['dryRun'] else ''}")
    table.add_column("")
    table.add_column("", justify="right")
    for name in ("matched", "applied", "refused", "pending"):
        table.add_row(name, f"{report[name]:,}")
    for name, text in (
        ("taxExcludedAmount", "without tax"),
        ("taxAmount", "tax"),
        ("taxIncludedAmount", "with tax"),
    ):
        amount = Decimal(report["effect"][name]).scaleb(-MICRO_DIGITS)
        table.add_row(f"effect {text}", f"{amount:,.{MICRO_DIGITS}f}")
    for code, count in report["refusals"].items():
        table.add_row(code, f"{count:,}")
    console.print(table)


def _batch_of(asked: argparse.Namespace) -> Report:
    given = {name: getattr(asked, name.replace("-", "_")) for name in FILTERS}
    names = {"usage-type": "usageType"}
    filters = {names.get(name, name): text for name, text in given.items() if text is not None}
    batch = {"batchId": asked.batch_id, "user": asked.user, "adjustment": asked.adjustment}
    return batch | ({"filter": filters} if filters else {})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.batch",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--user", required=True, help="on whose behalf")
    parser.add_argument(
        "--adjustment", required=True, type=_adjustment, help="how, as JSON or @FILE with it"
    )
    for name in FILTERS:
        parser.add_argument(f"--{name}", help="of the chargeable events" if name != "to" else "end")
    parser.add_argument("--items", type=_file, help="CSV file, instead of a filter")
    parser.add_argument("--batch-id", type=_guid, default=str(uuid.uuid4()), help="GUID; a new one")
    parser.add_argument("--dry-run", action="store_true", help="only show what it comes to")
    parser.add_argument("--yes", action="store_true", help="adjust without asking")
    parser.add_argument(
        "--url", type=_address, default="http://127.0.0.1:8080", help="REST (%(default)s)"
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=PATIENCE_S,
        help="seconds for which REST may tell nothing of a batch that was taken (%(default)g)",
    )
    return parser.parse_args()


def _adjustment(text: str) -> Report:
    try:
        content = json.loads(Path(text[1:]).read_text() if text.startswith("@") else text)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text[1:]}: {error.strerror}") from error
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"it is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise argparse.ArgumentTypeError("it is no JSON object")
    return content


def _file(text: str) -> bytes:
    try:
        return Path(text).read_bytes()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error.strerror}") from error


def _address(text: str) -> str:
    try:
        address = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise argparse.ArgumentTypeError(f"{text} is no address: {error}") from error
    is_http = address.scheme in {"http", "https"} and address.host
    if not is_http or (address.port or 0) > PORT_MAX:
        raise argparse.ArgumentTypeError(f"{text} is no address such as http://127.0.0.1:8080")
    return text


def _guid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no GUID") from error


if __name__ == "__main__":
    sys.exit(main())
