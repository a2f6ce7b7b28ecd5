"""The invoice counter: a row that is locked and moved in the transaction that uses the number, so there are no gaps."""

from cone.accounting.outbox import find_active_connection
from cone.books.models import Counter, Workspace
from cone.domain.numbering import INVOICE_COUNTER, NumberMode, invoice_number


def is_numbered_here(workspace: Workspace) -> bool:
    """Whether Cone gives the next invoice its number, and not the accounting software that's connected."""
    active = find_active_connection(workspace.pk)
    return active is None or active.number_mode == NumberMode.CONE


def take_number(workspace: Workspace) -> str:
    """Take the next invoice number; whoever issues at the same moment waits until this transaction ends."""
    prefix = Workspace.objects.values_list("invoice_prefix", flat=True).get(pk=workspace.pk)
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
