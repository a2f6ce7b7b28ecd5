"""Save how records are written from now on; what waited for another answer is planned again."""

from collections.abc import Mapping
from types import MappingProxyType

from django.db import transaction

from cone.accounting.port.verdicts import CauseCode
from cone.accounting.release import release_codes
from cone.accounting.terms import read_terms
from cone.domain.errors import InvalidFieldError
from cone.operations.actor import Actor
from cone.operations.records import change, note
from cone.operations.seen import is_change
from cone.operations.sync_settings import get_locked_connection

_WAITED = (CauseCode.NAME_TAKEN, CauseCode.TOTAL_DIFFERS, CauseCode.NUMBER_NOT_GIVEN)


@transaction.atomic
def save_terms(actor: Actor, answers: Mapping[str, str], *, seen: Mapping[str, str] = MappingProxyType({})) -> bool:
    """Save the answers by the names of the terms; those not named keep theirs. Returns whether anything changed.

    `seen` is what was saved when the questions were shown: one left as seen keeps what others answered meanwhile.
    Affects later sends: numbers given stay, names sent stay, lines synced stay on their items.
    Raises: NotAllowedError, NotConnectedError, InvalidFieldError (an answer that this company doesn't make possible),
    SettingsChangedMeanwhileError.
    """
    active = get_locked_connection(actor)
    offered = {term.name: {choice.value for choice in term.choices} for term in read_terms(actor.workspace.pk)}
    wanted = {}
    for name, value in answers.items():
        if value not in offered.get(name, ()):
            raise InvalidFieldError(name, "Choose one of the answers on offer.")
        shown = seen.get(name)
        if value != shown and is_change(value, saved=getattr(active, name), seen=shown):
            wanted[name] = value
    changed = change(active, wanted)
    if not changed:
        return False
    active.settings_revision += 1
    active.save(update_fields=[*changed, "settings_revision"])
    release_codes(active, _WAITED)
    note(actor, "connection", active.uuid, "terms_saved", **{name: answers[name] for name in changed})
    return True
