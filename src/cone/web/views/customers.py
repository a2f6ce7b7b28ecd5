"""Customers: the list, one of them, the form."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from cone.accounting.states import sync_states
from cone.books.models import Customer
from cone.books.queries.activity import list_activity
from cone.books.queries.customers import get_customer, list_customers
from cone.domain.permissions import Permission
from cone.operations.archive_customer import archive_customer
from cone.operations.once import make_once
from cone.operations.restore_customer import restore_customer
from cone.operations.save_customer import save_customer
from cone.operations.settle_loss import look_for_customer, make_customer_anew
from cone.operations.settle_name import link_customer, suffix_name
from cone.web.access import MemberRequest, member_page, way_to
from cone.web.forms.customer import NAMES, CustomerForm
from cone.web.forms.fields import attempt, seen_revision
from cone.web.panel import read_panel
from cone.web.parameters import read_page_number, read_search, read_token
from cone.web.views.invoices import add_sync_states
from cone.web.views.once import say_made


@member_page()
def customers(request: MemberRequest) -> HttpResponse:
    search, show_archived = read_search(request), request.GET.get("archived") == "1"
    found = list_customers(
        request.actor.workspace, search=search, page=read_page_number(request), show_archived=show_archived
    )
    states = sync_states(request.actor.workspace.pk, "customer", [row.uuid for row in found.items])
    context = {
        "found": found,
        "rows": [(row, states.get(row.uuid)) for row in found.items],
        "search": search,
        "show_archived": show_archived,
    }
    return render(request, "customers/list.html", context)


@member_page()
def customer(request: MemberRequest, uuid: UUID) -> HttpResponse:
    workspace = request.actor.workspace
    view = get_customer(workspace, uuid, today=timezone.localdate())
    context = {
        "customer": view,
        "invoices": add_sync_states(workspace.pk, view.invoices),
        "panel": read_panel(workspace.pk, "customer", uuid),
        "activity": list_activity(workspace, "customer", uuid),
    }
    return render(request, "customers/page.html", context)


@member_page("GET", "POST", needs=Permission.INVOICING)
def customer_new(request: MemberRequest) -> HttpResponse:
    workspace = request.actor.workspace
    start = {"country": workspace.country, "currency": workspace.currency}
    form = CustomerForm(request.POST) if request.method == "POST" else CustomerForm(initial=start)

    def save() -> Customer:
        return save_customer(request.actor, form.to_input())

    if request.method == "POST":
        made = attempt(form, lambda: make_once(request.actor, read_token(request), save))
        if made is not None:
            say_made(request, made, f"{form.cleaned_data['name']} is added.")
            return redirect("customer", uuid=made.uuid)
    return render(request, "customers/form.html", {"form": form}, status=422 if form.errors else 200)


@member_page("GET", "POST", needs=Permission.INVOICING)
def customer_edit(request: MemberRequest, uuid: UUID) -> HttpResponse:
    view = get_customer(request.actor.workspace, uuid, today=timezone.localdate())
    if request.method == "POST":
        form = CustomerForm(request.POST)

        def save() -> Customer:
            return save_customer(request.actor, form.to_input(), uuid=uuid, expected_revision=seen_revision(form))

        if attempt(form, save) is not None:
            messages.success(request, "Changes saved.")
            return redirect("customer", uuid=uuid)
    else:
        form = CustomerForm(initial={name: getattr(view, name) for name in (*NAMES, "revision")})
    context = {"form": form, "customer": view}
    return render(request, "customers/form.html", context, status=422 if form.errors else 200)


@member_page("POST", needs=Permission.INVOICING, back=way_to("customer", "uuid"))
def customer_archive(request: MemberRequest, uuid: UUID) -> HttpResponse:
    archive_customer(request.actor, uuid)
    messages.success(request, "Archived. It keeps its invoices, and can be restored.")
    return redirect("customer", uuid=uuid)


@member_page("POST", needs=Permission.INVOICING, back=way_to("customer", "uuid"))
def customer_restore(request: MemberRequest, uuid: UUID) -> HttpResponse:
    restore_customer(request.actor, uuid)
    messages.success(request, "Restored.")
    return redirect("customer", uuid=uuid)


@member_page("POST", needs=Permission.INVOICING, back=way_to("customer", "uuid"))
def customer_link(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """It's that one there."""
    link_customer(request.actor, uuid, request.POST.get("remote_id", "").replace("\0", ""))
    messages.success(request, "Linked. What stands here is being sent to it.")
    return redirect("customer", uuid=uuid)


@member_page("POST", needs=Permission.INVOICING, back=way_to("customer", "uuid"))
def customer_suffix(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """It's another one of the same name."""
    name = suffix_name(request.actor, uuid)
    messages.success(request, f"It's being sent as {name}. Its name here stays as it is.")
    return redirect("customer", uuid=uuid)


@member_page("POST", needs=Permission.INVOICING, back=way_to("customer", "uuid"))
def customer_look_for(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """It has another name there now."""
    look_for_customer(request.actor, uuid, request.POST.get("name", "").replace("\0", ""))
    messages.success(request, "Looking for it there. What is found is shown under Sync.")
    return redirect("customer", uuid=uuid)


@member_page("POST", needs=Permission.INVOICING, back=way_to("customer", "uuid"))
def customer_make_anew(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """The one it was there is no more: another one is made."""
    make_customer_anew(request.actor, uuid)
    messages.success(request, "It's being made there again; what waits for it follows.")
    return redirect("customer", uuid=uuid)
