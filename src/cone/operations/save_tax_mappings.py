"""Save which of the company's tax codes each Cone rate is; what waited for a mapping goes by itself."""

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from cone.accounting.manage import list_tax_codes
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.release import release_causes, release_codes
from cone.books.models import TaxMapping, TaxRate
from cone.domain.errors import InvalidFieldError, RecordNotFoundError
from cone.operations.actor import Actor
from cone.operations.records import note
from cone.operations.seen import is_change
from cone.operations.sync_settings import get_locked_connection, move_settings

_MENDED = (CauseCode.TAX_UNMAPPED, CauseCode.TAX_CODE_INACTIVE, CauseCode.TAX_PERCENT_DIFFERS)


@transaction.atomic
def save_tax_mappings(
    actor: Actor, choices: Mapping[UUID, str], *, seen: Mapping[UUID, str] = MappingProxyType({})
) -> int:
    """Map rates to codes ("" leaves a rate unmapped); rates not named keep what they have. Returns how many changed.

    `seen` is what was saved when the choices were shown: a rate left as it was seen keeps what others chose meanwhile.
    Affects later sends only: synced invoices keep their code until they're edited.
    Raises: NotAllowedError, NotConnectedError, RecordNotFoundError (not this workspace's rate), InvalidFieldError
    (a code that the company doesn't have or has made inactive), SettingsChangedMeanwhileError.
    """
    active = get_locked_connection(actor)
    move_settings(active)
    rates = {rate.uuid: rate for rate in TaxRate.objects.filter(workspace=actor.workspace, uuid__in=choices)}
    codes = {code.remote_id: code for code in list_tax_codes(active)}
    saved = {entry.tax_rate_id: entry for entry in TaxMapping.objects.filter(connection=active)}
    changed = []
    for rate_uuid, code_id in choices.items():
        rate = rates.get(rate_uuid)
        if rate is None:
            raise RecordNotFoundError
        present = saved.get(rate.pk)
        kept = present.remote_id if present else ""
        shown = seen.get(rate_uuid, kept)
        if code_id == shown or not is_change(code_id, saved=kept, seen=shown):
            continue
        changed.append(rate)
        if not code_id:
            TaxMapping.objects.filter(connection=active, tax_rate=rate).delete()
            continue
        code = codes.get(code_id)
        if code is None or not code.is_active:
            raise InvalidFieldError(
                str(rate_uuid), "The company doesn't have that tax code, or it's inactive. Refresh and choose another."
            )
        TaxMapping.objects.update_or_create(
            connection=active,
            tax_rate=rate,
            defaults={
                "remote_id": code.remote_id,
                "remote_name": code.name,
                "remote_percent": code.percent,
                "saved_by": actor.user,
                "saved_at": Now(),
            },
        )
    release_causes(active, [f"{cause}:{rate.uuid}" for rate in changed for cause in _MENDED])
    if changed:
        # Of one invoice alone: which of its rates makes the difference isn't said.
        release_codes(active, [CauseCode.TOTAL_WOULD_DIFFER])
        note(actor, "connection", active.uuid, "mapped", rates=", ".join(rate.name for rate in changed))
    return len(changed)
