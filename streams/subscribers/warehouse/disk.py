"""The steps by which files come and go; a crash between two of them harms nothing."""

import os
import uuid
from collections.abc import Iterable
from pathlib import Path

_BEGINNING, _END = ".", ".part"


def part_in(folder: Path) -> Path:
    """Name a file that is being written: whoever opens the warehouse next deletes what is left."""
    return folder / f"{_BEGINNING}{uuid.uuid4().hex}{_END}"


def is_part(name: str) -> bool:
    """Whether a file was never finished."""
    return name.startswith(_BEGINNING) and name.endswith(_END)


class Disk:
    """Does one step a call. Raises OSError."""

    def make_folder(self, folder: Path) -> None:
        """Make a folder with those around it, so that they outlast a loss of power."""
        if not folder.is_dir():
            self.make_folder(folder.parent)
            folder.mkdir(exist_ok=True)
            self.sync(folder.parent)

    def write(self, file: Path, content: Iterable[bytes]) -> None:
        """Write a new file."""
        with file.open("xb") as stream:
            stream.writelines(content)

    def sync(self, path: Path) -> None:
        """Have the content of a file, or the names in a folder, outlast a loss of power."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def put(self, part: Path, file: Path) -> None:
        """Give what is written its name. Raises FileExistsError, and changes nothing, if taken."""
        os.link(part, file)

    def remove(self, file: Path) -> None:
        """Delete a file, if it is there."""
        file.unlink(missing_ok=True)
