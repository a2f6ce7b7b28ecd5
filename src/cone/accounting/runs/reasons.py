"""Why a record of a run isn't taken back, in words for the person who undoes it."""

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "linked": "It was there before this run, which only linked it.",
    "changed_here": "It was edited here after it had been sent.",
    "changed_there": "It was changed there after it had been sent.",
    "unknown": "Whether it was changed there can't be told: an older version of Cone sent it.",
    "removed_there": "It was voided or deleted there after it had been sent.",
    "paid_there": "A payment is applied to it there.",
    "paid_otherwise": "A payment that isn't part of this run is applied to it there.",
    "books_closed": "The books are closed for its date.",
    "uncertain": "What became of its last request isn't known yet.",
    "not_there": "It isn't there any more.",
    "refused": "It was refused there:",
}
