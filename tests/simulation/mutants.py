"""Wrong variants of the protocol. The simulation must catch each, or it would miss it in ours."""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from streams.delivery import deciding, intake, owning, protocol
from tests.simulation import ledger
from tests.simulation.actors import RETRY, Steps
from tests.simulation.choices import Seeded
from tests.simulation.coordinator import Coordinator
from tests.simulation.runs import least_seed, violation_of
from tests.simulation.variants import AS_WRITTEN, Clock, Variant

SEEDS_MAX = 10_000
DECIDED, OUTCOME = "all is decided in the end", "each record has one outcome"
REPEAT, ORACLE = "a repeat gets the first answer", "the oracle decides the same"
DEATH, LOCAL = "no worker dies for nothing", "rows are local only once committed"
SEQ, OWNER = "seq has no gap and no repeat", "the local store is the changelog"
Alter = Callable[[Any], Generator[Any, Any, Any]]


class Mutant(NamedTuple):
    """A wrong variant; the first seed that shows it, and the promise that is broken there."""

    variant: Variant
    seed: int
    check: str


def table() -> Iterator[str]:
    """Which mutant is caught by which check, at which seed: as it is now."""
    for name, mutant in MUTANTS.items():
        found = least_seed(mutant.variant, SEEDS_MAX)
        if found is None and (known := violation_of(Seeded(mutant.seed), mutant.variant)):
            found = mutant.seed, known
        if found is None:
            yield f"{name:47} NOT CAUGHT by {SEEDS_MAX:,} seeds"
        else:
            yield f"{name:47} seed {found[0]:7}  {found[1].check}"


def altered(steps: Steps, alter: Alter) -> Steps:
    """The same steps, but each is carried out as `alter` says, which gives the answer."""
    answer = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            return end.value
        answer = yield from alter(step)


def no_dedupe(_clock: Clock) -> ledger.Handler:
    """A repeat is decided anew."""

    def handle(work: Any, record: Any) -> None:
        asked = ledger.read(work, record)
        if asked is not None:
            answer = ledger.answer_anew(work, record, *asked, record.timestamp)
            ledger.publish(work, record, answer)

    return handle


def dedupe_that_skips(_clock: Clock) -> ledger.Handler:
    """A repeat gets no answer."""

    def handle(work: Any, record: Any) -> None:
        name = record.value.partition(b":")[0]
        if work.get(ledger.ANSWERS, record.key + b"/" + name) is None:
            ledger.handle(work, record)

    return handle


def impure(clock: Clock) -> ledger.Handler:
    """Time is the worker's."""
    return lambda work, record: ledger.handle_at(work, record, clock())


def local_before_commit(*what: Any, is_overdue: bool) -> Steps:
    """Rows are written locally as soon as all is confirmed."""
    held: list[Any] = []

    def alter(step: Any) -> Steps:
        if isinstance(step, protocol.Commit):
            held.append(step)
            return None
        answer = yield step
        if isinstance(step, protocol.WriteLocal):
            yield held.pop()
        return answer

    return altered(deciding.decide(*what, is_overdue=is_overdue), alter)


def in_two(is_first: Callable[[str], bool]) -> Callable[..., Steps]:
    """Two transactions where one should be; `is_first` says which topics the first writes to."""

    def decide(*what: Any, is_overdue: bool) -> Steps:
        sends: list[Any] = []

        def alter(step: Any) -> Steps:
            if isinstance(step, protocol.Send):
                sends.append(step)
            elif isinstance(step, protocol.Confirm):
                first = [send for send in sends if is_first(send.place[0])]
                second = [send for send in sends if send not in first]
                sends.clear()
                return (yield from _commit(first)) | (yield from _commit(second))
            elif not isinstance(step, protocol.Begin | protocol.Commit):
                return (yield step)
            return None

        return altered(deciding.decide(*what, is_overdue=is_overdue), alter)

    return decide


def _commit(sends: list[Any]) -> Steps:
    if not sends:
        return {}
    yield protocol.Begin(tuple(send.place for send in sends))
    yield from sends
    written = yield protocol.Confirm()
    yield protocol.Commit()
    return written


def shared_epoch(coordinator: Coordinator, name: str, _caller: Any) -> Any:
    """No InitProducerId: the new owner writes under the epoch of the former."""
    owner = coordinator.owner(name)
    return RETRY if owner.pending else owner.epoch


def told(change: Callable[[Any, Any, Mapping[type, Any]], Any]) -> Callable[[str], Steps]:
    """A take-over that is told other answers; `change` knows those before."""

    def take_over(take_over_id: str) -> Steps:
        answers: dict[type, Any] = {}

        def alter(step: Any) -> Steps:
            answers[type(step)] = answer = yield step
            return change(step, answer, answers)

        return altered(protocol.take_over(take_over_id), alter)

    return take_over


def any_line(step: Any, answer: Any, answers: Mapping[type, Any]) -> Any:
    """Whatever the local store is marked with, it is taken for a beginning of the changelog."""
    stored = answers.get(protocol.ReadProgress)
    if isinstance(step, protocol.ReadLocal) and stored and not answer.damage:
        return answer._replace(mark=stored.mark)
    return answer


def only_stable(step: Any, answer: Any, _answers: Mapping[type, Any]) -> Any:
    """What an open transaction hides is not waited for."""
    if not isinstance(step, protocol.ReadEnds):
        return answer
    changelogs = {
        topic: span._replace(end=span.stable) for topic, span in answer.changelogs.items()
    }
    return answer._replace(changelogs=changelogs)


def moves_to_the_end(take_over_id: str) -> Steps:
    """The local store is said to reach the end of a changelog, where no committed row may be."""
    marks: list[protocol.Mark] = []

    def alter(step: Any) -> Steps:
        answer = yield step
        if isinstance(step, protocol.WriteMark):
            marks.append(step.mark)
        if isinstance(step, protocol.Replay) and marks:
            yield protocol.WriteLocal({}, marks[-1], step.end)
        return answer

    return altered(protocol.take_over(take_over_id), alter)


def no_seek(want: Mapping[Any, int], positions: Mapping[Any, int]) -> dict[Any, int]:
    """Only a parked partition is sought."""
    return {place: at for place, at in want.items() if at and positions[place] == 0}


def early_gate(flow: intake.Flow, *what: Any) -> Steps:
    """All flows as soon as units are fenced."""
    yield from owning.own(flow, *what)
    flow.resume(flow.take_over)


def opens_for_another(flow: intake.Flow, _number: int) -> None:
    """The recovery of one rebalance opens the gate of the next, which then clears its queues."""
    flow.resume(flow.take_over)


def stops_nothing(*what: Any) -> Steps:
    """Units are fenced in the middle of their transactions."""

    def alter(step: Any) -> Steps:
        return None if isinstance(step, owning.StopUnits) else (yield step)

    return altered(owning.own(*what), alter)


def forgets_seq(*what: Any) -> Steps:
    """The outputs' numbers begin anew with each owner."""

    def alter(step: Any) -> Steps:
        if isinstance(step, owning.Serve):
            step = replace(step, progress=msgspec.structs.replace(step.progress, seq={}))
        return (yield step)

    return altered(owning.bring_up(*what), alter)


def receives_all(unit: intake.Intake, part: intake.Slice, ticket: Any) -> bool:
    """Slices of an earlier take-over are taken in."""
    return unit.receive(part._replace(take_over=unit.take_over), ticket)


def is_changelog(topic: str) -> bool:
    """Rows and progress."""
    return topic.endswith("-changelog")


def is_not_progress(topic: str) -> bool:
    """All but the progress row."""
    return topic != ledger.PROGRESS_CHANGELOG


def _mutant(seed: int, check: str, **wrong: Any) -> Mutant:
    return Mutant(replace(AS_WRITTEN, **wrong), seed, check)


MUTANTS = {
    "no dedupe": _mutant(0, REPEAT, handler=no_dedupe),
    "dedupe that skips": _mutant(0, DECIDED, handler=dedupe_that_skips),
    "store written before the commit": _mutant(0, LOCAL, decide=local_before_commit),
    "outputs in a second transaction": _mutant(5, DECIDED, decide=in_two(is_changelog)),
    "no fence": _mutant(22, DEATH, fence=shared_epoch),
    "impure decide": _mutant(0, ORACLE, handler=impure),
    "progress not in the transaction": _mutant(7, DEATH, decide=in_two(is_not_progress)),
    "EndTxn repeated after a time-out": _mutant(300, DEATH, repeats_end=True),
    "local store's line not checked": _mutant(37, ORACLE, take_over=told(any_line)),
    "local store said to reach what it has not read": _mutant(
        1281096, ORACLE, take_over=moves_to_the_end
    ),
    "positions not sought": _mutant(8, DECIDED, misplaced=no_seek),
    "gate opened before recovery is over": _mutant(0, DEATH, own=early_gate),
    "what an open transaction hides not waited for": _mutant(
        1020, ORACLE, take_over=told(only_stable)
    ),
    "seq not kept in the state": _mutant(5, SEQ, bring_up=forgets_seq),
    "slices of an earlier take-over taken in": _mutant(361, DEATH, receive=receives_all),
    "gate opened by an earlier recovery": _mutant(95, DEATH, complete=opens_for_another),
    "rows kept in memory over a take-over": _mutant(20453, ORACLE, keeps_rows=True),
    "units fenced in mid transaction": _mutant(27, SEQ, own=stops_nothing),
}
