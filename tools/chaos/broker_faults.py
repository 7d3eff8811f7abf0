"""Faults of brokers: killed and restarted, in a cluster of several one at a time."""

import asyncio
import random

from tools.chaos.outcome import Done
from tools.chaos.scene import Scene

AWAY_S = (0.0, 6.0)


async def kill(scene: Scene, draw: random.Random) -> Done:
    """Kill -9, and some time later a start."""
    async with scene.cluster.hold_of_node(draw) as node:
        away_s = draw.uniform(*AWAY_S)
        await asyncio.to_thread(node.kill)
        await asyncio.sleep(away_s)
        started_at = await scene.cluster.bring_back(node)
        return Done(f"node {node.number} away for {away_s:.1f} s", started_at)


async def restart(scene: Scene, draw: random.Random) -> Done:
    """An orderly stop, and a start."""
    async with scene.cluster.hold_of_node(draw) as node:
        started_at = await scene.cluster.bring_back(node)
        return Done(f"node {node.number}", started_at)
