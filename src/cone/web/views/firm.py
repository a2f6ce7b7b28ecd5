"""A person's firms: creating one, switching between them."""

from babel.numbers import get_territory_currencies
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cone.books.queries.team import list_workspaces
from cone.domain.errors import RecordNotFoundError
from cone.domain.tax_presets import suggest_tax_rates
from cone.operations.create_firm import create_firm
from cone.web.forms.fields import attempt
from cone.web.forms.settings import FirmForm
from cone.web.middleware import SESSION_KEY
from cone.web.refusals import answer_refusal


def _suggest_currency(country: str) -> str:
    """The currency a country uses today; empty where that's unknown."""
    if not country:
        return ""
    found: list[str] = get_territory_currencies(country, timezone.localdate(), timezone.localdate())
    return found[0] if found else ""


def _choices(form: FirmForm, country: str, kept: list[str] | None = None) -> dict[str, object]:
    """The form with the rates that the country suggests, all of them ticked unless some were left out."""
    rates = [(rate, kept is None or rate.name in kept) for rate in suggest_tax_rates(country)]
    return {"form": form, "country": country, "rates": rates}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def firm_new(request: HttpRequest) -> HttpResponse:
    """Create your firm: where a person without one lands."""
    if request.method != "POST":
        return render(request, "firm/new.html", _choices(FirmForm(), ""))
    country = request.POST.get("country", "")
    # Without JavaScript the rates weren't on the page: then all of them are kept.
    were_shown = request.POST.get("rates_of") == country
    kept = request.POST.getlist("rates") if were_shown else [rate.name for rate in suggest_tax_rates(country)]
    form = FirmForm(request.POST)
    user = request.user
    made = attempt(form, lambda: create_firm(user, form.to_input(kept))) if user.is_authenticated else None
    if made is None:
        return render(request, "firm/new.html", _choices(form, country, kept), status=422)
    request.session[SESSION_KEY] = str(made.uuid)
    messages.success(request, f"{made.name} is ready.")
    return redirect("dashboard")


@login_required
@require_GET
def firm_choices(request: HttpRequest) -> HttpResponse:
    """Currency and tax rates for the country just chosen."""
    country = request.GET.get("country", "")
    known = country if len(country) == 2 and country.isascii() and country.isalpha() else ""
    form = FirmForm(initial={"currency": _suggest_currency(known)})
    return render(request, "firm/_choices.html", _choices(form, known))


@login_required
@require_POST
def firm_switch(request: HttpRequest) -> HttpResponse:
    """Work in another of one's firms from now on."""
    wanted = request.POST.get("workspace", "")
    if not request.user.is_authenticated or wanted not in {str(mine.uuid) for mine in list_workspaces(request.user)}:
        return answer_refusal(request, RecordNotFoundError())
    request.session[SESSION_KEY] = wanted
    return redirect("dashboard")
