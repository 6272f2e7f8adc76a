"""The bot's branches of the exception tree; the tree is drawn in `knowledge.errors`."""

from knowledge.errors import FrontDeskError, KnowledgeError, ModelError, Unreadable


class SettingsError(FrontDeskError):
    """A setting is unknown, or its value is of no use."""


class SettingFixed(SettingsError):
    """A setting cannot be changed in the console, since the settings file or a variable names it."""


class QuestionRejected(FrontDeskError):
    """What came in is no question: empty, too long, or of the wrong kind."""

    def __init__(self, reason: str, message: str) -> None:
        """Keep the machine-readable `reason` beside the sentence."""
        super().__init__(message)
        self.reason = reason


class VisitorRejected(FrontDeskError):
    """A visitor's token or signature is of no use."""

    def __init__(self, reason: str, message: str) -> None:
        """Keep the machine-readable `reason` beside the sentence."""
        super().__init__(message)
        self.reason = reason


class EntryChanged(KnowledgeError):
    """Somebody else changed an entry meanwhile."""


class AccountError(FrontDeskError):
    """An account cannot be made or changed like this."""


class WeakPassword(AccountError):
    """A password is too easily guessed."""


class NameTaken(FrontDeskError):
    """Somebody, or something, has this name already."""


class WrongLogin(AccountError):
    """A name and a password do not belong together."""


class LoginLocked(AccountError):
    """Too many wrong passwords; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        """Say for how long."""
        super().__init__(f"too many wrong passwords; try again in {retry_after} s")
        self.retry_after = retry_after


class LastOwner(AccountError):
    """Nobody could administer the console any more."""


class FetchRefused(Unreadable):
    """A page may not be fetched, or it did not come."""


class NotFound(FrontDeskError):
    """There is no such conversation, turn or model."""


class NotYours(FrontDeskError):
    """A conversation belongs to a colleague, or to the bot."""


class ChannelError(FrontDeskError):
    """A channel's platform cannot be used as it is configured, or does not answer."""


class SendFailed(ChannelError):
    """A message did not arrive; it may be sent again after `retry_after` seconds, if the platform said so."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        """Keep what the platform said."""
        super().__init__(message)
        self.retry_after = retry_after


class SendHeld(SendFailed):
    """The platform takes nothing more before the customer writes again."""


class SendRefused(ChannelError):
    """The platform will never take this message; sending it again is of no use. `status` is HTTP's, if that said so."""

    def __init__(self, message: str, status: int | None = None) -> None:
        """Keep what the platform said."""
        super().__init__(message)
        self.status = status


class StoreError(FrontDeskError):
    """The database cannot be used as it is configured."""


class BackupError(FrontDeskError):
    """A backup cannot be made, read or restored."""


class StoreUnavailable(StoreError):
    """The database cannot be reached now; what was to be done may be tried again."""


class ModelBusy(ModelError):
    """The local model has too much to do; `retry_after` is in seconds."""

    def __init__(self, waiting: int, retry_after: int) -> None:
        """Say how many are waiting."""
        super().__init__(f"the local model has no time: {waiting} answers are waiting for it")
        self.waiting, self.retry_after = waiting, retry_after


class ServerStopping(FrontDeskError):
    """The server shall stop and takes no new questions; `retry_after` is in seconds. Its text is for customers."""

    def __init__(self, message: str, retry_after: int) -> None:
        """Say so in the customer's language."""
        super().__init__(message)
        self.retry_after = retry_after


class OutOfCells(ModelError):
    """The context of the local model is full; nothing was computed."""


class ActionError(FrontDeskError):
    """An action is not there, failed or took too long."""


class ActionDeclined(ActionError):
    """An action leaves the answer to others: it has nothing to say to what the customer wrote."""


class RemoteModelError(ModelError):
    """The remote model refused, failed or took too long."""


class SandboxUnavailable(FrontDeskError):
    """A program cannot be confined on this machine, so none is run that nobody has read."""


class CodeFailed(FrontDeskError):
    """A program that a model wrote gave no result."""
