"""The demo firm."""

import json
import stat
from collections import Counter as Tally
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import F, Sum
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from cone.books.models import (
    Counter,
    Customer,
    Invoice,
    InvoiceLine,
    Membership,
    Payment,
    Service,
    TaxRate,
    User,
    Workspace,
)
from cone.books.queries.dashboard import read_dashboard
from cone.books.queries.invoices import Tab, list_invoices
from cone.demo.create_demo_firm import create_demo_firm
from cone.demo.sign_in import FILE_NAME
from cone.demo.year import plan_year
from cone.domain.invoices import DisplayStatus
from cone.kit.money import Money
from tests.integration.books.threads import at_once

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def data_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def test_demo_has_a_year_of_books_in_every_status() -> None:
    with CaptureQueriesContext(connection) as queries:
        create_demo_firm(today=TODAY)
    # In bulk: a first start doesn't wait for it.
    assert len(queries) < 60

    workspace = Workspace.objects.get(is_demo=True)
    everything = list_invoices(workspace, today=TODAY)
    counts = {entry.tab: entry.count for entry in everything.tabs}
    assert counts[Tab.ALL] >= 150
    assert counts[Tab.DRAFT] == 9
    assert counts[Tab.PAID] > 90
    assert min(counts.values()) >= 3
    assert set(read_dashboard(workspace, today=TODAY).counts) == set(DisplayStatus)
    assert min(read_dashboard(workspace, today=TODAY).counts.values()) >= 3
    assert [totals.currency for totals in everything.totals] == ["GBP"]
    bars = read_dashboard(workspace, today=TODAY).bars
    assert all(bar.invoiced > Money(Decimal(1000), "GBP") for bar in bars)
    assert TaxRate.objects.filter(workspace=workspace).count() == 4
    assert Service.objects.filter(workspace=workspace).count() == 12
    assert sorted(Membership.objects.values_list("role", flat=True)) == ["biller", "bookkeeper", "owner"]


def test_demo_customers_are_as_varied_as_real_ones() -> None:
    create_demo_firm(today=TODAY)

    names = Tally(Customer.objects.values_list("name", flat=True))
    assert sum(names.values()) >= 40
    assert names["J. Smith"] == 2
    assert max(len(name) for name in names) > 150
    for sign in ("'", "’", "&", "é", "Ł", "ç"):
        assert any(sign in name or sign.upper() in name for name in names), sign


def test_demo_numbers_have_no_gap_and_the_counter_stands_after_them() -> None:
    create_demo_firm(today=TODAY)

    numbers = sorted(number for number in Invoice.objects.values_list("number", flat=True) if number)
    assert numbers == [f"INV-{value:04d}" for value in range(1, len(numbers) + 1)]
    assert Counter.objects.get().next_value == len(numbers) + 1


def test_demo_figures_agree_with_each_other() -> None:
    create_demo_firm(today=TODAY)

    for invoice in Invoice.objects.annotate(line_net=Sum("lines__net")):
        assert invoice.line_net == invoice.net
    live = Invoice.objects.annotate(received=Sum("allocations__amount", default=Decimal(0)))
    assert not live.exclude(received=F("paid")).exists()
    assert InvoiceLine.objects.filter(discount_percent__gt=0).exists()
    assert Invoice.objects.filter(amounts_are="inclusive").count() > 15
    assert Invoice.objects.filter(paid__gt=0, paid__lt=F("total"), status="issued").count() >= 2


def test_demo_payments_leave_no_rest_that_was_applied() -> None:
    create_demo_firm(today=TODAY)
    payments = Payment.objects.annotate(parts=Sum("allocations__amount"))
    assert payments.count() > 60
    assert not payments.exclude(allocated=F("parts")).exists()


def test_demo_again_returns_the_same_sign_in_and_changes_nothing(data_dir: Path) -> None:
    first = create_demo_firm(today=TODAY)
    second = create_demo_firm(today=date(2027, 1, 1))

    assert first == second
    assert Workspace.objects.count() == 1
    assert User.objects.get(email=first.email).check_password(first.password)
    kept = data_dir / FILE_NAME
    assert json.loads(kept.read_text()) == {"email": "demo@cone.example", "password": first.password}
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [None, "", "[]", "{", '{"email": "demo@cone.example"}'])
def test_demo_file_lost_or_broken_sets_a_new_password(data_dir: Path, content: str | None) -> None:
    first = create_demo_firm(today=TODAY)
    if content is None:
        (data_dir / FILE_NAME).unlink()
    else:
        (data_dir / FILE_NAME).write_text(content)

    second = create_demo_firm(today=TODAY)

    assert first.password != second.password
    assert User.objects.get(email=second.email).check_password(second.password)
    assert create_demo_firm(today=TODAY) == second


def test_demo_of_one_day_is_always_the_same() -> None:
    assert plan_year(TODAY, customer_count=50) == plan_year(TODAY, customer_count=50)
    moved = plan_year(date(2027, 2, 1), customer_count=50)
    assert max(plan.issue_date for plan in moved) == date(2027, 2, 1)
    assert [plan.lines for plan in moved] == [plan.lines for plan in plan_year(TODAY, customer_count=50)]


@pytest.mark.django_db(transaction=True)
def test_demo_made_twice_at_once_is_one_firm_and_one_password() -> None:
    first, second = at_once([partial(create_demo_firm, today=TODAY)] * 2)

    assert first == second
    assert (Workspace.objects.count(), User.objects.count()) == (1, 3)
