"""Payments: the list, one of them, and recording, changing and voiding it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from cone.accounting.states import sync_states
from cone.books.queries.activity import list_activity
from cone.books.queries.customers import list_customer_options
from cone.books.queries.payments import get_payment, list_payable_invoices, list_payments
from cone.domain.errors import InvalidFieldError
from cone.domain.payments import PaymentAlreadyVoidError, PaymentChangedMeanwhileError
from cone.domain.permissions import Permission
from cone.operations.confirm_removed import confirm_removed
from cone.operations.edit_payment import edit_payment
from cone.operations.once import make_once
from cone.operations.record_payment import record_payment
from cone.operations.void_payment import void_payment
from cone.web.access import MemberRequest, member_page, way_to
from cone.web.forms.fields import seen_revision
from cone.web.forms.payment import PaymentOfManyForm, fill_from
from cone.web.panel import read_panel
from cone.web.parameters import read_page_number, read_search, read_token
from cone.web.views.once import say_made


@member_page()
def payments(request: MemberRequest) -> HttpResponse:
    workspace, search = request.actor.workspace, read_search(request)
    found = list_payments(workspace, search=search, page=read_page_number(request))
    states = sync_states(workspace.pk, "payment", [row.uuid for row in found.items]) if found.items else {}
    rows = [(row, states.get(row.uuid)) for row in found.items]
    return render(request, "payments/list.html", {"found": found, "rows": rows, "search": search})


@member_page()
def payment(request: MemberRequest, uuid: UUID) -> HttpResponse:
    workspace = request.actor.workspace
    context = {
        "payment": get_payment(workspace, uuid),
        "panel": read_panel(workspace.pk, "payment", uuid),
        "activity": list_activity(workspace, "payment", uuid),
    }
    return render(request, "payments/page.html", context)


def _read_customer(request: MemberRequest) -> UUID | None:
    try:
        return UUID(request.POST.get("customer") or request.GET.get("customer") or "")
    except ValueError:
        return None


@member_page("GET", "POST", needs=Permission.INVOICING)
def payment_new(request: MemberRequest) -> HttpResponse:
    """First the customer, then what they owe and how much of it this pays."""
    workspace = request.actor.workspace
    options = list_customer_options(workspace)
    customer = next((option for option in options if option.uuid == _read_customer(request)), None)
    if customer is None:
        return render(request, "payments/form.html", {"customers": options})
    payable, home = list_payable_invoices(workspace, customer.uuid), workspace.currency
    if request.method == "POST":
        form = PaymentOfManyForm(request.POST).offer(payable).ask_in(customer.currency, home_currency=home)
        if form.is_valid():
            typed = form.to_input(customer.uuid)
            try:
                made = make_once(request.actor, read_token(request), lambda: record_payment(request.actor, typed))
            except InvalidFieldError as refusal:
                form.show_refusal(refusal, typed)
            else:
                say_made(request, made, "Payment recorded.")
                return redirect("payment", uuid=made.uuid)
    else:
        form = PaymentOfManyForm(initial={"received_date": timezone.localdate().isoformat()})
        form.offer(payable).ask_in(customer.currency, home_currency=home)
    context = {"customers": options, "customer": customer, "form": form}
    return render(request, "payments/form.html", context, status=422 if form.errors else 200)


@member_page("GET", "POST", needs=Permission.INVOICING, back=way_to("payment", "uuid"))
def payment_edit(request: MemberRequest, uuid: UUID) -> HttpResponse:
    workspace = request.actor.workspace
    view = get_payment(workspace, uuid)
    if view.row.is_void:
        raise PaymentAlreadyVoidError
    payable = list_payable_invoices(workspace, view.row.customer_uuid, payment_uuid=uuid)
    currency, home = view.row.amount.currency, workspace.currency
    if request.method == "POST":
        form = (
            PaymentOfManyForm(request.POST).offer(payable, method=view.row.method).ask_in(currency, home_currency=home)
        )
        if form.is_valid():
            typed = form.to_input(view.row.customer_uuid)
            try:
                edit_payment(request.actor, typed, uuid=uuid, expected_revision=seen_revision(form))
            except InvalidFieldError as refusal:
                form.show_refusal(refusal, typed)
            except PaymentChangedMeanwhileError as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, "Changes saved.")
                return redirect("payment", uuid=uuid)
    else:
        form = PaymentOfManyForm(initial=fill_from(view)).offer(payable, method=view.row.method)
        form.ask_in(currency, home_currency=home)
    return render(request, "payments/form.html", {"payment": view, "form": form}, status=422 if form.errors else 200)


@member_page("GET", "POST", needs=Permission.INVOICING, back=way_to("payment", "uuid"))
def payment_void(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """GET asks (for browsers without dialogs); POST does it."""
    if request.method != "POST":
        return render(request, "payments/void.html", {"payment": get_payment(request.actor.workspace, uuid)})
    void_payment(request.actor, uuid)
    messages.success(request, "The payment is void; what it paid is owed again.")
    return redirect("payment", uuid=uuid)


@member_page("POST", needs=Permission.INVOICING, back=way_to("payment", "uuid"))
def payment_removed(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """A person says that the void payment was removed there by hand."""
    confirm_removed(request.actor, "payment", uuid)
    messages.success(request, "Noted: it's removed there.")
    return redirect("payment", uuid=uuid)
