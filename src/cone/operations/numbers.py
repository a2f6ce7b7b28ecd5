"""The invoice counter: a row that is locked and moved in the transaction that uses the number, so there are no gaps."""

from django.db.models import OuterRef, Subquery

from cone.books.models import Connection, Counter, Workspace
from cone.domain.numbering import INVOICE_COUNTER, NumberMode, invoice_number


def maybe_take_number(workspace: Workspace) -> str | None:
    """Take the next number where Cone numbers invoices; None where the connected accounting software does."""
    active = Connection.objects.filter(workspace=OuterRef("pk")).exclude(state="disconnected")
    found = Workspace.objects.annotate(mode=Subquery(active.values("number_mode")[:1]))
    prefix, mode = found.values_list("invoice_prefix", "mode").get(pk=workspace.pk)
    return _take(workspace, prefix) if mode in (None, NumberMode.CONE) else None


def take_number(workspace: Workspace) -> str:
    """Take the next invoice number; whoever issues at the same moment waits until this transaction ends."""
    return _take(workspace, Workspace.objects.values_list("invoice_prefix", flat=True).get(pk=workspace.pk))


def _take(workspace: Workspace, prefix: str) -> str:
    counter = _lock(workspace)
    number = invoice_number(prefix, counter.next_value)
    counter.next_value += 1
    counter.save(update_fields=["next_value"])
    return number


def put_back_number(workspace: Workspace, number: str) -> bool:
    """Give the latest number back, to be taken again; return False, doing nothing, when it isn't the latest."""
    prefix = Workspace.objects.values_list("invoice_prefix", flat=True).get(pk=workspace.pk)
    counter = _lock(workspace)
    if counter.next_value == 1 or number != invoice_number(prefix, counter.next_value - 1):
        return False
    counter.next_value -= 1
    counter.save(update_fields=["next_value"])
    return True


def _lock(workspace: Workspace) -> Counter:
    counter, _ = Counter.objects.select_for_update().get_or_create(workspace=workspace, name=INVOICE_COUNTER)
    return counter
