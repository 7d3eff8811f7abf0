"""One partition number in a simulated process: carries out the steps of its protocol."""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import msgspec

from streams.delivery import owning, protocol
from streams.delivery.deciding import Decide, Decided, Known, begin
from streams.delivery.intake import Intake
from streams.delivery.protocol import Ends, Local, Progress, Span
from streams.delivery.work import Work
from tests.simulation import ledger
from tests.simulation.actors import RETRY, Actor, Lost, Message, Steps, Violation, drive
from tests.simulation.coordinator import ONGOING

if TYPE_CHECKING:
    from tests.simulation.worker import Process

PAUSE = 30  # steps for one of the protocol's pauses
CLUSTER = "this"
COMMIT = "commit"
_read_progress = msgspec.json.Decoder(Progress).decode


class Unit:
    """As `streams.delivery.unit` and `takeover` together, on the model."""

    def __init__(self, process: "Process", number: int) -> None:
        self.process, self.world, self.number = process, process.world, number
        self.name = f"{ledger.APP_ID}-{number}"
        self.disk = self.world.disk(process.name, number)
        self.intake = Intake()
        self.epoch = 0
        self.known: Known | None = None
        self.actor: Actor | None = None
        self.is_deciding = self.is_late = False
        self.sent: list[tuple[str, Message]] = []
        self.carry_out = {
            protocol.ReadEnds: self._read_ends,
            protocol.Pause: self._pause,
            protocol.ReadProgress: self._read_progress,
            protocol.ReadOutput: self._read_output,
            protocol.ReadLocal: self._read_local,
            protocol.DropStore: self._drop_store,
            protocol.WriteMark: self._write_mark,
            protocol.Replay: self._replay,
            owning.CaughtUp: self._nothing,
            owning.Serve: self._serve,
            Decide: self._decide,
            Decided: self._nothing,
            protocol.Begin: self._begin,
            protocol.Send: self._send,
            protocol.Confirm: self._confirm,
            protocol.Commit: self._commit,
            protocol.WriteLocal: self._write_local,
        }

    def say(self, text: str) -> None:
        """Tell what happens."""
        if self.world.story is not None:
            self.process.say(f"unit {self.number}: {text}")

    def fence(self, take_over: int) -> Steps:
        """The first step of a take-over, within the rebalance."""
        self.take_over = take_over
        self.steps = self.process.variant.take_over(self.world.new_id())
        step = next(self.steps)
        assert isinstance(step, protocol.Fence)
        fence, coordinator = self.process.variant.fence, self.world.coordinator
        self.epoch = yield self._ask("fence", lambda: fence(coordinator, self.name, self.process))
        self.say(f"is fenced, epoch {self.epoch}")

    def bring_up(self) -> Steps:
        """The rest of it."""
        steps = self.process.variant.bring_up(self.steps, self.take_over)
        yield from drive(steps, self.carry_out, self.world.choices.pauses)

    def stop(self) -> None:
        """Its running transaction is over."""
        if self.actor:
            self.actor.is_done = True
            self.actor = None
        self.intake.close()

    def _ask(self, name: str, call: Any) -> Message:
        return self.process.ask(f"{name} of {self.name}", call)

    def _nothing(self, _: Any) -> None:
        return

    def _read_ends(self, _: Any) -> Generator[Any, Any, Ends]:
        """The stable offsets first, as `logs.ends` does; others may write before the second."""
        plan, logs, number = self.world.plan, self.world.logs, self.number
        topics = [*plan.inputs, *plan.outputs, *plan.changelogs]
        stable = yield self._ask("ends", lambda: {t: logs[t, number].stable for t in topics})
        end = yield self._ask("ends", lambda: {t: logs[t, number].end for t in topics})
        spans = {topic: Span(0, stable[topic], end[topic]) for topic in topics}
        self.ends = Ends(
            inputs={topic: spans[topic] for topic in plan.inputs},
            outputs={topic: spans[topic] for topic in plan.outputs},
            changelogs={topic: spans[topic] for topic in plan.changelogs},
            cluster=CLUSTER,
            topics={topic: topic for topic in (*plan.inputs, *plan.changelogs)},
        )
        return self.ends

    def _pause(self, step: protocol.Pause) -> Steps:
        self.say(f"waits: {step.why}")
        yield self.world.after(PAUSE)

    def _read_progress(self, _: Any) -> Generator[Any, Any, Progress | None]:
        """Up to the end that was seen: others may have written since, if this one is late."""
        end = self.ends.changelogs[ledger.PROGRESS_CHANGELOG].end
        rows = yield self._read(ledger.PROGRESS_CHANGELOG, 0, end)
        return _read_progress(rows[-1].value) if rows else None

    def _read(self, topic: str, start: int, end: int) -> Message:
        """A reader of what is committed does not get past the last stable offset."""
        log = self.world.logs[topic, self.number]
        return self._ask("read", lambda: log.committed(start, end) if log.stable >= end else RETRY)

    def _read_output(self, _: Any) -> Message:
        """Likewise, up to the stable offsets that were seen."""
        ends = {self.world.logs[t, self.number]: s.stable for t, s in self.ends.outputs.items()}
        return self._ask("read", lambda: any(log.committed(0, end) for log, end in ends.items()))

    def _read_local(self, _: Any) -> Local:
        return self.disk.local(self.world.plan.changelogs)

    def _drop_store(self, step: protocol.DropStore) -> None:
        self.say(f"drops its store: {step.why}")
        self.disk.drop()

    def _write_mark(self, step: protocol.WriteMark) -> None:
        self.disk.write({}, {}, step.mark)

    def _replay(self, step: protocol.Replay) -> Generator[Any, Any, int]:
        count, prefixes = 0, self.world.plan.prefixes
        for topic, at in step.start.items():
            start, end = at, step.end[topic]
            while start < end:
                upto = self.world.choices.amount(start + 1, end)
                records = yield self._read(topic, start, upto)
                start = upto
                if records:
                    rows = [(record.key, record.value) for record in records]
                    self.disk.write({prefixes[topic]: rows}, {topic: records[-1].offset + 1})
                    count += len(records)
                    yield None
        return count

    def _serve(self, step: owning.Serve) -> None:
        self.say(f"serves from {step.progress.next}, commit {step.progress.commit}")
        before, self.known = self.known, begin(self.world.plan, step.progress)
        if before and self.process.variant.keeps_rows:
            self.known = self.known._replace(kept=before.kept)
        self.intake.open(step.take_over, step.progress.next)
        self.actor = self.process.start(f"unit {self.number}", self._serving())

    def _has_work(self) -> bool:
        assert self.known
        return bool(self.intake.queue) or (self.is_late and self.known.is_ahead)

    def _serving(self) -> Steps:
        world, variant = self.world, self.process.variant
        while True:
            yield self._has_work
            self.is_deciding, self.is_late = True, False
            taken = self.intake.take()
            yield None
            assert self.known
            seq = self.known.progress.seq
            kept = self.known.kept
            self.work = Work(world.plan, self.disk, self.number, seq, kept=kept)
            is_overdue = self.known.is_ahead and world.choices.happens(10)
            parts = [part for part, _ in taken]
            steps = variant.decide(self.work, self.known, parts, is_overdue=is_overdue)
            self.known = yield from drive(steps, self.carry_out, world.choices.pauses)
            self.is_deciding = False
            self.intake.done(taken)

    def _decide(self, step: Decide) -> None:
        handle = self.world.plan.inputs[step.topic]
        for record in step.records:
            handle(self.work, record)
        if self.world.story is not None:
            self.say(f"decides {[record.source for record in step.records]}")

    def _begin(self, step: protocol.Begin) -> Message:
        self.sent = []
        coordinator = self.world.coordinator
        return self._ask("begin", lambda: coordinator.add(self.name, self.epoch, step.places))

    def _send(self, step: protocol.Send) -> None:
        """It is under way; more are sent before it arrives."""
        world, place, epoch = self.world, step.place, self.epoch
        message = self._ask(
            f"records for {place[0]}-{place[1]}",
            lambda: world.coordinator.write(self.name, epoch, place, step.records, world.now),
        )
        self.sent.append((place[0] if place[1] == self.number else "", message))

    def _confirm(self, _: Any) -> Generator[Any, Any, dict[str, int]]:
        for _topic, message in self.sent:
            yield message
        return {topic: message.answer for topic, message in self.sent if topic}

    def _commit(self, _: Any) -> Steps:
        coordinator = self.world.coordinator

        def end() -> Message:
            epoch = self.epoch
            return self.process.ask(
                COMMIT, lambda: coordinator.end(self.name, epoch, is_commit=True)
            )

        if self.process.loses_commit:
            self.world.at(self.world.now + 1, self.process.loses_commit)
            self.process.loses_commit = None
        try:
            yield end()
        except Lost:
            if not self.process.variant.repeats_end:
                raise
            yield end()
        self.say("committed")

    def _write_local(self, step: protocol.WriteLocal) -> None:
        owner = self.world.coordinator.owner(self.name)
        if owner.epoch == self.epoch and owner.state is ONGOING:
            raise Violation("rows are local only once committed", f"unit {self.number}")
        self.disk.write(step.rows, step.next, step.mark)
