"""Which of Faust's recoveries opens the gate of delivery."""

from unittest.mock import AsyncMock, MagicMock

from streams.delivery.intake import Flow
from streams.delivery.rebalance import NoRecovery


class Rebalances:
    """The recovery that follows the rebalances of a Faust app that is never started."""

    def __init__(self) -> None:
        self.flow = Flow()
        self.app = MagicMock(consumer_generation_id=1, tracer=None)
        self.app.delivery.flow = self.flow
        self.app.consumer.assignment.return_value = set()
        self.app.on_rebalance_complete.send = AsyncMock()
        self.app._fetcher.maybe_start = AsyncMock()
        self.recovery = NoRecovery(self.app, MagicMock())

    async def assign(self) -> None:
        """As `Tables.on_rebalance`."""
        self.flow.begin_take_over()
        await self.recovery.on_rebalance(set(), set(), set(), 1)

    def begin(self) -> None:
        """As Faust's loop at the start of a recovery."""
        self.recovery.signal_recovery_start.clear()
        self.recovery._set_recovery_started()

    async def complete(self) -> None:
        """As Faust's loop at its end."""
        await self.recovery.on_recovery_completed(1)


async def test_the_recovery_of_the_last_rebalance_opens_the_gate() -> None:
    rebalances = Rebalances()
    await rebalances.assign()
    rebalances.begin()
    assert not rebalances.flow.is_flowing
    await rebalances.complete()
    assert rebalances.flow.is_flowing


async def test_a_recovery_does_not_open_the_gate_of_a_later_rebalance() -> None:
    rebalances = Rebalances()
    await rebalances.assign()
    rebalances.begin()
    await rebalances.assign()
    await rebalances.complete()
    assert not rebalances.flow.is_flowing
    rebalances.begin()
    await rebalances.complete()
    assert rebalances.flow.is_flowing


async def test_nor_while_a_later_one_is_fencing() -> None:
    rebalances = Rebalances()
    await rebalances.assign()
    rebalances.begin()
    rebalances.flow.begin_take_over()
    await rebalances.complete()
    assert not rebalances.flow.is_flowing
