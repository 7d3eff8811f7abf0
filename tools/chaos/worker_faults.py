"""Faults of workers: killed, frozen, coming and going, and their group's offsets."""

import asyncio
import random
import sys
import time
from contextlib import AsyncExitStack

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.topics import INPUTS, TopicSettings
from tools.chaos.outcome import Done, NotDoneError
from tools.chaos.programs import READY_MAX_S, Life
from tools.chaos.scene import Scene
from tools.waiting import PAUSE_S, comes_true
from tools.workers import POINTS, READY

GROUP = "adjust"
POINT_WAIT_S = 10.0
FROZEN_S = (6.5, 9.0)
MOVES, BETWEEN_MOVES_S = (3, 5), (0.5, 3.0)
RESET_WAIT_S = 20.0
ANYWHERE_MAX = 1000


async def kill(scene: Scene, draw: random.Random) -> Done:
    """Kill -9 one of them, or all at once."""
    if draw.random() < 0.15:  # noqa: PLR2004 - seldom
        for worker in scene.running:
            await worker.kill()
        return Done("all workers")
    async with scene.hold_of_worker(draw) as worker:
        await worker.kill()
        return Done(worker.name)


async def kill_at_point(scene: Scene, draw: random.Random) -> Done:
    """Let one live that dies at a step; if it does not come there in time, it is killed anyway."""
    point, hit = draw.choice(POINTS), draw.randint(1, 5)
    command = [sys.executable, "-m", "tools.pointed_worker", point, str(hit)]
    async with scene.hold_of_worker(draw) as worker:
        await worker.kill_for_good()
        worker.start(Life(command))
        ended = asyncio.create_task(worker.wait_end())
        await comes_true(lambda: ended.done() or worker.has_said(READY), READY_MAX_S)
        is_reached, _ = await asyncio.wait({ended}, timeout=POINT_WAIT_S)
        if not is_reached:
            await worker.kill()
            raise NotDoneError(f"{worker.name} did not come to {point} {hit}; killed anyway")
        return Done(f"{worker.name} at {point} {hit}")


async def freeze(scene: Scene, draw: random.Random) -> Done:
    """SIGSTOP until the group has given it up, then SIGCONT."""
    frozen_s = draw.uniform(*FROZEN_S)
    async with scene.hold_of_worker(draw) as worker:
        await worker.freeze()
        await asyncio.sleep(frozen_s)
        await worker.resume()
        return Done(f"{worker.name} for {frozen_s:.1f} s")


async def join_and_leave(scene: Scene, draw: random.Random) -> Done:
    """Let workers come and go every few seconds; in the end the usual ones are there."""
    moves = []
    usual = scene.workers[: scene.plan.workers]
    for _ in range(draw.randint(*MOVES)):
        async with scene.hold_of(scene.workers, draw) as worker:
            if not worker.is_wanted:
                worker.start()
            elif draw.random() < 0.5:  # noqa: PLR2004 - a fair coin
                await worker.stop()
            else:
                await worker.kill_for_good()
            moves.append(f"{worker.name} {'came' if worker.is_wanted else 'went'}")
        await asyncio.sleep(draw.uniform(*BETWEEN_MOVES_S))
    for worker in scene.workers:
        async with worker.is_struck:
            if worker in usual and not worker.is_wanted:
                worker.start()
            elif worker not in usual and worker.is_wanted:
                await worker.stop()
    return Done(", ".join(moves))


async def reset_offsets(scene: Scene, draw: random.Random) -> Done:
    """Stop all workers, set the offsets of their group to anything, and start them again."""
    async with AsyncExitStack() as held:
        for worker in scene.workers:
            await held.enter_async_context(worker.is_struck)
        stopped = scene.running
        await asyncio.gather(*(worker.stop() for worker in stopped))
        where = draw.choice((0, 1, draw.randrange(ANYWHERE_MAX)))
        try:
            await asyncio.to_thread(_set_offsets, scene.cluster.bootstrap, where)
        finally:
            for worker in stopped:
                worker.start()
    return Done(f"to {where}")


def _set_offsets(bootstrap: str, where: int) -> None:
    """Set them once nobody is in the group; who was killed stays in it for a session.

    Raises NotDoneError if Kafka does not let us.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": "0"})
    places = [
        TopicPartition(topic.name, number, where)
        for topic in INPUTS
        for number in range(TopicSettings().partitions)
    ]
    deadline = time.monotonic() + RESET_WAIT_S
    while True:
        asked = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(GROUP, places)])
        try:
            asked[GROUP].result()
        except KafkaException as refused:
            if time.monotonic() > deadline:
                raise NotDoneError(f"Kafka refuses: {refused}") from refused
            time.sleep(PAUSE_S)
        else:
            return
