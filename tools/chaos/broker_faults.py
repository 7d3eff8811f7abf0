"""Faults of brokers: killed and restarted, in a cluster of several one at a time."""

import asyncio
import random

from tools.chaos.scene import Scene

AWAY_S = (0.0, 6.0)


async def kill(scene: Scene, draw: random.Random) -> str:
    """Kill -9, and some time later a start."""
    async with scene.cluster.is_struck:
        node = draw.choice(scene.cluster.nodes)
        away_s = draw.uniform(*AWAY_S)
        await asyncio.to_thread(node.kill)
        await asyncio.sleep(away_s)
        await scene.cluster.bring_back(node)
        return f"node {node.number} away for {away_s:.1f} s"


async def restart(scene: Scene, draw: random.Random) -> str:
    """An orderly stop, and a start."""
    async with scene.cluster.is_struck:
        node = draw.choice(scene.cluster.nodes)
        await scene.cluster.bring_back(node)
        return f"node {node.number}"
