"""Settings: tax rates and the firm itself."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from cone.books.models import TaxRate, Workspace
from cone.books.queries.tax_rates import get_tax_rate, list_tax_rates
from cone.domain.permissions import Permission
from cone.operations.archive_tax_rate import archive_tax_rate
from cone.operations.once import make_once
from cone.operations.save_tax_rate import save_tax_rate
from cone.operations.save_workspace import save_workspace
from cone.web.access import MemberRequest, member_page, way_to
from cone.web.formats import typed_number
from cone.web.forms.fields import attempt, seen_revision
from cone.web.forms.settings import TaxRateForm, WorkspaceForm, workspace_initial
from cone.web.parameters import read_token
from cone.web.views.once import say_made


@member_page()
def settings_home(_request: MemberRequest) -> HttpResponse:
    return redirect("integrations")


@member_page("GET", "POST")
def tax_rates(request: MemberRequest) -> HttpResponse:
    """The rates, and below them the form for a new one."""
    form = TaxRateForm(request.POST if request.method == "POST" else None)

    def save() -> TaxRate:
        return save_tax_rate(request.actor, form.to_input())

    if request.method == "POST":
        request.actor.check_may(Permission.SETTINGS)
        made = attempt(form, lambda: make_once(request.actor, read_token(request), save))
        if made is not None:
            name = form.cleaned_data["name"]
            say_made(request, made, f"{name} is added. Map it under Integrations › Manage to send it.")
            return redirect("tax_rate_edit", uuid=made.uuid) if made.is_again else redirect("tax_rates")
    context = {"rates": list_tax_rates(request.actor.workspace, show_archived=True), "form": form}
    return render(request, "settings/tax_rates.html", context, status=422 if form.errors else 200)


@member_page("GET", "POST", needs=Permission.SETTINGS)
def tax_rate_edit(request: MemberRequest, uuid: UUID) -> HttpResponse:
    rate = get_tax_rate(request.actor.workspace, uuid)
    initial = {"name": rate.name, "percent": typed_number(rate.percent), "revision": rate.revision}
    posted = request.POST if request.method == "POST" else None
    form = TaxRateForm(posted, initial=initial)

    def save() -> TaxRate:
        return save_tax_rate(request.actor, form.to_input(), uuid=uuid, expected_revision=seen_revision(form))

    if posted is not None and attempt(form, save) is not None:
        messages.success(request, "Changes saved.")
        return redirect("tax_rates")
    context = {"form": form, "rate": rate}
    return render(request, "settings/tax_rate.html", context, status=422 if form.errors else 200)


@member_page("POST", needs=Permission.SETTINGS, back=way_to("tax_rates"))
def tax_rate_archive(request: MemberRequest, uuid: UUID) -> HttpResponse:
    archived = archive_tax_rate(request.actor, uuid)
    messages.success(request, f"{archived.name} is archived: it can't be chosen on new lines.")
    return redirect("tax_rates")


@member_page("GET", "POST", needs=Permission.SETTINGS)
def workspace(request: MemberRequest) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    form = WorkspaceForm(posted, initial=workspace_initial(request.actor.workspace))

    def save() -> Workspace:
        return save_workspace(request.actor, form.to_input(), expected_revision=seen_revision(form))

    if posted is not None and attempt(form, save) is not None:
        messages.success(request, "Changes saved.")
        return redirect("workspace")
    return render(request, "settings/workspace.html", {"form": form}, status=422 if form.errors else 200)
