"""What REST keeps: which result stays, how far it has read, and that it outlives the process."""

from contextlib import ExitStack

import pytest
import sqlalchemy as sql

from api.errors import ReadModelTakenError
from api.lookups import Lookups
from api.rows import Progress, Rows
from api.snapshot import snapshot
from api.store import Store
from tests.api.builders import (
    ACCOUNT,
    REQUEST_ID,
    a_received,
    a_refusal,
    a_result,
    an_answer,
)
from tests.postgres import on_both_databases

pytestmark = on_both_databases


def value_of(store: Store) -> bytes | None:
    """Give the one result of the one request."""
    (standing,) = Lookups(store.engine).standings(REQUEST_ID, None)
    return standing.value


def test_a_request_stands_undecided_until_its_result_is_read(store: Store) -> None:
    store.keep(Rows(requests=[a_received()]))
    assert value_of(store) is None
    store.keep(Rows(answers=[an_answer(a_result())]))
    assert value_of(store) == a_result()


def test_a_result_read_before_its_request_decides_it(store: Store) -> None:
    store.keep(Rows(answers=[an_answer(a_result())]))
    store.keep(Rows(requests=[a_received()]))
    assert value_of(store) == a_result()


def test_a_result_is_found_whose_request_is_on_the_topic_no_more(store: Store) -> None:
    """Beside one that is there, and one that was kept before: neither hides it."""
    old, gone, new = (an_answer(a_result(), account=f"ACC-{number}") for number in range(3))
    store.keep(Rows(requests=[a_received("ACC-0")], answers=[old]))
    store.keep(Rows(requests=[a_received("ACC-2")], answers=[old, gone, new]))
    found = Lookups(store.engine).standings(REQUEST_ID, None)
    assert [(each.account, each.value, each.is_taken) for each in found] == [
        (f"ACC-{number}", a_result(), True) for number in range(3)
    ]


def test_a_repeat_has_no_result_written_a_second_time(store: Store) -> None:
    store.keep(Rows(requests=[a_received()], answers=[an_answer(a_result())]))
    written: list[str] = []
    sql.event.listen(
        store.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: written.append(statement),
    )
    store.keep(Rows(answers=[an_answer(a_result(), request_offset=1)]))
    assert sum("INTO adjustment_result" in each for each in written) == 1


def test_the_first_remembered_result_stays(store: Store) -> None:
    store.keep(Rows(requests=[a_received()], answers=[an_answer(a_result())]))
    reused = an_answer(a_refusal("REQUEST_ID_REUSED"), request_offset=1, is_remembered=False)
    store.keep(Rows(requests=[a_received(topic_offset=1)], answers=[reused]))
    store.keep(Rows(answers=[an_answer(a_refusal(), request_offset=2)]))
    assert value_of(store) == a_result()


def test_a_result_that_is_not_remembered_gives_way_to_the_next_request(store: Store) -> None:
    malformed = an_answer(a_refusal("INVALID_TYPE"), is_remembered=False)
    store.keep(Rows(requests=[a_received()], answers=[malformed]))
    assert value_of(store) == a_refusal("INVALID_TYPE")
    store.keep(Rows(requests=[a_received(topic_offset=1)]))
    assert value_of(store) is None
    store.keep(Rows(answers=[an_answer(a_result(), request_offset=1)]))
    assert value_of(store) == a_result()


def test_reading_the_same_records_again_changes_nothing(store: Store) -> None:
    for _ in range(2):
        store.keep(
            Rows(
                requests=[a_received()],
                answers=[an_answer(a_result())],
                positions={("adjustment-results", 0): Progress(1, 0)},
            )
        )
    assert value_of(store) == a_result()


def test_an_id_of_two_accounts_stands_twice(store: Store) -> None:
    store.keep(Rows(requests=[a_received(), a_received(account="ACC-2")]))
    assert [standing.account for standing in Lookups(store.engine).standings(REQUEST_ID, None)] == [
        ACCOUNT,
        "ACC-2",
    ]
    assert [
        standing.account for standing in Lookups(store.engine).standings(REQUEST_ID, "ACC-2")
    ] == ["ACC-2"]


def test_what_was_kept_and_how_far_is_there_after_a_restart(database: str) -> None:
    first = Store(database)
    first.start_anew("cluster-1")
    first.keep(
        Rows(
            requests=[a_received()],
            answers=[an_answer(a_result())],
            positions={("adjustment-results", 3): Progress(7, 0)},
        )
    )
    first.close()
    second = Store(database)
    assert second.positions("cluster-1") == {("adjustment-results", 3): Progress(7, 0)}
    assert value_of(second) == a_result()
    second.close()


def test_positions_of_another_cluster_count_for_nothing(store: Store) -> None:
    store.start_anew("cluster-1")
    store.keep(
        Rows(
            requests=[a_received()],
            answers=[],
            positions={("adjustment-requests", 0): Progress(1, 0)},
        )
    )
    assert store.positions("cluster-2") == {}
    store.start_anew("cluster-2")
    assert Lookups(store.engine).standings(REQUEST_ID, None) == []


def test_who_writes_waits_for_no_reader(store: Store) -> None:
    with ExitStack() as readers:
        for _ in range(20):
            readers.enter_context(snapshot(store.engine))
        store.keep(Rows(requests=[a_received()]))
    assert value_of(store) is None


def test_a_read_model_has_one_writer(database: str) -> None:
    first = Store(database)
    with pytest.raises(ReadModelTakenError, match="ADJUST_READ_MODEL_URL"):
        Store(database)
    first.close()
    Store(database).close()
