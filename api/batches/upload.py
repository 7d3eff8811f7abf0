"""A batch that came as an upload: the part `batch` is its JSON, the part `items` a CSV file."""

from collections.abc import AsyncGenerator

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from api.batches.submission import BATCH_BYTES_MAX

PARTS = ("batch", "items")


class UploadError(Exception):
    """It has not the parts that it must have; the text says which."""


async def parts_of(headers: Headers, body: bytes) -> tuple[bytes, bytes]:
    """Give what is in the two parts. Raises UploadError."""

    async def stream() -> AsyncGenerator[bytes]:
        yield body

    parser = MultiPartParser(headers, stream(), max_part_size=BATCH_BYTES_MAX)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError) as error:
        raise UploadError(f"This is no multipart/form-data: {error}.") from error
    try:
        return await _content(form, "batch"), await _content(form, "items")
    finally:
        await form.close()


async def _content(form: FormData, name: str) -> bytes:
    others = form.keys() - {*PARTS}
    if others:
        raise UploadError(f"The parts are {' and '.join(PARTS)}, not {min(others)!r}.")
    values = form.getlist(name)
    if len(values) != 1:
        raise UploadError(f"There must be one part {name}, not {len(values)}.")
    value = values[0]
    return await value.read() if isinstance(value, UploadFile) else value.encode()
