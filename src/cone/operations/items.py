"""Items there that we made: sent again when what they post to, or how they're called, has changed here."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import F, Q, QuerySet

from cone.accounting.outbox import enqueue
from cone.accounting.records import general_service_uuid
from cone.books.models import Attempt, Connection, Link, OutboxRow, Service, ServiceAccount


def resend_items(active: Connection, *, is_first_choice: bool) -> None:
    """Have every item that we made, and that has no account of its own, post to the connection's income account.

    At the first choice after a return to the company they stand there as that was left, most of them on this account:
    only the others are sent.
    """
    own = ServiceAccount.objects.filter(connection=active).values("service__uuid")
    services = Service.objects.filter(workspace=active.workspace_id).exclude(uuid__in=own)
    # One that's under way stands there in the present revision soon: only a later one can follow it.
    services.filter(uuid__in=_list_under_way(active)).update(revision=F("revision") + 1)
    known = list(services.values_list("uuid", "revision"))
    known.append((general_service_uuid(active.workspace.uuid), active.settings_revision))
    _resend(active, known, stays_on=active.income_account_id if is_first_choice else "")


def resend_item(active: Connection, service: Service) -> None:
    """Have the item of one service follow it, if we made it."""
    _resend(active, [(service.uuid, service.revision)])


def _resend(active: Connection, revisions: Iterable[tuple[UUID, int]], *, stays_on: str = "") -> None:
    wanted = dict(revisions)
    links = Link.objects.filter(company_id=active.company_id, kind="service", is_made_here=True, record_uuid__in=wanted)
    if stays_on:
        # Of answers kept by older versions nobody knows the account.
        links = links.filter(~Q(answer__account=stays_on) | Q(answer__account__isnull=True))
    # One that was planned and hasn't left yet may only leave as it is now: a raised row refuses the former plan.
    rows = OutboxRow.objects.filter(company_id=active.company_id, kind="service", record_uuid__in=wanted)
    uuids = {
        *links.values_list("record_uuid", flat=True),
        *_list_under_way(active).filter(record_uuid__in=wanted),
        *rows.values_list("record_uuid", flat=True),
    }
    # What stands there isn't what should: the next plan sees an item that was never synced.
    links.update(synced_revision=0)
    for uuid in uuids:
        enqueue(workspace_id=active.workspace_id, kind="service", record_uuid=uuid, revision=wanted[uuid])


def _list_under_way(active: Connection) -> "QuerySet[Attempt, UUID]":
    """Items whose making left, and nobody knows what became of it: they have no link yet, and follow all the same."""
    under_way = Attempt.objects.filter(company_id=active.company_id, kind="service", state="unknown")
    return under_way.values_list("record_uuid", flat=True)
