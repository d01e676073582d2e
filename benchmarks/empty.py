"""What RQ's own worker runs when its overhead alone is measured."""


def nothing() -> None:
    """Do nothing."""
