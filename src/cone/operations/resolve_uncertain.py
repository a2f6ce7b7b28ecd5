"""A person says what became of a create whose outcome nobody could find out: it's this one, or it isn't there.

Cone never makes such a record again by itself; these two answers are the only ways on.
"""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from cone.accounting.candidates import list_stored
from cone.accounting.conclusions import Conclusion
from cone.accounting.port.documents import Kind
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.release import release_record, release_waiting
from cone.books.models import Attempt, Connection, Link, OutboxRow
from cone.domain.errors import RefusalError
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.records import note
from cone.operations.sync_settings import get_locked_connection


class NotUncertainError(RefusalError):
    """What became of it isn't uncertain any more. Look at the record again."""

    code = "not_uncertain"


class CandidateGoneError(RefusalError):
    """That one isn't among what could be it any more. Look at the record again."""

    code = "candidate_gone"


class CandidateTakenError(RefusalError):
    """Another record here is that one already, so it can't be this one too."""

    code = "candidate_taken"


@transaction.atomic
def link_candidate(actor: Actor, kind: Kind, uuid: UUID, *, remote_id: str) -> None:
    """It's this one: link it. What differs here goes out as an update.

    Raises: NotAllowedError, NotConnectedError, ConnectionBusyError, NotUncertainError, CandidateGoneError,
    CandidateTakenError.
    """
    active, row = _get_uncertain(actor, kind, uuid)
    chosen = next((each for each in list_stored(row.cause) if each["remote_id"] == remote_id), None)
    if chosen is None:
        raise CandidateGoneError
    try:
        with transaction.atomic():
            Link.objects.create(
                company_id=active.company_id,
                kind=kind,
                record_uuid=uuid,
                remote_id=remote_id,
                remote_version=chosen["version"],
                synced_revision=0,
                answer=({"kept": chosen["kept"]} if chosen.get("kept") else {}) | _own_text(active, kind, uuid),
            )
    except IntegrityError as error:
        raise CandidateTakenError from error
    _close(active, kind, uuid, state="succeeded", verdict=Conclusion.CHOSEN, message="A person chose the record there.")
    note(actor, kind, uuid, "found_there", number=chosen["label"])
    release_record(active, kind, uuid)
    release_waiting(active, uuid)


@transaction.atomic
def send_again(actor: Actor, kind: Kind, uuid: UUID) -> None:
    """It isn't there: give up what was sent, and send it anew under an id of its own.

    What carries its mark by then is still found first, and linked.
    Raises: NotAllowedError, NotConnectedError, ConnectionBusyError, NotUncertainError.
    """
    active, _ = _get_uncertain(actor, kind, uuid)
    _close(
        active, kind, uuid, state="failed", verdict=Conclusion.GIVEN_UP, message="A person said that it isn't there."
    )
    note(actor, kind, uuid, "sent_again")
    release_record(active, kind, uuid)


def _get_uncertain(actor: Actor, kind: Kind, uuid: UUID) -> tuple[Connection, OutboxRow]:
    active = get_locked_connection(actor, permission=Permission.INVOICING)
    row = (
        OutboxRow.objects.select_for_update()
        .filter(
            company_id=active.company_id,
            kind=kind,
            record_uuid=uuid,
            state="blocked",
            cause_key=f"{CauseCode.OUTCOME_UNCERTAIN}:{uuid}",
        )
        .first()
    )
    if row is None:
        raise NotUncertainError
    return active, row


def _own_text(active: Connection, kind: Kind, uuid: UUID) -> dict[str, bool]:
    """Whether a memo or reference of ours went with what it is: emptied here, it's emptied there."""
    unknown = Attempt.objects.filter(company_id=active.company_id, kind=kind, record_uuid=uuid, state="unknown")
    return {"has_text": True} if unknown.filter(expected__has_text=True).exists() else {}


def _close(active: Connection, kind: Kind, uuid: UUID, *, state: str, verdict: Conclusion, message: str) -> None:
    Attempt.objects.filter(company_id=active.company_id, kind=kind, record_uuid=uuid, state="unknown").update(
        state=state, verdict=verdict.value, message=message, finished_at=Now()
    )
