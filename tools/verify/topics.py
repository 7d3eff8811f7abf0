"""The topics that are read, by what they are to the engine."""

ACCOUNTS, EVENTS, REQUESTS = "accounts", "chargeable-events", "adjustment-requests"
RESULTS, TRANSACTIONS = "adjustment-results", "business-transactions"
INPUTS, OUTPUTS = (ACCOUNTS, EVENTS, REQUESTS), (RESULTS, TRANSACTIONS)
ANSWERS, PROGRESS = "answers", "progress"
TABLES = (ACCOUNTS, EVENTS, ANSWERS)


def changelog_of(table: str) -> str:
    """Name the topic that holds the rows of a table."""
    return f"adjust-{table}-changelog"


def dead_letters_of(topic: str) -> str:
    """Name the topic of what could not be read of an input."""
    return f"dlq-{topic}"


ALL = (
    *INPUTS,
    *OUTPUTS,
    *map(dead_letters_of, INPUTS),
    *map(changelog_of, (*TABLES, PROGRESS)),
)
