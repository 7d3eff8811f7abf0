"""The stores of workers are read beside them, and what cannot be read is said."""

from pathlib import Path

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
