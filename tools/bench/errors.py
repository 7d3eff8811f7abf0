"""Why something cannot be measured."""


class NotMeasuredError(RuntimeError):
    """What was to be measured went wrong, or was over too soon; the text says what."""
