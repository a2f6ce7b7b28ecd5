"""Services: the list and the form, in the navigation and again among the settings."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from cone.accounting.labels import is_general
from cone.accounting.manage import list_service_accounts
from cone.accounting.states import sync_states
from cone.books.models import Service
from cone.books.queries.services import get_service, list_services
from cone.domain.permissions import Permission
from cone.operations.archive_service import archive_service
from cone.operations.once import make_once
from cone.operations.restore_service import restore_service
from cone.operations.save_service import save_service
from cone.web.access import MemberRequest, member_page, way_to
from cone.web.choices import read_rate_choices
from cone.web.formats import typed_number
from cone.web.forms.fields import attempt, seen_revision
from cone.web.forms.settings import ServiceForm
from cone.web.panel import read_panel
from cone.web.parameters import read_page_number, read_search, read_token
from cone.web.views.once import say_made


def _list(request: MemberRequest, template: str) -> HttpResponse:
    search, show_archived = read_search(request), request.GET.get("archived") == "1"
    found = list_services(
        request.actor.workspace, search=search, page=read_page_number(request), show_archived=show_archived
    )
    states = sync_states(request.actor.workspace.pk, "service", [row.uuid for row in found.items])
    context = {
        "found": found,
        "rows": [(row, states.get(row.uuid)) for row in found.items],
        "search": search,
        "show_archived": show_archived,
    }
    return render(request, template, context)


@member_page()
def services(request: MemberRequest) -> HttpResponse:
    return _list(request, "services/list.html")


@member_page()
def settings_services(request: MemberRequest) -> HttpResponse:
    return _list(request, "settings/services.html")


@member_page("GET", "POST", needs=Permission.SETTINGS)
def service_new(request: MemberRequest) -> HttpResponse:
    rates = read_rate_choices(request.actor.workspace)
    accounts, _ = list_service_accounts(request.actor.workspace.pk, None)
    form = ServiceForm(request.POST if request.method == "POST" else None).offer_rates(rates).offer_accounts(accounts)

    def save() -> Service:
        return save_service(request.actor, form.to_input(), income_account_id=form.income_account_id)

    if request.method == "POST":
        made = attempt(form, lambda: make_once(request.actor, read_token(request), save))
        if made is not None:
            say_made(request, made, f"{form.cleaned_data['name']} is added.")
            return redirect("service_edit", uuid=made.uuid) if made.is_again else redirect("services")
    return render(request, "services/form.html", {"form": form}, status=422 if form.errors else 200)


@member_page("GET", "POST", needs=Permission.SETTINGS)
def service_edit(request: MemberRequest, uuid: UUID) -> HttpResponse:
    workspace = request.actor.workspace
    if is_general("service", uuid, workspace):
        # It has no form: what it posts to is chosen there.
        return redirect(f"{reverse('manage')}#accounts")
    row = get_service(workspace, uuid)
    rates = read_rate_choices(workspace, [row.tax_rate_uuid] if row.tax_rate_uuid else [])
    accounts, account_id = list_service_accounts(workspace.pk, uuid)
    initial = {
        "name": row.name,
        "description": row.description,
        "unit_price": typed_number(row.unit_price.amount),
        "tax_rate": str(row.tax_rate_uuid or ""),
        "income_account": account_id,
        "revision": row.revision,
    }
    posted = request.POST if request.method == "POST" else None
    form = ServiceForm(posted, initial=initial).offer_rates(rates).offer_accounts(accounts)

    def save() -> Service:
        return save_service(
            request.actor,
            form.to_input(),
            uuid=uuid,
            expected_revision=seen_revision(form),
            income_account_id=form.income_account_id,
        )

    if posted is not None and attempt(form, save) is not None:
        messages.success(request, "Changes saved.")
        return redirect("services")
    context = {"form": form, "service": row, "panel": read_panel(workspace.pk, "service", uuid)}
    return render(request, "services/form.html", context, status=422 if form.errors else 200)


@member_page("POST", needs=Permission.SETTINGS, back=way_to("services"))
def service_archive(request: MemberRequest, uuid: UUID) -> HttpResponse:
    archived = archive_service(request.actor, uuid)
    messages.success(request, f"{archived.name} is archived: it can't be chosen on new lines.")
    return redirect("services")


@member_page("POST", needs=Permission.SETTINGS, back=way_to("services"))
def service_restore(request: MemberRequest, uuid: UUID) -> HttpResponse:
    restored = restore_service(request.actor, uuid)
    messages.success(request, f"{restored.name} is restored.")
    return redirect("services")
