"""Settings › Integrations › Manage: tax codes, accounts, and invoices from before the connection."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from cone.accounting.manage import read_manage
from cone.accounting.port.company import TaxCode
from cone.accounting.runs.reading import find_latest_run
from cone.accounting.terms import read_terms
from cone.accounting.values import ManageView, TaxMappingRow
from cone.domain.errors import InvalidFieldError
from cone.domain.permissions import Permission
from cone.operations.refresh_reference import refresh_reference
from cone.operations.save_accounts import save_accounts
from cone.operations.save_removal_policy import save_removal_policy
from cone.operations.save_tax_mappings import save_tax_mappings
from cone.operations.save_terms import save_terms
from cone.web.access import MemberRequest, member_page, way_to
from cone.web.forms.fields import attempt
from cone.web.forms.integrations import AccountsForm, StartDateForm

_CODE, _SEEN = "code-", "seen-"


@dataclass(frozen=True, slots=True)
class MappingLine:
    """One rate with its drop-down: the company's active codes, and the saved one even if it was made inactive."""

    row: TaxMappingRow
    choices: tuple[TaxCode, ...]
    selected_id: str
    is_suggestion: bool


def _mapping_line(row: TaxMappingRow, codes: tuple[TaxCode, ...]) -> MappingLine:
    choices = tuple(code for code in codes if code.is_active or code.remote_id == row.saved_id)
    return MappingLine(
        row, choices, row.saved_id or row.suggested_id, is_suggestion=not row.saved_id and bool(row.suggested_id)
    )


def _accounts_form(view: ManageView, posted: QueryDict | None = None) -> AccountsForm:
    initial = {
        "deposit_account": view.deposit_account_id,
        "income_account": view.income_account_id or view.suggested_income_account_id,
        "seen_deposit": view.deposit_account_id,
        "seen_income": view.income_account_id,
    }
    return AccountsForm(posted, initial=initial).offer(view.deposit_accounts, view.income_accounts)


def _page(
    request: MemberRequest,
    view: ManageView,
    *,
    accounts: AccountsForm | None = None,
    status: int = 200,
) -> HttpResponse:
    lines = tuple(_mapping_line(row, view.tax_codes) for row in view.rows)
    context = {
        "view": view,
        "lines": lines,
        "is_default_account_lost": bool(view.deposit_account_id)
        and view.deposit_account_id not in {account.remote_id for account in view.deposit_accounts},
        "is_income_account_lost": bool(view.income_account_id)
        and view.income_account_id not in {account.remote_id for account in view.income_accounts},
        "has_suggestions": any(line.is_suggestion for line in lines),
        "accounts": accounts or _accounts_form(view),
        "terms": read_terms(request.actor.workspace.pk),
        "run": find_latest_run(request.actor.workspace.pk),
        "start": StartDateForm(initial={"from_date": view.send_from_date or _start_of_year()}),
    }
    return render(request, "settings/manage.html", context, status=status)


def _start_of_year() -> date:
    return timezone.localdate().replace(month=1, day=1)


@member_page(needs=Permission.INTEGRATIONS, back=way_to("integrations"))
def manage(request: MemberRequest) -> HttpResponse:
    return _page(request, read_manage(request.actor.workspace.pk))


def _read_choices(posted: QueryDict, prefix: str) -> dict[UUID, str]:
    """The fields of that prefix by rate; names that aren't a rate's are ignored."""
    choices = {}
    for name, value in posted.items():
        if name.startswith(prefix) and isinstance(value, str):
            try:
                choices[UUID(name.removeprefix(prefix))] = value
            except ValueError:
                continue
    return choices


@member_page("POST", needs=Permission.INTEGRATIONS, back=way_to("manage"))
def save_mappings(request: MemberRequest) -> HttpResponse:
    save_tax_mappings(request.actor, _read_choices(request.POST, _CODE), seen=_read_choices(request.POST, _SEEN))
    messages.success(request, "Tax codes saved. Invoices that waited for them are being sent.")
    return redirect("manage")


@member_page("POST", needs=Permission.INTEGRATIONS, back=way_to("manage"))
def save_account_choices(request: MemberRequest) -> HttpResponse:
    view = read_manage(request.actor.workspace.pk)
    form = _accounts_form(view, request.POST)

    def save() -> bool:
        save_accounts(
            request.actor,
            deposit_account_id=form.cleaned_data["deposit_account"],
            income_account_id=form.cleaned_data["income_account"],
            seen=form.seen(),
        )
        return True

    if not attempt(form, save):
        return _page(request, view, accounts=form, status=422)
    messages.success(request, "Accounts saved. Invoices that waited for them are being sent.")
    return redirect("manage")


@member_page("POST", needs=Permission.INTEGRATIONS, back=way_to("manage"))
def save_term_choices(request: MemberRequest) -> HttpResponse:
    names = [term.name for term in read_terms(request.actor.workspace.pk)]
    answers = {name: request.POST[name] for name in names if name in request.POST}
    seen = {name: request.POST[_SEEN + name] for name in names if _SEEN + name in request.POST}
    save_terms(request.actor, answers, seen=seen)
    messages.success(request, "Saved. It counts from the next record on.")
    return redirect("manage")


@member_page("POST", needs=Permission.INTEGRATIONS, back=way_to("manage"))
def refresh(request: MemberRequest) -> HttpResponse:
    refresh_reference(request.actor)
    messages.success(request, "Accounts and tax codes are up to date.")
    return redirect("manage")


@member_page("POST", needs=Permission.INTEGRATIONS, back=way_to("manage"))
def save_removals(request: MemberRequest) -> HttpResponse:
    """Leaving it is saved at once; taking records back there, once the person has read what that means."""
    policy, seen = request.POST.get("removal_policy", ""), request.POST.get("seen")
    view = read_manage(request.actor.workspace.pk)
    if policy in ("void", "delete") and "is_understood" not in request.POST:
        return render(request, "settings/removals.html", {"view": view, "policy": policy, "seen": seen})
    try:
        save_removal_policy(request.actor, policy, seen=seen)
    except InvalidFieldError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Saved.")
    return redirect(f"{reverse('manage')}#removals")
