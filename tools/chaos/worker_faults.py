"""Faults of workers: killed, frozen, coming and going, and their group's offsets."""

import asyncio
import random
import sys
import time
from concurrent.futures import Future
from contextlib import AsyncExitStack, suppress
from typing import Protocol

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.topics import INPUTS, TopicSettings
from tools.chaos.outcome import Done, NotDoneError
from tools.chaos.programs import Life, Program
from tools.chaos.scene import Scene
from tools.waiting import PAUSE_S, comes_true
from tools.workers import POINTS, READY

GROUP = "adjust"
ALL_SHARE = 0.15
POINT_WAIT_S = 10.0
FROZEN_S = (6.5, 9.0)
MOVES, BETWEEN_MOVES_S = (3, 5), (0.5, 3.0)
RESET_WAIT_S, ANSWER_MAX_S = 20.0, 10.0
ANYWHERE_MAX = 1000


class Offsets(Protocol):
    """What sets a group's offsets; `AdminClient` does."""

    def alter_consumer_group_offsets(
        self, asked: list[ConsumerGroupTopicPartitions], /
    ) -> dict[str, Future[ConsumerGroupTopicPartitions]]:
        """Ask for it; the answer has an error for each partition."""


async def kill(scene: Scene, draw: random.Random) -> Done:
    """Kill -9 one of them, or all at once."""
    if draw.random() < ALL_SHARE:
        return await kill_all(scene.running)
    async with scene.hold_of_worker(draw) as worker:
        await worker.kill()
        return Done(worker.name)


async def kill_all(workers: list[Program]) -> Done:
    """Kill -9 all of these."""
    killed = []
    for worker in workers:
        with suppress(NotDoneError):  # another fault has just taken it away
            await worker.kill()
            killed.append(worker.name)
    if not killed:
        raise NotDoneError("no worker runs")
    return Done(f"all workers: {', '.join(killed)}")


async def kill_at_point(scene: Scene, draw: random.Random) -> Done:
    """Let one live that dies at a step."""
    point, hit = draw.choice(POINTS), draw.randint(1, 5)
    life = Life([sys.executable, "-m", "tools.pointed_worker", point, str(hit)])
    async with scene.hold_of_worker(draw) as worker:
        return await die_at(worker, point, hit, life)


async def die_at(
    worker: Program, point: str, hit: int, life: Life, wait_s: float = POINT_WAIT_S
) -> Done:
    """Let a worker lead this life to its end; if that does not come in time, kill it anyway."""
    await worker.kill_for_good()
    before = worker.written
    worker.start(life)
    ended = asyncio.create_task(worker.wait_end())
    await comes_true(lambda: ended.done() or worker.has_said(READY), worker.ready_s)
    is_ended, _ = await asyncio.wait({ended}, timeout=wait_s)
    if not is_ended:
        await worker.kill()
        raise NotDoneError(f"{worker.name} did not come to {point} {hit}; killed anyway")
    if not worker.has_said(f"point {point} reached", before):
        raise NotDoneError(f"{worker.name} ended before it came to {point} {hit}")
    return Done(f"{worker.name} at {point} {hit}")


async def freeze(scene: Scene, draw: random.Random) -> Done:
    """SIGSTOP until the group has given it up, then SIGCONT."""
    frozen_s = draw.uniform(*FROZEN_S)
    async with scene.hold_of_worker(draw) as worker:
        if not await worker.is_ready():
            raise NotDoneError(f"{worker.name} was in no group before")
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
            admin = AdminClient({"bootstrap.servers": scene.cluster.bootstrap, "log_level": "0"})
            await asyncio.to_thread(set_offsets, admin, where)
        finally:
            for worker in stopped:
                worker.start()
    return Done(f"to {where}")


def set_offsets(admin: Offsets, where: int, limit_s: float = RESET_WAIT_S) -> None:
    """Set them once nobody is in the group; who was killed stays in it for a session.

    Raises NotDoneError if Kafka does not let us.
    """
    places = [
        TopicPartition(topic.name, number, where)
        for topic in INPUTS
        for number in range(TopicSettings().partitions)
    ]
    deadline = time.monotonic() + limit_s
    while refusal := _refusal(admin, places):
        if time.monotonic() > deadline:
            raise NotDoneError(f"Kafka refuses: {refusal}")
        time.sleep(PAUSE_S)


def _refusal(admin: Offsets, places: list[TopicPartition]) -> str:
    """Ask for it. Kafka refuses it as a whole, or each partition by itself."""
    try:
        asked = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(GROUP, places)])
        answers = asked[GROUP].result(ANSWER_MAX_S).topic_partitions or []
    except (KafkaException, TimeoutError) as refused:
        return str(refused) or "it does not answer"
    return next((str(place.error) for place in answers if place.error), "")
