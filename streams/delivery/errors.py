"""How a worker ends when something happens that it does not foresee."""

import os
import sys
import traceback
from typing import NoReturn

EXIT_CODE = 70  # EX_SOFTWARE


class Fatal(Exception):  # noqa: N818 - not an error to handle: the end of the process
    """Why this process must end; the text is for the operator."""


def note(text: str) -> None:
    """One line for the operator."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def die(doing: str, error: BaseException) -> NoReturn:
    """End the process at once. Nothing is repaired in place: the next start reads the truth."""
    if isinstance(error, Fatal):
        note(f"FATAL {doing}: {error}")
    else:
        frames = traceback.extract_tb(error.__traceback__)[-3:]
        where = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
        cause = f", because of {error.__cause__!r}" if error.__cause__ else ""
        note(f"FATAL {doing}: {error!r}{cause} in {where or 'no frame'}")
    os._exit(EXIT_CODE)
