"""What attempts came to: the closed set that their column `verdict` holds, and the sets that statements ask for.

A provider's verdict is one way to come to one; a look, an undo or a person are others.
"""

from collections.abc import Mapping
from enum import StrEnum

from cone.accounting.port.verdicts import (
    GoneError,
    MisconfiguredError,
    OutcomeUnknownError,
    ReconnectError,
    RejectedError,
    StaleError,
    TryLaterError,
    Verdict,
)


class Conclusion(StrEnum):
    """What an attempt came to; `history` holds the words."""

    ON_ITS_WAY = ""
    UNKNOWN = "unknown"
    SENT = "sent"
    FOUND = "found"
    THEIRS = "theirs"
    CHOSEN = "chosen"
    REMOVED = "removed"
    TAKEN_BACK = "taken_back"
    GIVEN_UP = "given_up"
    NOT_THERE = "not_there"
    NOT_DONE = "not_done"
    KEPT = "kept"
    GHOST = "ghost"
    RESTORED = "restored"
    TRY_LATER = "trylater"
    REJECTED = "rejected"
    STALE = "stale"
    GONE = "gone"
    THEIRS_REFUSED = "theirs_refused"
    RECONNECT = "reconnect"
    MISCONFIGURED = "misconfigured"


# A plain no: to a first send it says that nothing was made.
PLAIN_NOES = (Conclusion.TRY_LATER, Conclusion.REJECTED, Conclusion.RECONNECT, Conclusion.MISCONFIGURED)


_OF_VERDICTS: Mapping[type[Verdict], Conclusion] = {
    TryLaterError: Conclusion.TRY_LATER,
    OutcomeUnknownError: Conclusion.UNKNOWN,
    RejectedError: Conclusion.REJECTED,
    StaleError: Conclusion.STALE,
    GoneError: Conclusion.GONE,
    ReconnectError: Conclusion.RECONNECT,
    MisconfiguredError: Conclusion.MISCONFIGURED,
}


def conclusion_of(verdict: Verdict) -> Conclusion:
    """What an attempt comes to by a provider's word alone."""
    return _OF_VERDICTS[type(verdict)]
