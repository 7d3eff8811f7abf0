"""Faults of the network between one worker or subscriber and the brokers."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tools.chaos.outcome import Done, NotDoneError
from tools.chaos.programs import Program
from tools.chaos.proxy import Proxy
from tools.chaos.scene import Scene

Span = tuple[float, float]  # the least and the most, in seconds

LASTS_S: Span = (1.0, 10.0)
DELAY_S = (0.02, 0.8)
OF_SUBSCRIBER_SHARE = 0.15
ALL_NODES_SHARE = 0.7
ENDS_DROPPED_SHARE = 0.5
ANSWERS_ONLY_SHARE = 0.5


async def cut(scene: Scene, draw: random.Random, lasts_s: Span = LASTS_S) -> Done:
    """End all connections and let none come up."""
    async with _way(scene, draw) as (program, proxies):
        for proxy in proxies:
            proxy.cut()
        return Done(f"{program.name} {await _last(draw, lasts_s)}")


async def hold(scene: Scene, draw: random.Random, lasts_s: Span = LASTS_S) -> Done:
    """Leave connections open and pass nothing on, or requests but no answers."""
    answers_only = draw.random() < ANSWERS_ONLY_SHARE
    ends_dropped = draw.random() < ENDS_DROPPED_SHARE
    async with _way(scene, draw) as (program, proxies):
        for proxy in proxies:
            proxy.hold(answers_only=answers_only)
        lasted = await _last(draw, lasts_s)
        if ends_dropped:
            for proxy in proxies:
                proxy.drop()
        what = "answers" if answers_only else "everything"
        return Done(f"{program.name} {what} {lasted}" + (", then cut" if ends_dropped else ""))


async def delay(scene: Scene, draw: random.Random, lasts_s: Span = LASTS_S) -> Done:
    """Pass everything on later."""
    delay_s = draw.uniform(*DELAY_S)
    async with _way(scene, draw) as (program, proxies):
        for proxy in proxies:
            proxy.delay(delay_s)
        return Done(f"{program.name} by {delay_s:.2f} s {await _last(draw, lasts_s)}")


@asynccontextmanager
async def _way(
    scene: Scene, draw: random.Random
) -> AsyncIterator[tuple[Program, tuple[Proxy, ...]]]:
    """Choose whose way is struck, and to which nodes; heal it in the end."""
    of_subscriber = draw.random() < OF_SUBSCRIBER_SHARE
    programs = scene.subscribers if of_subscriber else scene.workers[: scene.plan.workers]
    async with scene.hold_of(programs, draw) as program:
        proxies = scene.cluster.links[program.name].proxies
        if draw.random() > ALL_NODES_SHARE:
            proxies = (draw.choice(proxies),)
        try:
            yield program, proxies
        finally:
            for proxy in proxies:
                proxy.heal()
        if not any(proxy.struck for proxy in proxies):
            raise NotDoneError(f"{program.name} had nothing under way")


async def _last(draw: random.Random, lasts_s: Span) -> str:
    wait_s = draw.uniform(*lasts_s)
    await asyncio.sleep(wait_s)
    return f"for {wait_s:.1f} s"
