"""Save how records are written from now on; what waited for another answer is planned again."""

from collections.abc import Mapping

from django.db import transaction

from cone.accounting.port.verdicts import CauseCode
from cone.accounting.release import release_codes
from cone.accounting.terms import read_terms
from cone.domain.errors import InvalidFieldError
from cone.operations.actor import Actor
from cone.operations.records import change, note
from cone.operations.sync_settings import get_locked_connection

_WAITED = (CauseCode.NAME_TAKEN, CauseCode.TOTAL_DIFFERS, CauseCode.NUMBER_NOT_GIVEN)


@transaction.atomic
def save_terms(actor: Actor, answers: Mapping[str, str]) -> bool:
    """Save the answers by the names of the terms; those not named keep theirs. Returns whether anything changed.

    Affects later sends: numbers given stay, names sent stay, lines synced stay on their items.
    Raises: NotAllowedError, NotConnectedError, InvalidFieldError (an answer that this company doesn't make possible).
    """
    active = get_locked_connection(actor)
    offered = {term.name: {choice.value for choice in term.choices} for term in read_terms(actor.workspace.pk)}
    for name, value in answers.items():
        if value not in offered.get(name, ()):
            raise InvalidFieldError(name, "Choose one of the answers on offer.")
    changed = change(active, answers)
    if not changed:
        return False
    active.settings_revision += 1
    active.save(update_fields=[*changed, "settings_revision"])
    release_codes(active, _WAITED)
    note(actor, "connection", active.uuid, "terms_saved", **{name: answers[name] for name in changed})
    return True
