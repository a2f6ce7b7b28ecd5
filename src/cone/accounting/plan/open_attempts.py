"""What to do about an attempt whose outcome isn't known. Pure.

A create is looked for before it may go again: only where neither the look nor the platform's memory of the id works
could it then stand there twice. Updates, voids and deletes can't make a second record.
"""

from datetime import timedelta
from typing import Literal, TypeAlias

from cone.accounting.plan.decisions import Decision, LookBack, LookUp, Repeat
from cone.accounting.records import OpenAttempt
from cone.kit.values import Value


def find_out(attempt: OpenAttempt) -> Decision:
    """Unknown outcomes are resolved first, whatever has become of the record here."""
    if attempt.operation in ("void", "delete"):
        # A look tells whether it's done.
        return LookBack(attempt)
    if attempt.operation == "update":
        return Repeat(attempt)
    return LookUp(attempt)


_NO_TIME = timedelta()

# "wait": not found yet says nothing. "repeat": under its own id, byte for byte. "close": it certainly isn't there.
# "ask": a person decides.
Next: TypeAlias = Literal["wait", "repeat", "close", "ask"]


def after_nothing_found(
    attempt: OpenAttempt, *, is_wanted: bool, ids_live_for: timedelta, looks_count_after: timedelta
) -> tuple[Next, timedelta]:
    """What comes after a look that found nothing which could be it; and for "wait", until how long after the send."""
    if attempt.silence < looks_count_after:
        return "wait", looks_count_after
    if is_wanted:
        return ("repeat" if is_trusted(attempt, ids_live_for) else "ask"), _NO_TIME
    # Nobody waits for it, so there's time for what is seen late: what is missed now stays there for good.
    certain_after = 2 * looks_count_after
    return ("wait", certain_after) if attempt.silence < certain_after else ("close", _NO_TIME)


def after_undecided(attempt: OpenAttempt, *, looks_count_after: timedelta) -> tuple[Next, timedelta]:
    """What comes after a look that found what could be it: its mark may be seen later, else a person decides."""
    return ("wait", looks_count_after) if attempt.silence < looks_count_after else ("ask", _NO_TIME)


class BatchFacts(Value):
    """How a batch stands of which some creates weren't found.

    `is_any_there`: some of its creates are known to stand there. `may_repeat`: all the others are wanted, and nothing
    was found that any of them could be. `are_looks_proved`: a look has found what is known to stand there.
    """

    is_any_there: bool
    may_repeat: bool
    are_looks_proved: bool

    @property
    def is_as_never_sent(self) -> bool:
        """Whether nothing of it is there, for all one can see."""
        return self.may_repeat and not self.is_any_there


def needs_proof(attempt: OpenAttempt, facts: BatchFacts, *, looks_count_after: timedelta) -> bool:
    """Whether it's to be learned now that looks see what stands there."""
    return attempt.silence >= looks_count_after and not facts.are_looks_proved and not facts.is_as_never_sent


def after_nothing_found_of_batch(
    attempt: OpenAttempt, facts: BatchFacts, *, ids_live_for: timedelta, looks_count_after: timedelta
) -> tuple[Next, timedelta]:
    """What comes after a look that found nothing of what is left of a batch; and for "wait", until when.

    The rest of a batch that arrived won't arrive any more: where looks see its fellows they'd see it, a margin later at
    the latest. Where they're blind, the batch's id still answers for every item.
    """
    if attempt.silence < looks_count_after:
        return "wait", looks_count_after
    may_repeat = facts.may_repeat and is_trusted(attempt, ids_live_for)
    if facts.is_as_never_sent:
        return ("repeat" if may_repeat else "ask"), _NO_TIME
    if facts.are_looks_proved:
        certain_after = 2 * looks_count_after
        return ("wait", certain_after) if attempt.silence < certain_after else ("close", _NO_TIME)
    return ("repeat" if may_repeat else "ask"), _NO_TIME


def is_trusted(attempt: OpenAttempt, ids_live_for: timedelta) -> bool:
    """Whether the platform is trusted to know the attempt's id still."""
    return attempt.age_seconds < ids_live_for.total_seconds()
