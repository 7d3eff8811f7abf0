"""A local store that was cut short is found out, or is a beginning of what was written."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.delivery.store import Store, StoreMemory

CHANGELOG = "rows-changelog"
ROWS_OF_A_LIFE, LIVES = 20, 3


def write_rows(store: Store, first: int) -> None:
    """One write for each row, as one transaction each."""
    for number in range(first, first + ROWS_OF_A_LIFE):
        rows = {b"rows": [(b"%d" % number, b"a row")]}
        store.write(rows, {CHANGELOG: number + 1})


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose process was killed several times: copied while it was open."""
    folder, memory = tmp_path_factory.mktemp("killed"), StoreMemory()
    path = folder / "0"
    for life in range(LIVES):
        store = Store(path, memory)
        store.open()
        write_rows(store, life * ROWS_OF_A_LIFE)
        path = folder / str(life + 1)
        shutil.copytree(store.path, path)
        store.close()
    return path


def is_a_beginning(path: Path) -> bool:
    """Whether the store says that it is damaged, or has each row up to where it says it is."""
    store = Store(path, StoreMemory())
    try:
        local = store.local([CHANGELOG])
        if local.damage:
            return True
        said = range(local.next[CHANGELOG])
        return [bool(store.get(b"rows", b"%d" % number)) for number in said] == [True] * len(said)
    finally:
        store.close()


def cuts(path: Path) -> Iterator[tuple[str, int]]:
    """Each file that matters, with some lengths to cut it to."""
    for file in sorted(path.iterdir()):
        size = file.stat().st_size
        if not file.name.startswith(("LOG", "OPTIONS", "IDENTITY")):
            yield from ((file.name, length) for length in range(0, size, max(1, size // 40)))


def test_a_killed_store_has_all_that_was_written(killed: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(killed, tmp_path / "copy"))
    store = Store(path, StoreMemory())

    assert store.local([CHANGELOG]).damage is None
    assert store.local([CHANGELOG]).next == {CHANGELOG: LIVES * ROWS_OF_A_LIFE}
    store.close()
    assert is_a_beginning(path)


def test_a_store_that_is_opened_again_keeps_its_filter(killed: Path, tmp_path: Path) -> None:
    """Without it each new request looks for its answer in blocks on the disk."""
    shutil.copytree(killed, tmp_path / "0")
    store = Store(tmp_path / "0", StoreMemory())
    store.open()
    store.close()
    newest = max(store.path.glob("OPTIONS-*"))
    assert "filter_policy=bloomfilter" in newest.read_text()


def test_a_store_that_was_found_damaged_stays_so_until_it_is_dropped(
    killed: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copytree(killed, tmp_path / "copy"))
    (manifest,) = path.glob("MANIFEST-*")
    os.truncate(manifest, manifest.stat().st_size * 3 // 4)
    store = Store(path, StoreMemory())
    assert "its list of files lacks" in str(store.local([CHANGELOG]).damage)
    assert store.local([CHANGELOG]).damage  # a rebalance came before it was dropped
    store.close()  # the process died here

    store = Store(path, StoreMemory())
    assert store.local([CHANGELOG]).damage
    store.drop()

    assert store.local([CHANGELOG]) == (None, {CHANGELOG: 0}, None)
    store.close()


def test_a_file_that_was_never_finished_is_no_damage(killed: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(killed, tmp_path / "copy"))
    (path / "999999.sst").write_bytes(b"the kill came while this was written")
    store = Store(path, StoreMemory())

    assert store.local([CHANGELOG]) == (None, {CHANGELOG: LIVES * ROWS_OF_A_LIFE}, None)
    store.close()


def test_a_store_of_which_any_file_was_cut_short_hides_no_hole(
    killed: Path, tmp_path: Path
) -> None:
    holes = []
    for name, length in cuts(killed):
        path = Path(shutil.copytree(killed, tmp_path / f"{name}-{length}"))
        os.truncate(path / name, length)
        if not is_a_beginning(path):
            holes.append((name, length))
        shutil.rmtree(path)

    assert not holes
