"""What to do about an attempt whose outcome isn't known: repeat it, or look whether it arrived."""

from cone.accounting.plan.decisions import Decision, LookBack, LookUp, Repeat
from cone.accounting.records import OpenAttempt, Situation, Subject, is_wanted


def find_out(subject: Subject, attempt: OpenAttempt, situation: Situation) -> Decision:
    """Unknown outcomes are resolved first, whatever has become of the record here.

    What isn't wanted there any more is looked for only: a repeat might make it after all.
    """
    if attempt.operation in ("void", "delete"):
        # Neither can make a second record: a look tells whether it's done.
        return LookBack(attempt)
    if subject.link is not None or attempt.operation != "create":
        return Repeat(attempt)
    if not is_wanted(subject.record) or attempt.age_seconds > situation.ids_live_for.total_seconds():
        return LookUp(attempt)
    return Repeat(attempt)
