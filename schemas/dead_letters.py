"""Why a message on a topic could not be taken: the codes of dead letters."""

from schemas.forms import Explained


class DeadLetterCode(Explained):
    """Why a message is a dead letter."""

    NOT_JSON = "NOT_JSON", "Not UTF-8, not JSON, NaN, a lone surrogate, a doubled key, or too long."
    NOT_AN_OBJECT = "NOT_AN_OBJECT", "JSON, but not an object."
    NO_REQUEST_ID = "NO_REQUEST_ID", "A request without a requestId that is text: no answer to it."
    NO_KEY = "NO_KEY", "The record has no key."
    NO_VALUE = "NO_VALUE", "The record has no value."
    INVALID_KEY = "INVALID_KEY", "The key does not have the form of an account's refId."
    KEY_MISMATCH = "KEY_MISMATCH", "The message names another account than its key."
    WRONG_PARTITION = "WRONG_PARTITION", "Found again in a partition that is not its key's."
    INVALID_UPSERT = "INVALID_UPSERT", "An account or event whose attributes do not fit."
    IMMUTABLE_ATTRIBUTE = "IMMUTABLE_ATTRIBUTE", "It would change what never changes."
    CONFLICTS_WITH_ADJUSTMENTS = (
        "CONFLICTS_WITH_ADJUSTMENTS",
        "After what was credited already, the charge would fall below zero.",
    )
