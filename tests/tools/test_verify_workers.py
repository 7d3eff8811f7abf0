"""The stores of workers are read beside them, and what cannot be read is said."""

from pathlib import Path

import pytest

from streams.delivery.protocol import Mark
from streams.delivery.store import Store, StoreMemory
from tests.tools.runs import ACKNOWLEDGED, CLUSTER, HOME, PARTITIONS, Stored, good_run
from tools.verify.findings import Findings
from tools.verify.memory import Acknowledged
from tools.verify.standing import Kind, Standing
from tools.verify.whole import Beside, verify
from tools.verify.workers import Workers

CHANGED = (b"accounts", b"ACC-1001")


def opened(home: Path, unit: Stored, *, cluster: str = CLUSTER, name: str = "worker-0") -> Store:
    """A store as a worker leaves it, still open."""
    (home / name).mkdir(exist_ok=True)
    store = Store(home / name / f"unit-{HOME}.db", StoreMemory())
    store.open()
    rows: dict[bytes, list[tuple[bytes, bytes | None]]] = {}
    for (table, key), row in unit.content.items():
        rows.setdefault(table, []).append((key, row))
    store.write({**rows}, unit.following, Mark("first", 17, cluster))
    return store


def verified(home: Path) -> Findings:
    written, _ = good_run()
    acknowledged = Acknowledged(lambda: ACKNOWLEDGED)
    with Workers([home], CLUSTER) as workers:
        return verify(written, PARTITIONS, workers, Beside(acknowledged=acknowledged))


def rows_of_stores(findings: Findings) -> int:
    return sum(check.rows for check in findings.checks if check.invariant == "I6")


def test_the_store_of_a_running_worker_is_compared(tmp_path: Path) -> None:
    _, stores = good_run()
    store = opened(tmp_path, stores.of[HOME])
    findings = verified(tmp_path)
    assert findings.lines == []
    assert rows_of_stores(findings) == len(stores.of[HOME].content)
    store.close()


def test_a_row_that_differs_is_named_with_its_store(tmp_path: Path) -> None:
    _, stores = good_run()
    stores.of[HOME].content[CHANGED] = b"{}"
    opened(tmp_path, stores.of[HOME]).close()
    (line,) = verified(tmp_path).lines
    assert line == (
        f"worker-0/unit-{HOME}.db, row ACC-1001 of accounts: is not what "
        f"adjust-accounts-changelog-{HOME}-1 says."
    )


def standings(findings: Findings) -> list[Standing]:
    return [looked.standing for looked in findings.stores if looked.kind is Kind.WORKER]


def left_store(home: Path) -> Path:
    """The folder of a good store whose worker has stopped."""
    _, stores = good_run()
    opened(home, stores.of[HOME]).close()
    return home / "worker-0" / f"unit-{HOME}.db"


def test_a_store_that_is_behind_is_compared_as_far_as_it_says(tmp_path: Path) -> None:
    written, stores = good_run()
    unit = stores.of[HOME]
    topic = "adjust-accounts-changelog"
    unit.following[topic] = 1
    unit.content[CHANGED] = written.places[topic, HOME][0].value or b""
    opened(tmp_path, unit).close()
    findings = verified(tmp_path)
    assert findings.lines == []
    assert findings.is_agreed
    (looked,) = findings.stores
    assert (looked.standing, looked.behind) == (Standing.BEHIND, 1)


def compacted(home: Path, *, table: str, until: int, row: bytes | None) -> list[str]:
    """What is said of a store that is behind, where compaction took what it had read."""
    written, stores = good_run()
    unit, topic = stores.of[HOME], f"adjust-{table}-changelog"
    records = written.places[topic, HOME]
    key = records[0].key or b""
    unit.following[topic] = until
    for later in records[until:]:  # the rows of other subjects are not there yet
        unit.content.pop((table.encode(), later.key or b""), None)
    unit.content[table.encode(), key] = records[0].value if row is None else row  # type: ignore[assignment]
    written.places[topic, HOME] = [each for each in records if each.offset or each.key != key]
    opened(home, unit).close()
    with Workers([home], CLUSTER) as workers:
        return verify(written, PARTITIONS, workers, Beside()).lines


@pytest.mark.parametrize("table", ["accounts", "chargeable-events", "answers"])
def test_an_older_row_whose_record_was_compacted_is_agreed_with(tmp_path: Path, table: str) -> None:
    assert compacted(tmp_path, table=table, until=1, row=None) == []


@pytest.mark.parametrize("table", ["accounts", "chargeable-events", "answers"])
def test_an_older_row_that_never_was_is_not_agreed_with(tmp_path: Path, table: str) -> None:
    (line,) = compacted(tmp_path, table=table, until=1, row=b"{}")
    assert line.startswith(f"worker-0/unit-{HOME}.db, row ")


@pytest.mark.parametrize("table", ["accounts", "chargeable-events", "answers", "progress"])
def test_a_store_ahead_of_its_mark_is_not_agreed_with(tmp_path: Path, table: str) -> None:
    written, _ = good_run()
    first, *others = written.places[f"adjust-{table}-changelog", HOME]
    newest = [first, *(each for each in others if each.key == first.key)][-1]
    assert len(compacted(tmp_path, table=table, until=1, row=newest.value)) == 1


@pytest.mark.parametrize("table", ["accounts", "chargeable-events", "answers", "progress"])
def test_a_store_with_rows_that_says_it_read_nothing_is_not_agreed_with(
    tmp_path: Path, table: str
) -> None:
    _, stores = good_run()
    stores.of[HOME].following[f"adjust-{table}-changelog"] = 0
    opened(tmp_path, stores.of[HOME]).close()
    lines = verified(tmp_path).lines
    assert any(f" of {table}: is not what any record " in line for line in lines)


def test_a_store_that_cannot_be_opened_is_not_agreed_with(tmp_path: Path) -> None:
    (left_store(tmp_path) / "CURRENT").write_text("nothing of the kind")
    findings = verified(tmp_path)
    assert rows_of_stores(findings) == 0
    assert standings(findings) == [Standing.UNREADABLE]
    assert not findings.is_agreed
    assert f"worker-0/unit-{HOME}.db is unreadable" in findings.unreadable[0]


def test_a_store_whose_list_of_files_is_gone_is_not_agreed_with(tmp_path: Path) -> None:
    (left_store(tmp_path) / "CURRENT").unlink()
    findings = verified(tmp_path)
    assert standings(findings) == [Standing.UNREADABLE]
    assert not findings.is_agreed


def test_a_store_that_cannot_be_read_to_its_end_is_not_agreed_with(tmp_path: Path) -> None:
    _, stores = good_run()
    store = opened(tmp_path, stores.of[HOME])
    store.database.flush()
    store.close()
    (table,) = store.path.glob("*.sst")
    content = bytearray(table.read_bytes())
    content[100:200] = bytes(100)  # of the rows, not of what is read when it is opened
    table.write_bytes(content)
    findings = verified(tmp_path)
    assert standings(findings) == [Standing.UNREADABLE]
    assert not findings.is_agreed


def test_a_store_without_its_mark_is_not_agreed_with(tmp_path: Path) -> None:
    _, stores = good_run()
    store = opened(tmp_path, stores.of[HOME])
    store.database.delete(b"\0mark")
    store.close()
    findings = verified(tmp_path)
    assert standings(findings) == [Standing.UNREADABLE]
    assert not findings.is_agreed


def test_a_store_of_another_cluster_is_said_and_not_compared(tmp_path: Path) -> None:
    _, stores = good_run()
    opened(tmp_path, stores.of[HOME], cluster="another").close()
    findings = verified(tmp_path)
    assert rows_of_stores(findings) == 0
    assert findings.is_agreed
    assert standings(findings) == [Standing.FOREIGN]


def test_a_store_that_its_worker_will_delete_is_said_and_not_compared(tmp_path: Path) -> None:
    (left_store(tmp_path) / "unchecked").touch()
    findings = verified(tmp_path)
    assert rows_of_stores(findings) == 0
    assert findings.is_agreed
    assert standings(findings) == [Standing.DISTRUSTED]


def test_a_store_that_nothing_was_written_to_is_empty(tmp_path: Path) -> None:
    (tmp_path / "worker-1" / f"unit-{HOME}.db").mkdir(parents=True)
    (tmp_path / "worker-0").mkdir()
    store = Store(tmp_path / "worker-0" / f"unit-{HOME}.db", StoreMemory())
    store.open()
    findings = verified(tmp_path)
    assert findings.is_agreed
    assert standings(findings) == [Standing.EMPTY] * 2
    store.close()


def test_without_stores_it_is_said_that_none_was_compared(tmp_path: Path) -> None:
    findings = verified(tmp_path)
    assert standings(findings) == [Standing.ABSENT]
    assert findings.as_json()["notes"] == [
        f"Workers: no local store is in {tmp_path}, and none was compared."
    ]
