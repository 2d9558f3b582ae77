"""Errors that a user can act on: one line that says what, where, the rule and the value."""

INTERRUPTED = 130  # the exit status that shells report for a command that Ctrl-C has ended


class RecommenderError(Exception):
    """A failure whose message is meant for the user; the command line prints it without a traceback."""

    exit_status = 1


class ConfigError(RecommenderError):
    """A setting is unknown, of the wrong type or impossible."""

    exit_status = 2


class DataError(RecommenderError):
    """The data cannot be had, cannot be read or breaks a rule."""
