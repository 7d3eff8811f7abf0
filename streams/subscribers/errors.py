"""What can be wrong with the place where a subscriber keeps what it read."""


class StoreError(Exception):
    """The store cannot be used now; the text says why. What it holds stays as it was."""


class HeldError(Exception):
    """Another instance of this subscriber is at work on the store."""


class FencedError(Exception):
    """Another instance has taken the store over: nothing more is kept by this one."""
