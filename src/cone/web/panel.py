"""The sync panel of one record, as its page and its refresh both show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

from django.urls import reverse

from cone.accounting.connections import State
from cone.accounting.labels import GENERAL_LABEL
from cone.accounting.outbox import find_active_connection
from cone.accounting.port.documents import Kind
from cone.accounting.states import read_record_sync
from cone.accounting.values import Awaited, RecordSync, SyncState
from cone.books.models import Connection, Customer, Invoice, Payment, Service
from cone.books.models.record import WorkspaceRecord
from cone.domain.errors import RecordNotFoundError
from cone.web.links import Mending, find_mending_from, is_voided_here

Goes: TypeAlias = Literal["by_itself", "reconnected", "connected", ""]

_MODELS: Mapping[str, type[WorkspaceRecord]] = {
    "customer": Customer,
    "service": Service,
    "invoice": Invoice,
    "payment": Payment,
}
_MOVING = frozenset({SyncState.WAITING, SyncState.SENDING, SyncState.PUT_OFF})
_ENDED = frozenset({State.DISCONNECTING, State.DISCONNECTED})


@dataclass(frozen=True, slots=True)
class SyncPanel:
    """`sync` is None while nothing is connected that it went to, or is to go to.

    `is_moving` asks the page to look again soon.
    `is_removal_due`: it's void here and still stands there, until a person says it's removed.
    `goes`: when what waits goes: "by_itself", once the connection is "reconnected", once there is one ("connected"), or
    when what the banner says is mended (""); where `is_paused`, only if it's resumed as well.
    `goes_after`: the sentence on what it waits for; `waits`: the same where that is what needs a person, and then
    `goes_then` says when it goes.
    """

    kind: Kind
    uuid: UUID
    sync: RecordSync | None
    mending: Mending | None
    is_moving: bool
    is_removal_due: bool
    removed_url: str
    can_sync_now: bool
    goes: Goes
    is_paused: bool
    goes_after: str
    waits: str
    goes_then: str


def read_panel(workspace_id: int, kind: Kind, uuid: UUID) -> SyncPanel:
    """What the panel of a record says now; the caller has made sure that the record is the workspace's."""
    sync = read_record_sync(workspace_id, kind, uuid)
    active = find_active_connection(workspace_id)
    goes = _goes(active)
    is_paused = active is not None and active.paused_at is not None
    waits = _say_what_it_waits_for(kind, sync) if sync else ""
    return SyncPanel(
        kind=kind,
        uuid=uuid,
        sync=sync,
        mending=(
            find_mending_from(kind, uuid, sync.cause, is_void=_is_void(kind, uuid)) if sync and sync.cause else None
        ),
        is_moving=sync is not None and sync.state in _MOVING and goes != "connected",
        is_removal_due=sync is not None
        and sync.cause is not None
        and is_voided_here(sync.cause)
        and not sync.is_cause_awaited,
        removed_url=reverse(f"{kind}_removed", args=[uuid]) if kind in ("invoice", "payment") else "",
        can_sync_now=sync is not None and sync.can_sync_now and not _travels_along(kind, sync),
        goes=goes,
        is_paused=is_paused,
        goes_after=_say_when_it_goes(sync.waits_for) if sync else "",
        waits=waits,
        goes_then=_say_when_it_goes_then(kind, sync, goes, is_paused=is_paused) if sync and waits else "",
    )


def _travels_along(kind: Kind, sync: RecordSync) -> bool:
    """A service goes with the first invoice that uses it."""
    return kind == "service" and sync.state == SyncState.NOT_SENT


def _say_when_it_goes(way: Sequence[Awaited]) -> str:
    if not way:
        return ""
    first, *rest = (_name(each) for each in way)
    return "".join([f"Goes as soon as {first} is there", *(f", which waits for {each}" for each in rest), "."])


def _name(awaited: Awaited) -> str:
    if awaited.is_general:
        return GENERAL_LABEL
    if not awaited.label:
        return f"another {awaited.kind}"
    # A payment's name says what it is.
    named = awaited.label.removeprefix("the ") if awaited.kind == "payment" else f"{awaited.kind} {awaited.label}"
    return f"{'another' if awaited.is_namesake else 'the'} {'archived ' if awaited.is_archived else ''}{named}"


def _say_what_it_waits_for(kind: Kind, sync: RecordSync) -> str:
    if sync.cause is None or not sync.is_cause_awaited:
        return ""
    way = ", which waits for ".join(_name(each) for each in sync.waits_for)
    return f"This {kind} waits for {way}, {sync.cause.which}."


def _say_when_it_goes_then(kind: Kind, sync: RecordSync, goes: Goes, *, is_paused: bool) -> str:
    """Once what it waits for is mended, and whatever else stands in its way."""
    also = {
        "reconnected": [f"{sync.provider_name} is connected again"],
        "": [f"{sync.provider_name} can be written to again"],
    }.get(goes, [])
    *first, last = ["that is mended", *also, *(["the sync is resumed"] if is_paused else [])]
    once = f"{', '.join(first)} and {last}" if first else last
    return f"Once {once}, this {kind} goes by itself."


def _goes(active: Connection | None) -> Goes:
    if active is None or active.state in _ENDED:
        return "connected"
    if active.state == State.NEEDS_RECONNECT:
        return "reconnected"
    return "by_itself" if active.state == State.CONNECTED else ""


def _is_void(kind: Kind, uuid: UUID) -> bool:
    if kind == "invoice":
        return Invoice.objects.filter(uuid=uuid, status=Invoice.Status.VOID).exists()
    return kind == "payment" and Payment.objects.filter(uuid=uuid, voided_at__isnull=False).exists()


def check_record(workspace_id: int, kind: str, uuid: UUID) -> None:
    """Raises: RecordNotFoundError unless the workspace has that record."""
    model = _MODELS.get(kind)
    if model is None or not model._default_manager.filter(workspace_id=workspace_id, uuid=uuid).exists():
        raise RecordNotFoundError
