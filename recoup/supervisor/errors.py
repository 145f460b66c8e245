"""What can go wrong on the ground, each error with a sentence that says what to do."""


class SupervisorError(Exception):
    """Something on this machine keeps Recoup from running. Its message says what, `advice` what to do."""

    def __init__(self, message: str, *, advice: str) -> None:
        super().__init__(f"{message}\n{advice}")
        self.message = message
        self.advice = advice


class NoBinaries(SupervisorError):
    """The PostgreSQL programs of the wanted version are not installed."""


class FolderNotOurs(SupervisorError):
    """A folder under var/ belongs to another account, or cannot be written."""


class NoAccount(SupervisorError):
    """Started by root, and no account was found or made under which PostgreSQL may run."""


class WrongVersion(SupervisorError):
    """The data folder was written by another major version of PostgreSQL."""


class StartFailed(SupervisorError):
    """PostgreSQL, or its `initdb`, ended instead of starting."""


class StopFailed(SupervisorError):
    """PostgreSQL did not stop within the patience that the caller gave."""


class AlreadyRunning(SupervisorError):
    """Another `recoup run` works on the same var/ folder."""
