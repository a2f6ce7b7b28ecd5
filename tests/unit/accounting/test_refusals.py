"""What a refused record's cause quotes: the provider's own words, and nothing of ours."""

from cone.accounting.port.verdicts import Answered, CauseCode, GoneError, RejectedError
from cone.accounting.refusals import cause_of_loss, cause_of_refusal
from tests.unit.accounting.builders import ISSUED, READY, issued, link, subject

_OURS = "It, or something it refers to, is no longer active there. QuickBooks says: Not found"


def test_refusal_of_our_own_is_no_quote() -> None:
    verdict = RejectedError(Answered(message="Two sales taxes."), params={"explanation": "Two sales taxes."})
    assert cause_of_refusal(subject(ISSUED), verdict, READY).params == {"explanation": "Two sales taxes."}


def test_refusal_of_theirs_is_quoted() -> None:
    answered = Answered(http_status=400, code="6000", message="Ours. QuickBooks says: Theirs", said="Theirs")
    cause = cause_of_refusal(subject(ISSUED), RejectedError(answered, cause=CauseCode.REFUSED), READY)
    assert cause.params == {"says": "Theirs", "code": "6000"}


def test_refused_removal_is_told_from_a_refused_change() -> None:
    verdict = RejectedError(Answered(http_status=400, code="6540", said="Deposited"), cause=CauseCode.REFUSED)
    quote = {"says": "Deposited", "code": "6540"}
    for record in (issued(status="void"), None):
        assert cause_of_refusal(subject(record, link(1)), verdict, READY).params == {**quote, "removal": "yes"}
    assert cause_of_refusal(subject(ISSUED, link(1)), verdict, READY).params == quote


def test_what_is_gone_there_is_told_once() -> None:
    verdict = GoneError(Answered(http_status=400, code="610", message=_OURS, said="Not found"))
    for one in (subject(ISSUED), subject(ISSUED, link(1))):
        assert cause_of_loss(one, verdict).params == {"says": "Not found", "code": "610"}
