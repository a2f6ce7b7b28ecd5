"""Invoices: the list, one of them, and what can be done to it."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRefresh

from cone.accounting.states import sync_states
from cone.accounting.values import SyncState
from cone.books.models import Invoice
from cone.books.queries.activity import list_activity
from cone.books.queries.invoice import InvoiceView, get_invoice
from cone.books.queries.invoices import InvoiceRow, Tab, list_invoices
from cone.domain.errors import InvalidFieldError
from cone.domain.invoices import Verb
from cone.domain.permissions import Permission
from cone.operations.confirm_removed import confirm_removed
from cone.operations.delete_invoice import delete_invoice
from cone.operations.issue_invoice import issue_invoice
from cone.operations.mark_invoice_sent import mark_invoice_sent
from cone.operations.number_invoice import number_invoice
from cone.operations.once import make_once
from cone.operations.record_payment import record_payment
from cone.operations.void_invoice import void_invoice
from cone.operations.void_payment import void_payment
from cone.operations.write_off_invoice import write_off_invoice
from cone.web.access import MemberRequest, member_page, way_to
from cone.web.forms.payment import PaymentForm
from cone.web.panel import read_panel
from cone.web.parameters import read_page_number, read_search, read_token
from cone.web.views.once import say_made

_TAB_LABELS = {
    Tab.ALL: "All",
    Tab.DRAFT: "Drafts",
    Tab.OPEN: "Open",
    Tab.PAST_DUE: "Past due",
    Tab.PAID: "Paid",
    Tab.VOID: "Void",
    Tab.WRITTEN_OFF: "Written off",
}


@dataclass(frozen=True, slots=True)
class ListedInvoice:
    """A row with its sync state; None while nothing is connected."""

    row: InvoiceRow
    sync: SyncState | None


@dataclass(frozen=True, slots=True)
class TabLink:
    """A tab of the list."""

    tab: Tab
    label: str
    count: int
    is_current: bool


def add_sync_states(workspace_id: int, rows: tuple[InvoiceRow, ...]) -> tuple[ListedInvoice, ...]:
    """The rows with their sync states, read in one go."""
    states = sync_states(workspace_id, "invoice", [row.uuid for row in rows]) if rows else {}
    return tuple(ListedInvoice(row, states.get(row.uuid)) for row in rows)


@member_page()
def invoices(request: MemberRequest) -> HttpResponse:
    tab = request.GET.get("tab", "")
    found = list_invoices(
        request.actor.workspace,
        tab=Tab(tab) if tab in set(Tab) else Tab.ALL,
        search=read_search(request),
        page=read_page_number(request),
        today=timezone.localdate(),
    )
    return render(
        request,
        "invoices/list.html",
        {
            "found": found,
            "rows": add_sync_states(request.actor.workspace.pk, found.page.items),
            "tabs": [
                TabLink(entry.tab, _TAB_LABELS[entry.tab], entry.count, entry.tab is found.tab) for entry in found.tabs
            ],
        },
    )


def _page(request: MemberRequest, view: InvoiceView, *, payment: PaymentForm, status: int = 200) -> HttpResponse:
    workspace = request.actor.workspace
    context = {
        "invoice": view,
        "panel": read_panel(workspace.pk, "invoice", view.uuid),
        "activity": list_activity(workspace, "invoice", view.uuid),
        "payment": payment,
        "verbs": {verb.value for verb in view.verbs if view.number or verb is not Verb.MARK_SENT},
        "is_number_pending": _is_number_pending(view),
        "dialogs": [_dialog(view.uuid, act) for act, verb in _VERBS.items() if verb in view.verbs],
    }
    return render(request, "invoices/page.html", context, status=status)


def _payment_form(request: MemberRequest, view: InvoiceView) -> PaymentForm:
    start = {"amount": f"{view.balance.amount:f}", "received_date": timezone.localdate().isoformat()}
    return PaymentForm(initial=start).ask_in(view.currency, home_currency=request.actor.workspace.currency)


@member_page()
def invoice(request: MemberRequest, uuid: UUID) -> HttpResponse:
    view = get_invoice(request.actor.workspace, uuid, today=timezone.localdate())
    return _page(request, view, payment=_payment_form(request, view))


@member_page()
def invoice_number(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """The number alone, while it's pending; once it has come the whole page has more to say."""
    view = get_invoice(request.actor.workspace, uuid, today=timezone.localdate())
    if view.number:
        return HttpResponseClientRefresh()
    return render(request, "invoices/_number.html", {"invoice": view, "is_number_pending": _is_number_pending(view)})


@member_page("POST", needs=Permission.INVOICING, back=way_to("invoice", "uuid"))
def invoice_take_number(request: MemberRequest, uuid: UUID) -> HttpResponse:
    numbered = number_invoice(request.actor, uuid)
    messages.success(request, f"This invoice is {numbered.number} from now on.")
    return redirect("invoice", uuid=uuid)


def _is_number_pending(view: InvoiceView) -> bool:
    return not view.number and not view.is_draft and view.voided_at is None


def say_issued(issued: Invoice) -> str:
    """The message after issuing."""
    if issued.number is None:
        return "The invoice is issued. Its number comes from your accounting software in a moment."
    return f"Invoice {issued.number} is issued."


@member_page("POST", needs=Permission.INVOICING, back=way_to("invoice", "uuid"))
def invoice_issue(request: MemberRequest, uuid: UUID) -> HttpResponse:
    issued = issue_invoice(request.actor, uuid)
    messages.success(request, say_issued(issued))
    return redirect("invoice", uuid=uuid)


@member_page("POST", needs=Permission.INVOICING, back=way_to("invoice", "uuid"))
def invoice_sent(request: MemberRequest, uuid: UUID) -> HttpResponse:
    mark_invoice_sent(request.actor, uuid)
    messages.success(request, "Marked as sent.")
    return redirect("invoice", uuid=uuid)


@member_page("POST", needs=Permission.INVOICING, back=way_to("invoice", "uuid"))
def invoice_removed(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """A person says that the void invoice was removed there by hand."""
    confirm_removed(request.actor, "invoice", uuid)
    messages.success(request, "Noted: it's removed there.")
    return redirect("invoice", uuid=uuid)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """An act that can't be taken back: the words of its dialog, and what does it."""

    title: str
    text: str
    button: str
    done: str
    act: Callable[..., object]


CONFIRMATIONS = {
    "void": Confirmation(
        "Void this invoice?",
        "It keeps its number and stays in your list, but nothing is owed any more. This can't be undone.",
        "Void invoice",
        "The invoice is void.",
        void_invoice,
    ),
    "write-off": Confirmation(
        "Write off what is owed?",
        "The rest of this invoice counts as lost. The invoice itself and its tax stay as they are. "
        "This can't be undone.",
        "Write off",
        "The invoice is written off.",
        write_off_invoice,
    ),
    "delete": Confirmation(
        "Delete this invoice?",
        "It's removed for good. Only drafts, and the latest invoice that nobody has seen yet, can be deleted.",
        "Delete",
        "The invoice is deleted.",
        delete_invoice,
    ),
}
_VERBS = {"void": Verb.VOID, "write-off": Verb.WRITE_OFF, "delete": Verb.DELETE}


@dataclass(frozen=True, slots=True)
class Dialog:
    """A confirmation for one invoice."""

    act: str
    confirmation: Confirmation
    url: str


def _dialog(uuid: UUID, act: str) -> Dialog:
    return Dialog(act, CONFIRMATIONS[act], reverse(f"invoice_{act}", args=[uuid]))


@member_page("GET", "POST", needs=Permission.INVOICING, back=way_to("invoice", "uuid"))
def invoice_confirm(request: MemberRequest, uuid: UUID, act: str) -> HttpResponse:
    """GET asks (for browsers without dialogs); POST does it."""
    confirmation = CONFIRMATIONS[act]
    if request.method != "POST":
        view = get_invoice(request.actor.workspace, uuid, today=timezone.localdate())
        context = {
            "invoice": view,
            "dialog": _dialog(uuid, act),
            "panel": read_panel(request.actor.workspace.pk, "invoice", uuid),
        }
        return render(request, "invoices/confirm.html", context)
    confirmation.act(request.actor, uuid)
    messages.success(request, confirmation.done)
    return redirect("invoices") if act == "delete" else redirect("invoice", uuid=uuid)


@member_page("POST", needs=Permission.INVOICING, back=way_to("invoice", "uuid"))
def invoice_payment(request: MemberRequest, uuid: UUID) -> HttpResponse:
    view = get_invoice(request.actor.workspace, uuid, today=timezone.localdate())
    form = PaymentForm(request.POST).ask_in(view.currency, home_currency=request.actor.workspace.currency)
    typed = form.to_input(customer=view.customer.uuid, invoice=uuid) if form.is_valid() else None
    if typed is not None:
        try:
            made = make_once(request.actor, read_token(request), lambda: record_payment(request.actor, typed))
        except InvalidFieldError as refusal:
            # The invoice's part of a payment is its amount here.
            form.add_error(refusal.field if refusal.field in form.fields else "amount", str(refusal))
        else:
            say_made(request, made, "Payment recorded.")
            return redirect("invoice", uuid=uuid)
    if Verb.RECORD_PAYMENT not in view.verbs:
        # Paid or void meanwhile: the form is no longer on the page, and what it would say neither.
        said = " ".join(str(text) for texts in form.errors.values() for text in texts)
        messages.error(request, f"Nothing was recorded. {said}")
    return _page(request, view, payment=form, status=422)


@member_page("POST", needs=Permission.INVOICING, back=way_to("invoice", "uuid"))
def invoice_payment_void(request: MemberRequest, uuid: UUID, payment: UUID) -> HttpResponse:
    void_payment(request.actor, payment)
    messages.success(request, "The payment is void; what it paid is owed again.")
    return redirect("invoice", uuid=uuid)
