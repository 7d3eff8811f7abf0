"""How far behind the topics an answer of the read model may be, said with the answer."""

from api.desk import Desk

LAG = "Adjust-Lag"


def lag_of(desk: Desk) -> dict[str, str]:
    """Give the header; ask before the rows are read, so that it never says too little."""
    lag = desk.reader.lag
    return {LAG: "unknown" if lag is None else str(lag)}
