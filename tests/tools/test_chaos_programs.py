"""Programs under chaos are brought back, and nothing of a run outlives it."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from tools.chaos.outcome import NotDoneError
from tools.chaos.programs import Life, Program
from tools.waiting import comes_true, wait_until

FOR_EVER = (
    "import os, time; print('life', os.environ.get('WHICH'), os.getpid(), flush=True)\n"
    "while True: time.sleep(1)"
)
A_RUN = """
import sys
from tools.chaos.folder import Folder
with Folder() as folder:
    (folder.path / "round-1").mkdir()
    if "keep" in sys.argv:
        folder.keep()
    print(folder.path, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    life = Life([sys.executable, "-c", FOR_EVER], {"WHICH": "usual"})
    made = Program("worker", tmp_path / "home", life, "life usual")
    yield made
    await made.kill_for_good()


def lives(program: Program) -> list[list[str]]:
    """Of each life which one it was, and its process."""
    text = program.log.read_text() if program.log.exists() else ""
    return [line.split()[1:] for line in text.splitlines()]


def begun(program: Program, count: int) -> Callable[[], bool]:
    return lambda: len(lives(program)) == count


async def test_what_is_killed_is_brought_back_as_usual(program: Program) -> None:
    program.start(Life(program.usual.command, {"WHICH": "special"}))
    assert await comes_true(begun(program, 1))

    await program.kill()

    assert await comes_true(begun(program, 2))
    (first, one), (second, other) = lives(program)
    assert (first, second) == ("special", "usual")
    assert one != other


async def test_what_is_stopped_or_killed_for_good_stays_away(program: Program) -> None:
    for end in (program.stop, program.kill_for_good):
        before = len(lives(program))
        program.start()
        assert await comes_true(begun(program, before + 1))
        process = psutil.Process(int(lives(program)[-1][1]))
        await end()
        assert not process.is_running()
    assert len(lives(program)) == 2


async def test_the_end_of_a_life_can_be_waited_for(program: Program) -> None:
    program.start()
    ended = asyncio.create_task(program.wait_end())
    assert await comes_true(begun(program, 1))
    assert not ended.done()

    await program.kill()

    await asyncio.wait_for(ended, 20)


async def test_who_is_struck_between_two_lives_is_struck_in_the_next(program: Program) -> None:
    program.start(Life([sys.executable, "-c", "print('life', 'special', 0)"]))
    await program.wait_end()

    await program.freeze()

    ours = psutil.Process().children(recursive=True)
    assert await comes_true(lambda: psutil.STATUS_STOPPED in [each.status() for each in ours])
    await program.resume()
    assert await comes_true(begun(program, 2))


async def test_who_was_killed_while_it_was_frozen_did_not_go_on(program: Program) -> None:
    program.start()
    assert await comes_true(begun(program, 1))
    await program.freeze()

    await program.kill()

    assert await comes_true(begun(program, 2))
    with pytest.raises(NotDoneError, match="worker was killed while it was frozen"):
        await program.resume()


async def test_what_was_said_is_looked_for_from_any_place_on(program: Program) -> None:
    program.start(Life([sys.executable, "-c", "print('life', 'first', 0)"]))
    assert await comes_true(begun(program, 2))

    assert program.has_said("first", 0)
    assert not program.has_said("first")
    assert not program.has_said("first", program.written)


async def test_who_is_not_to_run_cannot_be_killed(program: Program) -> None:
    program.start()
    assert await program.is_ready()
    await program.stop()

    with pytest.raises(NotDoneError, match="worker does not run"):
        await program.kill()


async def test_a_frozen_one_goes_on(program: Program) -> None:
    program.start()
    assert await comes_true(begun(program, 1))
    process = psutil.Process(int(lives(program)[0][1]))

    await program.freeze()
    assert await comes_true(lambda: process.status() == psutil.STATUS_STOPPED)
    await program.resume()
    assert await comes_true(lambda: process.status() == psutil.STATUS_SLEEPING)


@pytest.mark.parametrize("keeps", [False, True])
def test_the_folder_of_a_killed_run_is_gone_unless_it_is_to_be_kept(
    tmp_path: Path, *, keeps: bool
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", A_RUN, *(["keep"] if keeps else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as run:
        assert run.stdout
        folder = Path(run.stdout.readline().strip())
        sweepers = psutil.Process(run.pid).children()
        run.kill()

    wait_until(lambda: not any(each.is_running() for each in sweepers), "the sweeper has ended")
    with contextlib.suppress(FileNotFoundError):
        assert folder.parent == tmp_path
    assert folder.exists() == keeps
