"""Faust's tables and recovery, emptied: only names and assignment are left; units hold the rows.

Faust's order at a rebalance: start, revoked, (join), `on_rebalance`, recovery.
"""

from typing import Any

from faust.stores.base import Store
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery

from streams.delivery.delivery import delivery_of
from streams.delivery.errors import Fatal, die


class UnitStore(Store[Any, Any]):
    """Faust wants a store for each table. The rows are in the units."""

    def persisted_offset(self, tp: Any) -> int | None:  # noqa: ARG002 - as the base
        """Faust has nothing to go on from."""
        return None

    def reset_state(self) -> None:
        """Nothing to forget."""

    def apply_changelog_batch(self, *_: Any, **__: Any) -> None:
        """Faust's recovery is empty and never comes here."""
        die("in recovery", Fatal("Faust tried to recover a table by itself"))

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise Fatal("rows are read and written by handlers, through their Work")

    __getitem__ = __contains__ = __setitem__ = __delitem__ = __iter__ = items = __len__ = _refuse
    backup_partition = restore_backup = _refuse


class NoRecovery(Recovery):
    """Finds nothing to do, at once: units catch up by themselves."""

    take_over = 0  # the last that a recovery was asked for
    number = 0  # the last that the running recovery knew of at its start

    async def on_rebalance(self, *what: Any, **more: Any) -> None:
        """Ask for a recovery. Nothing can come between its number and its signal: no await does."""
        self.take_over = delivery_of(self.app).flow.take_over
        await super().on_rebalance(*what, **more)

    async def _build_highwaters(self, *_: Any) -> None:
        """No changelog is Faust's to read."""

    async def _build_offsets(self, *_: Any) -> None:
        """No changelog is Faust's to read."""

    async def _seek_offsets(self, *_: Any) -> None:
        """No changelog is Faust's to read."""

    def need_recovery(self) -> bool:
        """Never."""
        return False

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """The last step of a rebalance: Faust resumed its queues twice before and cleared them.

        The group may assign twice in one generation. So the number counts: this recovery opens the
        gate for the take-over that it began after, and for no later one, which has its own.
        """
        await super().on_recovery_completed(generation_id)
        is_last = not self.signal_recovery_start.is_set()
        if is_last and generation_id == self.app.consumer_generation_id:
            delivery_of(self.app).flow.resume(self.number)

    def _set_recovery_started(self) -> None:
        self.number = self.take_over
        super()._set_recovery_started()


class Tables(TableManager):
    """Where Faust tells of a rebalance."""

    @property
    def recovery(self) -> NoRecovery:
        """Ours, made when first asked for."""
        if not isinstance(self._recovery, NoRecovery):
            self._recovery = NoRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    def on_rebalance_start(self) -> None:
        """Runs in the consumer's thread: only a flag."""
        delivery_of(self.app).flow.stop()
        super().on_rebalance_start()

    def on_partitions_revoked(self, revoked: set[Any]) -> None:
        """Before Faust waits for running transactions, with heartbeats still flowing."""
        delivery_of(self.app).close_units()
        super().on_partitions_revoked(revoked)

    async def on_rebalance(
        self,
        assigned: set[Any],
        revoked: set[Any],
        newly_assigned: set[Any],
        generation_id: int = 0,
    ) -> None:
        """No heartbeat is sent until this returns."""
        try:
            await delivery_of(self.app).take_over(assigned)
        except Exception as error:  # noqa: BLE001 - whatever it is, this worker cannot serve
            die("in a take-over", error)
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)
        delivery_of(self.app).start_catch_ups()

    async def on_stop(self) -> None:
        """Faust has waited for running transactions."""
        await super().on_stop()
        await delivery_of(self.app).stop()
