"""Requests of every shape, good and wrong, for all places where requests are read."""

from tests.shapes.attributes import WRONG_ACCOUNTS, WRONG_ATTRIBUTES
from tests.shapes.bases import value_of
from tests.shapes.good import GOOD
from tests.shapes.modes import WRONG_MODES
from tests.shapes.together import WRONG_TOGETHER
from tests.shapes.unreadable import UNREADABLE

WRONG = WRONG_ATTRIBUTES | WRONG_MODES | WRONG_TOGETHER

__all__ = ["GOOD", "UNREADABLE", "WRONG", "WRONG_ACCOUNTS", "value_of"]
