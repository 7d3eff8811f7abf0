"""What takes turns in a simulation: actors, and messages that are under way to the cluster.

An actor is a generator. It yields None where another may go on, a `Message` whose answer it waits
for, or a function: then it waits until this says yes. Between any two of its turns it may be
killed, or frozen; its messages go their own way.
"""

from collections.abc import Callable, Generator
from types import GeneratorType
from typing import Any

from streams.delivery.errors import Fatal

RETRY = object()  # a message's answer: not yet
BEGUN = object()  # likewise, but something was begun that others must see
READY_SHARE = 3  # turns of one that can go on, for one of those that have to be asked

Steps = Generator[Any, Any, Any]


class Fenced(Exception):  # noqa: N818 - named as Kafka names it
    """The cluster has a newer owner for this transactional id."""


class Lost(Exception):  # noqa: N818 - a time-out
    """No answer came. What was asked may have been done, or may still be."""


class Violation(AssertionError):  # noqa: N818 - what it is, in the words of the project
    """A promise was broken."""

    def __init__(self, check: str, text: str) -> None:
        super().__init__(f"{check}: {text}")
        self.check, self.text = check, text


class Message:
    """Something asked of the cluster: it is done at one moment, or never."""

    __slots__ = ("answer", "call", "due", "error", "is_done", "name", "owner", "waiting")

    def __init__(self, name: str, owner: Any, call: Callable[[], Any], due: int = 0) -> None:
        self.name, self.owner, self.call, self.due = name, owner, call, due
        self.answer: Any = None
        self.error: Exception | None = None
        self.is_done = False
        self.waiting: Actor | None = None  # for the answer

    def run(self, turns: "Turns", now: int) -> bool:
        """Do it, if it can be done now."""
        if self.is_done:
            return False
        if now < self.due:
            turns.waiting.append(self)
            return False
        try:
            answer = self.call()
        except Fenced as error:
            self.error = error
        else:
            if answer is RETRY or answer is BEGUN:
                turns.waiting.append(self)
                return answer is BEGUN
            self.answer = answer
        self.is_done = True
        if self.waiting is not None:
            turns.ready.append(self.waiting)
        return True


class Actor:
    """One thread of work in a worker."""

    __slots__ = ("is_done", "name", "owner", "steps", "waits_for")

    def __init__(self, name: str, owner: Any, steps: Steps) -> None:
        self.name, self.owner, self.steps = name, owner, steps
        self.waits_for: Any = None
        self.is_done = False

    def run(self, turns: "Turns", _now: int) -> bool:
        """Go on to the next yield, if there is anything to go on with."""
        asked = self.waits_for
        if self.is_done:
            return False
        if self.owner.is_frozen or not (asked is None or type(asked) is Message or asked()):
            turns.waiting.append(self)
            return False
        try:
            if type(asked) is not Message:
                self.waits_for = self.steps.send(None)
            elif asked.error is None:
                self.waits_for = self.steps.send(asked.answer)
            else:
                self.waits_for = self.steps.throw(asked.error)
        except StopIteration:
            self.is_done = True
        except (Fenced, Lost, Fatal) as error:
            self.owner.die(error, self.name)
        else:
            turns.add(self)
        return True

    def lose(self, turns: "Turns") -> bool:
        """The answer that it waits for never comes. False if it waits for none."""
        message = self.waits_for
        if type(message) is not Message or message.error is not None:
            return False
        lost = Message(message.name, message.owner, _nothing)
        lost.is_done, lost.error = True, Lost(f"no answer to {message.name}")
        self.waits_for, message.waiting = lost, None
        if not message.is_done:
            turns.ready.append(self)
        return True


class Turns:
    """Who may go on: `ready` surely can, unless it is frozen; `waiting` has to be asked."""

    def __init__(self, turn: Callable[[int], int]) -> None:
        self.turn = turn
        self.ready: list[Actor | Message] = []
        self.waiting: list[Actor | Message] = []

    def take(self, now: int) -> bool:
        """Somebody goes on. False if nobody can."""
        items, count = self.ready, len(self.ready)
        often = count * READY_SHARE
        both = often + len(self.waiting)
        if not both:
            return False
        at = self.turn(both)
        if at < often:
            at %= count
        else:
            items, at = self.waiting, at - often
        item, last = items[at], items.pop()
        if item is not last:
            items[at] = last
        return item.run(self, now) or self._look_for_one(now)

    def add(self, actor: Actor) -> None:
        """One that has had its turn."""
        asked = actor.waits_for
        if asked is None:
            self.ready.append(actor)
        elif type(asked) is not Message:
            self.waiting.append(actor)
        elif asked.is_done:
            self.ready.append(actor)
        else:
            asked.waiting = actor

    def _look_for_one(self, now: int) -> bool:
        """Ask everybody once."""
        for items in (self.ready, self.waiting):
            for _ in range(len(items)):
                if items.pop(0).run(self, now):
                    return True
        return False


def _nothing() -> None:
    """Nothing is asked."""


def drive(steps: Generator[Any, Any, Any], carry_out: Any, pauses: Callable[[], bool]) -> Steps:
    """Carry out steps; where it pauses after one, others take turns."""
    answer = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            return end.value
        done = carry_out[type(step)](step)
        kind = type(done)
        if kind is Message:
            answer = yield done
        elif kind is GeneratorType:
            answer = yield from done
        else:
            if pauses():
                yield None
            answer = done
