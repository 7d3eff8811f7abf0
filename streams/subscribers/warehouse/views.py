"""The warehouse as SQL sees it: views over exactly the files that the commits name."""

from collections.abc import Iterator
from pathlib import Path

import duckdb

from streams.subscribers.images import ENTITIES
from streams.subscribers.warehouse.commits import Standing, read_commits
from streams.subscribers.warehouse.layout import SET_ASIDE
from streams.subscribers.warehouse.parquet import CONFIG
from streams.subscribers.warehouse.tables import rows_of_files

_KEYS = {
    "account": "ref_id",
    "chargeable_event": "account_ref_id, ref_id",
    "adjustment": "ref_id",
}
_BY_DAY_AND_REASON = """
    SELECT
        TRY_CAST(left(requested_at, 10) AS DATE) AS day, currency, reason,
        count(*) AS adjustments,
        sum(effect_tax_excluded_amount) AS effect_tax_excluded_amount,
        sum(effect_tax_amount) AS effect_tax_amount,
        sum(effect_tax_included_amount) AS effect_tax_included_amount
    FROM adjustment GROUP BY ALL ORDER BY ALL
"""


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """Give a database in memory whose views show the warehouse as it is now.

    Its files may be merged and deleted later on, or while this reads them: connect again then.
    Raises StoreError, duckdb.IOException.
    """
    database = duckdb.connect(":memory:", config=CONFIG)
    for name, query in _views(folder, read_commits(folder)):
        database.execute(f"CREATE VIEW {name} AS {query}")
    return database


def _views(folder: Path, standing: Standing) -> Iterator[tuple[str, str]]:
    def rows(table: str) -> str:
        return rows_of_files(table, (folder / file.path for file in standing.of_table(table)))

    for entity in ENTITIES:
        yield f"{entity}_history", rows(entity)
        yield entity, _last_of_each(entity)
    yield "adjustments_by_day_and_reason", _BY_DAY_AND_REASON
    yield SET_ASIDE, rows(SET_ASIDE)


def _last_of_each(entity: str) -> str:
    """Write the query for the last image of each entity; all of one are in one partition."""
    return f"""
        FROM {entity}_history SEMI JOIN (
            SELECT
                max(topic_offset) AS topic_offset,
                arg_max(topic_partition, topic_offset) AS topic_partition
            FROM {entity}_history GROUP BY {_KEYS[entity]}
        ) AS last USING (topic_partition, topic_offset)
    """  # noqa: S608 - names of ours
