"""Runs REST: `python -m api`."""

import gc
import logging
import sys
from contextlib import suppress

import uvicorn
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from api.app import build_app
from api.desk import open_desk
from api.errors import ReadModelTakenError
from api.settings import ApiSettings
from api.store import Store
from schemas.connection import KafkaConnection
from schemas.header_names import accept_any_header_name

GRACE_S = 3
TURN_S = 0.0005  # the read model's writer asks for its turn with each row, and waits so long
GC_AFTER = 50_000  # objects; a look at so many takes about a millisecond


def main() -> None:
    """Read the settings, say what they mean, and serve until told to stop."""
    try:
        settings, kafka = ApiSettings(), KafkaConnection()
    except ValidationError as error:
        faults = "; ".join(f"{_variable(fault['loc'])}: {fault['msg']}" for fault in error.errors())
        sys.exit(f"REST does not start: {faults}")
    _check_address(settings)
    accept_any_header_name()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    # What becomes of a lost connection is said in our own words, once and not at every attempt.
    for name in ("aiokafka", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client_options, store = kafka.client_options(), _free_store(settings.database_urls)
    except (
        ImportError,
        OSError,
        SQLAlchemyError,
        ReadModelTakenError,
    ) as error:  # a database's driver is an extra
        sys.exit(f"REST does not start: {str(error).splitlines()[0]}")
    # Records come by the hundred thousand and die young: look for cycles seldom.
    gc.freeze()
    gc.set_threshold(GC_AFTER, 20, 100)
    sys.setswitchinterval(TURN_S)
    uvicorn.run(
        build_app(lambda: open_desk(store, client_options, settings.batch_in_flight)),
        host=settings.api_host,
        port=settings.api_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
        server_header=False,
    )


def _free_store(urls: list[str]) -> Store:
    """Open the first read model that no other process holds."""
    *others, last = urls
    for url in others:
        with suppress(ReadModelTakenError):
            return Store(url)
    return Store(last)


def _check_address(settings: ApiSettings) -> None:
    """Refuse an address that others can reach, unless it is meant; then say what it means."""
    if settings.is_loopback:
        return
    if not settings.api_open:
        sys.exit(
            f"REST does not listen on {settings.api_host}: it asks nobody who they are, so that "
            "address needs ADJUST_API_OPEN=true."
        )
    sys.stdout.write(
        f"REST is open: whoever reaches {settings.api_host}:{settings.api_port} may adjust charges "
        "without saying who they are.\n"
    )
    sys.stdout.flush()


def _variable(location: tuple[int | str, ...]) -> str:
    return f"ADJUST_{location[0]}".upper() if location else "settings"


if __name__ == "__main__":
    main()
