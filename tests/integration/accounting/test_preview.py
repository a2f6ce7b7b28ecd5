"""A preview says what the lane would do, without a request and without a write, however many records there are."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cone.accounting.outbox import find_active_connection
from cone.accounting.preview import reading
from cone.accounting.preview.reading import Foreseer
from cone.accounting.preview.summary import read_preview
from cone.accounting.preview.values import Action, CurrencySum, Figures, Preview
from cone.accounting.sql import preview as preview_sql
from cone.books.models import Attempt, Connection, Invoice, InvoiceLine, Link, OutboxRow
from cone.domain.customers import CustomerInput
from cone.kit.money import Money
from cone.operations.actor import Actor
from cone.operations.save_accounts import save_accounts
from cone.operations.save_customer import save_customer
from cone.operations.save_terms import save_terms
from tests.builders import make_customer, make_invoice, make_line, make_owner, make_payment, make_service, make_tax_rate
from tests.fakes.ledger import BANK, INCOME, FakeLedger
from tests.integration.accounting.conftest import configure, connect

TODAY = timezone.localdate()


@pytest.fixture
def owner(db: None) -> Actor:
    """The owner of a UK firm, in the test's own transaction: a preview reads on the page's connection."""
    return make_owner()


def preview(owner: Actor, *, since_days: int | None = None, only: Action | None = None, start: int = 0) -> Preview:
    from_date = None if since_days is None else TODAY - timedelta(days=since_days)
    found = read_preview(owner.workspace.pk, from_date=from_date, now=timezone.now(), only=only, start=start)
    assert found is not None
    return found


def brief(found: Preview) -> list[tuple[str, str, str]]:
    return [(outlook.kind, outlook.label, outlook.action.value) for outlook in found.shown]


def multiply(invoice: Invoice, count: int) -> None:
    """More invoices like this one, each with a line."""
    (line,) = invoice.lines.all()
    made = [Invoice(**{**_values(invoice), "uuid": uuid4(), "number": uuid4().hex[:12]}) for _ in range(count)]
    lines = [InvoiceLine(**{**_values(line), "invoice": each}) for each in Invoice.objects.bulk_create(made)]
    InvoiceLine.objects.bulk_create(lines)


def _values(record: Invoice | InvoiceLine) -> dict[str, object]:
    return {field.name: getattr(record, field.name) for field in record._meta.fields if field.name != "id"}


def test_preview_of_existing_invoices_foresees_what_they_need_and_what_stops_them(
    owner: Actor, ledger: FakeLedger
) -> None:
    fuel = make_tax_rate(owner, "Fuel")
    customer = make_customer(owner)
    advice = make_service(owner, "Advice")
    day = TODAY - timedelta(days=1)
    plain = make_invoice(owner, customer, is_issued=True, issue_date=day)
    mixed = make_invoice(owner, customer, is_issued=True, lines=[make_line(fuel, unit_price="10.00", service=advice)])
    make_invoice(owner, customer, is_issued=True, issue_date=TODAY - timedelta(days=40))
    make_invoice(owner, customer)
    make_invoice(make_owner("Outside Ltd"), is_issued=True)
    connect(owner, ledger)
    configure(owner)
    calls = len(ledger.calls)

    found = preview(owner, since_days=10)

    assert brief(found) == [
        ("customer", customer.name, "create"),
        ("service", "Services", "link"),
        ("service", "Advice", "link"),
        ("invoice", plain.number, "create"),
        ("invoice", mixed.number, "blocked"),
    ]
    assert found.shown[3].figures == Figures(tax=Money(Decimal("20.00"), "GBP"), total=Money(Decimal("120.00"), "GBP"))
    assert found.shown[3].follows == f"{customer.name}, Services"
    assert [(card.cause.title, card.count) for card in found.causes] == [("Fuel is not mapped", 1)]
    assert found.sums == (CurrencySum(1, Money(Decimal("20.00"), "GBP"), Money(Decimal("120.00"), "GBP")),)
    assert (found.total_count, found.may_exist_count, found.count(Action.LINK)) == (5, 1, 2)
    assert len(ledger.calls) == calls
    assert (OutboxRow.objects.count(), Attempt.objects.count(), Link.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize("is_asked_for", [False, True])
def test_second_of_a_name_is_foreseen_as_taken_unless_the_firm_wants_suffixes(
    is_asked_for: bool, owner: Actor, ledger: FakeLedger
) -> None:
    if is_asked_for:
        connect(owner, ledger)
        configure(owner)
    first, second = (make_customer(owner, name) for name in ("J. Smith", "j. smith"))
    one, two, three = (make_invoice(owner, customer, is_issued=True).number for customer in (first, second, second))
    if not is_asked_for:
        connect(owner, ledger)
        configure(owner)

    found = preview(owner, since_days=None if is_asked_for else 10)

    actions = {label: action for _, label, action in brief(found)}
    assert actions == {
        "J. Smith": "create",
        "j. smith": "blocked",
        "Services": "link",
        one: "create",
        two: "wait",
        three: "wait",
    }
    assert found.sums == (CurrencySum(1, Money(Decimal("20.00"), "GBP"), Money(Decimal("120.00"), "GBP")),)
    [card] = found.causes
    assert (card.cause.key, card.count) == (f"name_taken:{second.uuid}", 3)
    assert [each.obstacle for each in card.cause.namesakes] == ["foreseen"]
    assert (card.cause.title, card.cause.is_name_taken) == ("Another customer of yours is called j. smith, too", False)

    save_terms(owner, {"name_policy": "suffix"})
    assert preview(owner, since_days=None if is_asked_for else 10).count(Action.CREATE) == 5


def test_second_of_a_name_whose_first_is_out_isnt_foreseen_as_made(owner: Actor, ledger: FakeLedger) -> None:
    connect(owner, ledger)
    configure(owner)
    for name in ("J. Smith", "j. smith"):
        make_customer(owner, name)
    row = OutboxRow.objects.order_by("id").first()
    assert row is not None
    Attempt.objects.create(
        company=row.company,
        connection=Connection.objects.get(),
        kind="customer",
        record_uuid=row.record_uuid,
        revision=row.wanted_revision,
        operation="create",
        generation=1,
        request_id="1",
        request_line="create customer",
        body=b"{}",
        lane_epoch=0,
        state="unknown",
        verdict="unknown",
        last_sent_at=timezone.now(),
    )

    assert brief(preview(owner)) == [("customer", "J. Smith", "find_out"), ("customer", "j. smith", "blocked")]


def test_customer_of_the_name_that_another_one_is_being_given_isnt_foreseen_as_made(
    owner: Actor, ledger: FakeLedger
) -> None:
    connect(owner, ledger)
    configure(owner)
    renamed = make_customer(owner, "Smith & Sons")
    row = OutboxRow.objects.get()
    Link.objects.create(
        company=row.company,
        kind="customer",
        record_uuid=renamed.uuid,
        remote_id="7",
        remote_version="0",
        synced_revision=row.wanted_revision,
        answer={"name": "Smith & Sons"},
    )
    save_customer(owner, CustomerInput("J. Smith"), uuid=renamed.uuid)
    make_customer(owner, "J. Smith")

    assert brief(preview(owner)) == [("customer", "J. Smith", "update"), ("customer", "J. Smith", "blocked")]


def test_payments_are_summed_apart_from_the_invoices_that_they_pay(owner: Actor, ledger: FakeLedger) -> None:
    for name in ("Anna", "Berta"):
        make_payment(owner, make_invoice(owner, make_customer(owner, name), is_issued=True))
    connect(owner, ledger)
    configure(owner)

    found = preview(owner, since_days=10)

    assert [(each.kind, each.count, str(each.tax.amount), str(each.total.amount)) for each in found.sums] == [
        ("invoice", 2, "40.00", "240.00"),
        ("payment", 2, "0.00", "240.00"),
    ]


def test_causes_behind_what_is_not_there_yet_are_seen(owner: Actor, ledger: FakeLedger) -> None:
    """A customer that can't be made holds its invoices back, under its own cause."""
    bad = make_customer(owner, "Bad: Name")
    first, second = (make_invoice(owner, bad, is_issued=True) for _ in range(2))
    connect(owner, ledger)
    configure(owner)

    found = preview(owner, since_days=10)

    assert brief(found) == [
        ("customer", "Bad: Name", "blocked"),
        ("service", "Services", "link"),
        ("invoice", first.number, "wait"),
        ("invoice", second.number, "wait"),
    ]
    assert {outlook.waits_for for outlook in found.shown} == {"", "Bad: Name"}
    (card,) = found.causes
    assert (card.cause.target, card.cause.target_uuid, card.count) == ("customer", bad.uuid, 3)
    assert found.sums == ()


def test_unmapped_rates_show_before_the_default_account_is_chosen(owner: Actor, ledger: FakeLedger) -> None:
    make_invoice(owner, is_issued=True)
    connect(owner, ledger)

    assert [card.cause.title for card in preview(owner, since_days=10).causes] == ["Choose the default account"]
    save_accounts(owner, deposit_account_id=BANK, income_account_id=INCOME)
    assert [card.cause.title for card in preview(owner, since_days=10).causes] == ["VAT 20% is not mapped"]


def test_preview_of_what_waits_tells_creates_updates_and_refusals_apart(owner: Actor, ledger: FakeLedger) -> None:
    connect(owner, ledger)
    configure(owner)
    customer = make_customer(owner)
    Link.objects.create(
        company=OutboxRow.objects.get().company,
        kind="customer",
        record_uuid=customer.uuid,
        remote_id="58",
        remote_version="1",
        synced_revision=1,
    )
    save_customer(owner, CustomerInput(name="New name"), uuid=customer.uuid)
    refused = make_customer(owner, "Refused")
    OutboxRow.objects.filter(record_uuid=refused.uuid).update(
        state="blocked",
        cause_key=f"name_taken:{refused.uuid}",
        cause={"code": "name_taken", "params": {}},
        blocked_settings_revision=99,
    )
    invoice = make_invoice(owner, customer, is_issued=True)
    behind = make_invoice(owner, refused, is_issued=True)

    found = preview(owner)

    assert sorted(brief(found)) == sorted(
        [
            ("customer", "New name", "update"),
            ("customer", "Refused", "blocked"),
            ("service", "Services", "link"),
            ("invoice", invoice.number, "create"),
            ("invoice", behind.number, "wait"),
        ]
    )
    assert [card.count for card in found.causes] == [2]
    assert [outlook.label for outlook in preview(owner, only=Action.WAIT).shown] == [behind.number]
    assert preview(owner, only=Action.CREATE, start=1).shown == ()


def test_preview_asks_as_much_for_three_invoices_as_for_one(owner: Actor, ledger: FakeLedger) -> None:
    invoice = make_invoice(owner, is_issued=True)
    connect(owner, ledger)
    configure(owner)

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            preview(owner, since_days=10)
        return len(captured)

    one = count()
    multiply(invoice, 2)
    assert count() == one
    # And for a thousand and some, one part more: rows, records, lines and links of another thousand.
    multiply(invoice, 1100)
    assert one < count() <= one + 7


def test_preview_keeps_one_page_of_a_thousand(owner: Actor, ledger: FakeLedger) -> None:
    invoice = make_invoice(owner, is_issued=True)
    multiply(invoice, 1000)
    connect(owner, ledger)
    configure(owner)

    found = preview(owner, since_days=10, only=Action.CREATE, start=1000)

    assert (found.shown_count, len(found.shown), found.count(Action.CREATE)) == (1002, 2, 1002)
    assert found.sums[0].total == Money(Decimal("120120.00"), "GBP")


@pytest.fixture
def two_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part is two records."""
    monkeypatch.setattr(reading, "_AT_ONCE", 2)


@pytest.fixture
def waiting(owner: Actor, ledger: FakeLedger) -> Connection:
    """A connection with five customers that wait."""
    connect(owner, ledger)
    configure(owner)
    for _ in range(5):
        make_customer(owner)
    active = find_active_connection(owner.workspace.pk)
    assert active is not None
    return active


def check_parts(owner: Actor, request: pytest.FixtureRequest, *, since_days: int | None) -> Preview:
    """Foresee all at once and in parts: only the order may differ, since services come with what first needs them."""
    whole = preview(owner, since_days=since_days)
    request.getfixturevalue("two_parts")
    in_parts = preview(owner, since_days=since_days)
    assert {outlook.uuid: outlook for outlook in in_parts.shown} == {outlook.uuid: outlook for outlook in whole.shown}
    assert (in_parts.total_count, in_parts.sums) == (whole.total_count, whole.sums)
    assert {card.cause.key: card.count for card in in_parts.causes} == {
        card.cause.key: card.count for card in whole.causes
    }
    return in_parts


@pytest.mark.parametrize("of_each", [1, 2])
def test_preview_of_what_waits_is_the_same_in_parts(
    owner: Actor, ledger: FakeLedger, request: pytest.FixtureRequest, of_each: int
) -> None:
    connect(owner, ledger)
    configure(owner)
    for _ in range(of_each):
        make_invoice(owner, make_customer(owner), is_issued=True)
        make_invoice(owner, make_customer(owner, f"Bad: {uuid4()}"), is_issued=True)

    found = check_parts(owner, request, since_days=None)

    assert found.total_count == len({outlook.uuid for outlook in found.shown}) == 1 + 4 * of_each


def test_preview_of_existing_invoices_is_the_same_in_parts(
    owner: Actor, ledger: FakeLedger, request: pytest.FixtureRequest
) -> None:
    fuel = make_tax_rate(owner, "Fuel")
    for name in ("One", "Two", "Three"):
        customer = make_customer(owner, name)
        make_invoice(owner, customer, is_issued=True)
        make_invoice(owner, customer, is_issued=True, lines=[make_line(fuel)])
    connect(owner, ledger)
    configure(owner)

    found = check_parts(owner, request, since_days=10)

    assert [outlook.label for outlook in found.shown if outlook.kind == "customer"] == ["One", "Two", "Three"]
    assert (found.total_count, found.count(Action.BLOCKED)) == (10, 3)


@pytest.mark.usefixtures("two_parts")
def test_preview_has_the_next_part_looked_up_while_one_is_judged(waiting: Connection) -> None:
    with CaptureQueriesContext(connection) as captured:
        next(Foreseer(waiting).waiting())

    looks = [query for query in captured if "due as materialized" in query["sql"]]
    assert len(looks) == 2


@pytest.mark.usefixtures("two_parts")
def test_preview_whose_connection_goes_meanwhile_leaves_the_database_usable(waiting: Connection) -> None:
    outlooks = Foreseer(waiting).waiting()
    next(outlooks)
    Connection.objects.all().delete()

    with pytest.raises(LookupError):
        list(outlooks)

    assert OutboxRow.objects.count() == 5


@pytest.mark.usefixtures("two_parts")
def test_next_part_that_cannot_be_looked_up_is_an_error_of_the_page_s_own_connection(
    waiting: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_next_look(*_: object) -> dict[int, object]:
        monkeypatch.setattr(preview_sql, "WAITING", "select 1 / 0")
        return {}

    monkeypatch.setattr(Foreseer, "_stored_causes", break_next_look)
    with pytest.raises(DataError):
        next(Foreseer(waiting).waiting())
