"""Each check of a run fires when the run is spoiled afterwards."""

from collections.abc import Callable

import pytest

from tests.simulation import ledger
from tests.simulation.actors import Violation
from tests.simulation.checks import check
from tests.simulation.choices import Fixed, Sizes
from tests.simulation.log import Log, Record
from tests.simulation.runs import run
from tests.simulation.smallest import WRITTEN
from tests.simulation.world import World


@pytest.fixture
def world() -> World:
    """Three requests were answered, the last as the first."""
    return run(Fixed(Sizes(partitions=1, workers=1, inputs=1), WRITTEN, []))


def records(log: Log) -> list[Record]:
    return [entry for entry in log.entries if entry is not None]


def lose_result(world: World) -> None:
    log = world.logs[ledger.RESULTS, 0]
    log.entries[records(log)[-1].offset] = None


def double_result(world: World) -> None:
    log = world.logs[ledger.RESULTS, 0]
    log.add(records(log)[-1], 0)


def skip_seq(world: World) -> None:
    last = records(world.logs[ledger.BUSINESS, 0])[-1]
    last.headers = [("seq", b"9"), *last.headers[1:]]


def alter_first_answer(world: World) -> None:
    records(world.logs[ledger.RESULTS, 0])[0].value = b"r1 applied: 6 at 100"


def alter_repeat(world: World) -> None:
    records(world.logs[ledger.RESULTS, 0])[-1].value = b"r1 applied: 5 at 300"


def alter_image(world: World) -> None:
    records(world.logs[ledger.BUSINESS, 0])[-1].value = b"6"


def alter_row(world: World) -> None:
    records(world.logs["balances-changelog", 0])[-1].value = b"6"


def alter_local_row(world: World) -> None:
    world.disks["w0", 0].rows[b"balances"].clear()


def close_unit(world: World) -> None:
    world.processes["w0"].units[0].intake.close()


def forget_what_was_seen(world: World) -> None:
    world.seen[ledger.RESULTS, 0].pop(0)


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (lose_result, "all is decided in the end"),
        (double_result, "each record has one outcome"),
        (skip_seq, "seq has no gap and no repeat"),
        (alter_first_answer, "the oracle decides the same"),
        (alter_repeat, "a repeat gets the first answer"),
        (alter_image, "what subscribers read is what was applied"),
        (alter_row, "changelogs hold the state"),
        (alter_local_row, "the local store is the changelog"),
        (close_unit, "each unit is served by one worker"),
        (forget_what_was_seen, "no reader saw what went away"),
    ],
)
def test_a_spoiled_run_is_noticed(world: World, spoil: Callable[[World], None], name: str) -> None:
    spoil(world)
    with pytest.raises(Violation) as broken:
        check(world)
    assert broken.value.check == name


def test_a_good_run_stays_good(world: World) -> None:
    check(world)
