"""What an attempt came to by a provider's word."""

from cone.accounting.conclusions import PLAIN_NOES, Conclusion, conclusion_of
from cone.accounting.port.verdicts import VERDICTS


def test_every_word_of_a_provider_is_a_conclusion_of_its_own() -> None:
    assert [conclusion_of(verdict()) for verdict in VERDICTS] == [
        "trylater",
        "unknown",
        "rejected",
        "stale",
        "gone",
        "reconnect",
        "misconfigured",
    ]


def test_version_that_was_old_or_a_record_that_is_gone_is_no_plain_no() -> None:
    assert set(PLAIN_NOES) == {
        Conclusion.TRY_LATER,
        Conclusion.REJECTED,
        Conclusion.RECONNECT,
        Conclusion.MISCONFIGURED,
    }
