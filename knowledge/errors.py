"""The root of the exception tree, and the branch of everything that concerns knowledge.

FrontDeskError
├── SettingsError              a setting is wrong                      (bot.errors)
│   └── SettingFixed           the settings file names it              (bot.errors)
├── Unreadable                 its reason can be said in any language
│   ├── ImportFileError        a file could not be read at all
│   └── FetchRefused           a page may not, or cannot, be fetched   (bot.errors)
├── KnowledgeError
│   ├── SuiteUnreadable        a test suite is none
│   ├── TooFewVariants         there is too little to learn from
│   ├── UnknownEntry           no such entry or knowledge base
│   ├── EntryChanged           somebody else was faster                (bot.errors)
│   └── IndexUnavailable       nothing is published, the index is damaged, or away
│       └── IndexMissing       there is none, and it has to be built
├── ModelError
│   ├── UnknownModel           no such name in the catalogue
│   ├── DownloadError          no source gave the file
│   ├── WrongHash              a file is not the one the catalogue describes
│   ├── NotEnoughSpace         the disk cannot hold the file
│   ├── ModelUnavailable       the weights are not here, or do not load
│   ├── ModelBusy              the queue is full                       (bot.errors)
│   ├── OutOfCells             its context is full                     (bot.errors)
│   └── RemoteModelError       the remote endpoint failed              (bot.errors)
├── ActionError                an action did not answer                (bot.errors)
│   └── ActionDeclined         it leaves the answer to others
├── QuestionRejected           empty, too long, not text               (bot.errors)
├── VisitorRejected            a token or signature is wrong           (bot.errors)
├── AccountError               of the console's users                  (bot.errors)
│   ├── WeakPassword
│   ├── WrongLogin
│   ├── LoginLocked            too many wrong passwords
│   └── LastOwner
├── NameTaken                  of a user, an entry, a knowledge base   (bot.errors)
├── NotFound                   no such conversation or turn            (bot.errors)
├── NotYours                   a colleague has the conversation       (bot.errors)
├── ChannelError               a platform's account does not work      (bot.errors)
│   ├── SendFailed             a message did not arrive, and may later
│   │   └── SendHeld           when the customer has written again
│   └── SendRefused            it never will
├── SandboxUnavailable         a program cannot be confined here       (bot.errors)
├── CodeFailed                 a model's program gave no result        (bot.errors)
├── BackupError                a backup is not made, read or restored  (bot.errors)
├── ServerStopping             no new questions are taken              (bot.errors)
└── StoreError                 the database refused                    (bot.errors)
    └── StoreUnavailable       it cannot be reached now

The message of each is one sentence for the person who runs FrontDesk; a customer never sees it.
"""

from __future__ import annotations

from knowledge.reasons import Reason


class FrontDeskError(Exception):
    """Anything that FrontDesk raises on purpose."""


class KnowledgeError(FrontDeskError):
    """Something is wrong with the FAQ or its index."""


class Unreadable(FrontDeskError):
    """A file or a page cannot be taken; `reason` tells programs why, so that they can say it in any language."""

    def __init__(self, code: str, **facts: int | str) -> None:
        """Name one of the reasons and what is to be filled in."""
        self.reason = Reason(code, facts)
        super().__init__(str(self.reason))


class ImportFileError(Unreadable):
    """A file could not be read at all; errors of single rows are reported, not raised."""


class SuiteUnreadable(KnowledgeError):
    """A test suite cannot be read, or has nothing to ask."""


class TooFewVariants(KnowledgeError):
    """An FAQ has too few ways of asking to learn from."""


class UnknownEntry(KnowledgeError):
    """No such entry or knowledge base."""


class IndexUnavailable(KnowledgeError):
    """Nothing has been published yet, or the index is damaged or cannot be reached."""


class IndexMissing(IndexUnavailable):
    """There is no index of this name, or not the whole of it."""


class ModelError(FrontDeskError):
    """Something is wrong with a model or its weights."""


class UnknownModel(ModelError):
    """The catalogue has no model of this name."""


class DownloadError(ModelError):
    """A source, or every source, failed to give a file."""


class WrongHash(ModelError):
    """A file is not the one that the catalogue describes."""


class NotEnoughSpace(ModelError):
    """The disk cannot hold the file."""


class ModelUnavailable(ModelError):
    """The weights are not on this machine, or they do not load."""
