"""The temporary folder of a run, which is gone when the run is, and mounts that are too."""

import ctypes
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

SWEEP = Path(__file__).with_name("sweep.py")
NEW_MOUNTS, NEW_USERS = 0x00020000, 0x10000000
PRIVATE_ALL = 0x4000 | 0x40000


class Folder:
    """A folder that a program of its own removes, also after a kill -9 of this one."""

    def __init__(self, parent: Path | None = None, prefix: str = "adjust-chaos-") -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        self._sweeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(SWEEP), str(self.path)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def keep(self) -> None:
        """Leave it there for somebody to look at."""
        assert self._sweeper.stdin
        self._sweeper.stdin.write(b"keep\n")
        self._sweeper.stdin.flush()

    def __enter__(self) -> Self:
        """It is there already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let it be removed."""
        assert self._sweeper.stdin
        self._sweeper.stdin.close()
        self._sweeper.wait()


def part_from_mounts() -> bool:
    """Let what is mounted from now on be seen by us and our children alone, and go with the last.

    False where the system does not allow it. Threads must not run yet.
    """
    if sys.platform != "linux":
        return False
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if user == 0:
        parted = libc.unshare(NEW_MOUNTS) == 0
    else:
        parted = libc.unshare(NEW_USERS | NEW_MOUNTS) == 0 and _become_root(user, group)
    return parted and bool(libc.mount(b"none", b"/", None, PRIVATE_ALL, None) == 0)


def _become_root(user: int, group: int) -> bool:
    """Within the new name space: its root is who we are outside."""
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    except OSError:
        return False
    return True
