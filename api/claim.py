"""Lets one process alone write to a read model: two would set each other's rows back."""

import fcntl
import os
from contextlib import ExitStack

import sqlalchemy as sql

from api.errors import ReadModelTakenError

_LOCK = 0x61646A757374  # a number of PostgreSQL's advisory locks that is ours: "adjust" in ASCII


def claim(engine: sql.Engine) -> ExitStack:
    """Hold the read model until closed, or until the process ends. Raises ReadModelTakenError."""
    with ExitStack() as held:
        if engine.dialect.name == "postgresql":
            connection = held.enter_context(engine.connect())
            connection.detach()  # from the pool, which may be disposed of before
            is_ours = connection.scalar(sql.select(sql.func.pg_try_advisory_lock(_LOCK)))
            connection.commit()  # the lock is the session's, not the transaction's
        else:
            is_ours = engine.url.database is None or _is_locked(engine.url.database, held)
        if not is_ours:
            raise ReadModelTakenError(engine.url.render_as_string())
        return held.pop_all()


def _is_locked(database: str, held: ExitStack) -> bool:
    lock = os.open(f"{database}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    held.callback(os.close, lock)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
