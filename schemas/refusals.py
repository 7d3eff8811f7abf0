"""Which rules can refuse a request; the order of the members is the order they are tried in."""

from typing import Self

from schemas.forms import Explained


class Refusal(Explained):
    """Which rule refused a request; the rules are tried in this order."""

    headline: str

    def __new__(cls, value: str, headline: str, explanation: str) -> Self:
        """Make a member from its code, its name for people and what to do about it."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.headline = headline
        member.explanation = explanation
        return member

    MISSING_ATTRIBUTE = (
        "MISSING_ATTRIBUTE",
        "An attribute is missing",
        "An attribute that is mandatory was not given; null counts as not given.",
    )
    INVALID_TYPE = (
        "INVALID_TYPE",
        "An attribute is of the wrong type",
        "Types are strict: an integer is written without quotation marks and decimal point.",
    )
    INVALID_FORMAT = (
        "INVALID_FORMAT",
        "A value does not have the form it must have",
        "The text or number is too long, too short, or not of the form that the attribute asks.",
    )
    INVALID_ENUM = (
        "INVALID_ENUM",
        "A word is not one of those known",
        "The attribute takes one of a few words, in capital letters.",
    )
    UNKNOWN_ATTRIBUTE = (
        "UNKNOWN_ATTRIBUTE",
        "An attribute is not known",
        "A request may carry known attributes only, so that a misspelt one is never passed over.",
    )
    AMOUNT_NOT_POSITIVE = (
        "AMOUNT_NOT_POSITIVE",
        "The amount is not above zero",
        "Whether a charge is lowered or raised is said by chargeType, never by a sign.",
    )
    AMOUNT_OUT_OF_RANGE = (
        "AMOUNT_OUT_OF_RANGE",
        "The amount is out of range",
        "At most 10^15 micro-units, 10,000 % (100 % for a credit), and no target below zero.",
    )
    CONFLICTING_ATTRIBUTES = (
        "CONFLICTING_ATTRIBUTES",
        "Attributes contradict each other",
        "An attribute or its value does not go with the mode, the tax treatment or a reversal.",
    )
    REQUEST_ID_REUSED = (
        "REQUEST_ID_REUSED",
        "The requestId was used before",
        "The account has another request under this requestId. A new request needs a new one.",
    )
    ACCOUNT_NOT_FOUND = (
        "ACCOUNT_NOT_FOUND",
        "The account is not known",
        "No account of this refId has been received from the CRM.",
    )
    ACCOUNT_STATE_INVALID = (
        "ACCOUNT_STATE_INVALID",
        "The account's state does not allow it",
        "Charges of an inactive or deactivated account are not adjusted.",
    )
    BILLING_IN_PROGRESS = (
        "BILLING_IN_PROGRESS",
        "A bill is being made",
        "The account is being billed. Ask again later, under a new requestId.",
    )
    CHARGEABLE_EVENT_NOT_FOUND = (
        "CHARGEABLE_EVENT_NOT_FOUND",
        "The chargeable event is not known",
        "The account has no chargeable event of this refId.",
    )
    VERSION_CONFLICT = (
        "VERSION_CONFLICT",
        "The chargeable event has changed",
        "The event is not of the version that the caller saw. Look at it again first.",
    )
    CURRENCY_MISMATCH = (
        "CURRENCY_MISMATCH",
        "Not the currency of the charge",
        "An adjustment is made in the currency of the chargeable event.",
    )
    REASON_NOT_CONFIGURED = (
        "REASON_NOT_CONFIGURED",
        "The reason is not known",
        "The reason is not on the list of reasons.",
    )
    REASON_NOT_APPLICABLE = (
        "REASON_NOT_APPLICABLE",
        "The reason does not fit",
        "The reason may not be used for this charge type.",
    )
    COMMENT_REQUIRED = (
        "COMMENT_REQUIRED",
        "The reason needs a comment",
        "This reason says too little alone: a comment must explain it.",
    )
    ADJUSTMENT_NOT_FOUND = (
        "ADJUSTMENT_NOT_FOUND",
        "The adjustment is not known",
        "The chargeable event has no adjustment of this refId.",
    )
    ALREADY_REVERSED = (
        "ALREADY_REVERSED",
        "The adjustment was reversed before",
        "An adjustment is reversed once at most.",
    )
    NOT_REVERSIBLE = (
        "NOT_REVERSIBLE",
        "A reversal cannot be reversed",
        "To undo a reversal, make a new adjustment.",
    )
    NOTHING_TO_ADJUST = (
        "NOTHING_TO_ADJUST",
        "Nothing to adjust",
        "The adjustment would change no amount.",
    )
    CREDIT_EXCEEDS_REMAINING = (
        "CREDIT_EXCEEDS_REMAINING",
        "Credit exceeds what remains",
        "A charge is never credited below zero; the result says what remains.",
    )
    SUM_OUT_OF_RANGE = (
        "SUM_OUT_OF_RANGE",
        "A sum would be out of range",
        "The charge or the sum of its adjustments would be beyond 10^15 micro-units.",
    )
    AMBIGUOUS_ID = (
        "AMBIGUOUS_ID",
        "Two accounts use this id",
        "The id is known on more than one account. Name the account.",
    )
