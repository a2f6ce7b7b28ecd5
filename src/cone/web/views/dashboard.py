"""The first page: what is owed, what came in, how the sync is doing, what to do next."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from cone.accounting.values import ConnectionView
from cone.books.models import Customer, Service
from cone.books.queries.dashboard import Dashboard, MonthBar, read_dashboard
from cone.kit.money import Money
from cone.web.access import MemberRequest, member_page
from cone.web.causes import list_cause_rows
from cone.web.charts import draw_bars
from cone.web.context import connection_of
from cone.web.views.invoices import add_sync_states


@dataclass(frozen=True, slots=True)
class FirstStep:
    """One of the things a new firm does first."""

    title: str
    text: str
    url_name: str
    action: str
    is_done: bool


def _first_steps(request: MemberRequest, view: Dashboard, connection: ConnectionView | None) -> tuple[FirstStep, ...]:
    workspace = request.actor.workspace
    return (
        FirstStep(
            "Add a customer",
            "Whom do you invoice?",
            "customer_new",
            "Add customer",
            Customer.objects.filter(workspace=workspace).exists(),
        ),
        FirstStep(
            "Add a service",
            "What you sell, with its price and tax rate.",
            "service_new",
            "Add service",
            Service.objects.filter(workspace=workspace).exists(),
        ),
        FirstStep(
            "Connect QuickBooks",
            "What you do here then appears there by itself.",
            "integrations",
            "Connect",
            connection is not None,
        ),
        FirstStep(
            "Issue your first invoice",
            "A draft stays in Cone; issuing gives it a number and sends it.",
            "invoice_new",
            "New invoice",
            not view.is_empty,
        ),
    )


def _received_this_month(bars: tuple[MonthBar, ...], currency: str) -> Money:
    return bars[-1].received if bars else Money.zero(currency)


@member_page()
def dashboard(request: MemberRequest) -> HttpResponse:
    workspace = request.actor.workspace
    view = read_dashboard(workspace, today=timezone.localdate())
    connection = connection_of(request)
    context = {
        "view": view,
        "totals": view.totals[0],
        "other_totals": view.totals[1:],
        "received": _received_this_month(view.bars, workspace.currency),
        "chart": draw_bars(view.bars),
        "recent": add_sync_states(workspace.pk, view.recent),
        "connection": connection,
        "causes": list_cause_rows(workspace.pk)
        if connection and connection.attention_count + connection.waiting_count
        else (),
        "steps": _first_steps(request, view, connection) if view.is_empty else (),
    }
    return render(request, "dashboard.html", context)
