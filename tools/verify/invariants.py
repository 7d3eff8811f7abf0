"""The invariants that topics, changelogs and workers' stores are held to, each with its checks."""

from collections import Counter

from tools.verify.checks import Check


class Invariants:
    """One check for each part of the promise that the engine itself keeps."""

    def __init__(self) -> None:
        """Begin with nothing looked at."""
        self.totals: Counter[str] = Counter()
        self.unjudged = 0  # requests that the second reading could not read
        self.checks: list[Check] = []
        self.ends = self._check("I1", "each request has one result, is a dead letter, or sent on")
        self.remembered = self._check("I1", "each requestId is decided once")
        self.acknowledged = self._check("I1", "each acknowledged request has its result")
        self.sums = self._check("I2", "original and effects make up current, never below zero")
        self.pairs = self._check("I3", "an adjustment comes with its event and applied result")
        self.upserts = self._check(
            "I3", "every other image is of one upsert, each upsert told once"
        )
        self.numbers = self._check("I4", "seq without gap, each key at home, of the agreed form")
        self.tables = self._check("I5", "changelogs hold what the topics say, row by row")
        self.stores = self._check("I6", "workers' stores hold what the changelogs say")
        self.repeats = self._check("I7", "a repeat is answered as the first was")
        self.balance = self._check("I10", "requests are results, dead letters and sent on")
        self.letters = self._check("I10", "a dead letter is of one record that nobody can read")
        self.strays = self._check("I10", "what was found in a wrong partition is sent on once")
        self.decisions = self._check("I11", "each decision is right in the state of its moment")
        self.undecided = self._check("I12", "nothing is undecided")

    def _check(self, invariant: str, name: str) -> Check:
        self.checks.append(Check(name, invariant=invariant))
        return self.checks[-1]
