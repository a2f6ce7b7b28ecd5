"""Every decision of the plan, as a table; and that it decides always, purely, and never sends what it may not."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cone.accounting.names import namesakes_to_json
from cone.accounting.plan.decisions import Blocked, Decision, LookUp, Nothing, Postpone, Repeat, Send, WaitFor
from cone.accounting.plan.next_step import plan
from cone.accounting.port.documents import (
    Create,
    InvoiceDocument,
    InvoiceLineDocument,
    Namesake,
    ServiceDocument,
    Update,
)
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.records import InvoiceRecord, LinkState, MappedCode, OpenAttempt, Record, Situation, Subject
from cone.kit.values import replace
from tests.unit.accounting.builders import (
    ATTEMPT,
    CONNECTED_AT,
    CUSTOMER,
    INVOICE,
    ISSUED,
    LINE,
    NAMED,
    READY,
    REDUCED,
    SERVED,
    SERVICE,
    STANDARD,
    facts,
    issued,
    link,
    ready,
    subject,
)

BEFORE = CONNECTED_AT - timedelta(days=30)
DOCUMENT = InvoiceDocument(
    uuid=INVOICE,
    revision=3,
    number="INV-0042",
    customer_id="58",
    customer_email="books@example.com",
    issue_date=date(2026, 9, 2),
    due_date=date(2026, 10, 2),
    currency="GBP",
    amounts_are="exclusive",
    lines=(
        InvoiceLineDocument(
            item_id="12",
            description="Advice in September",
            quantity=Decimal(1),
            unit_price=Decimal("100.000000"),
            amount=Decimal("100.00"),
            net=Decimal("100.00"),
            tax_code_id="20S",
            tax_percent=Decimal("20.0000"),
        ),
    ),
    memo="Thank you",
    net=Decimal("100.00"),
    tax=Decimal("20.00"),
    total=Decimal("120.00"),
    deposit_account_id="35",
)
ITEM = ServiceDocument(
    uuid=SERVICE,
    revision=1,
    name="Advice",
    description="By the hour",
    unit_price=Decimal(100),
    income_account_id="1",
)
NO_DEPOSIT = Blocked(CauseCode.DEFAULT_ACCOUNT_MISSING, key="default_account_missing")
UNMAPPED = Blocked(CauseCode.TAX_UNMAPPED, key=f"tax_unmapped:{STANDARD}", params={"rate": "VAT 20 %", "percent": "20"})
NAMESAKE = Namesake("customer", "58", "0", "Brûlé & Söhne")
FUEL = replace(LINE, tax_rate_uuid=REDUCED, tax_rate_name="Fuel", tax_percent=Decimal("12.5000"))
UNMAPPED_FUEL = Blocked(
    CauseCode.TAX_UNMAPPED, key=f"tax_unmapped:{REDUCED}", params={"rate": "Fuel", "percent": "12.5"}
)

DECISIONS: dict[str, tuple[Subject, Situation, Decision]] = {
    # customers
    "new customer is made": (subject(NAMED), READY, Send(Create(NAMED))),
    "changed customer is updated": (subject(NAMED, link(1)), READY, Send(Update(NAMED, "130", "4"))),
    "customer that is there already": (subject(NAMED, link(2)), READY, Nothing()),
    "customers go before any setting": (
        subject(NAMED),
        ready(deposit_account_id="", income_account_id="", tax_codes={}),
        Send(Create(NAMED)),
    ),
    # services
    "new service is looked for first": (subject(SERVED), READY, Send(Create(ITEM), find_first=True)),
    "new service that the lists don't have is made at once": (
        subject(replace(SERVED, name="Advice")),
        ready(missing_items=frozenset({"advice"})),
        Send(Create(ITEM)),
    ),
    "service that was sent before is looked for first": (
        replace(subject(SERVED), row=replace(subject(SERVED).row, last_generation=1)),
        ready(missing_items=frozenset({SERVED.name.lower()})),
        Send(Create(ITEM), find_first=True),
    ),
    "linked service is theirs to keep": (subject(replace(SERVED, revision=9), link(1)), READY, Nothing()),
    "service without an income account": (
        subject(SERVED),
        ready(income_account_id=""),
        Blocked(CauseCode.INCOME_ACCOUNT_MISSING, key="income_account_missing"),
    ),
    "service whose usual income account is inactive": (
        subject(SERVED),
        ready(inactive_accounts={"1": "Sales"}),
        Blocked(CauseCode.INCOME_ACCOUNT_INACTIVE, key="income_account_inactive:1", params={"account": "Sales"}),
    ),
    "service whose own income account is inactive": (
        subject(replace(SERVED, income_account_id="82")),
        ready(inactive_accounts={"82": "Fees"}),
        Blocked(CauseCode.INCOME_ACCOUNT_INACTIVE, key="income_account_inactive:82", params={"account": "Fees"}),
    ),
    # invoices
    "issued invoice is made": (subject(ISSUED), READY, Send(Create(DOCUMENT))),
    "edited invoice is updated": (subject(ISSUED, link(2)), READY, Send(Update(DOCUMENT, "130", "4"))),
    "invoice that stands there": (subject(ISSUED, link(3)), READY, Nothing()),
    "invoice that differs there is sent again": (
        subject(ISSUED, link(3, is_equal=False)),
        READY,
        Send(Update(DOCUMENT, "130", "4")),
    ),
    "no deposit where the company doesn't take it": (
        subject(ISSUED),
        ready(facts=facts(allows_invoice_deposit=False)),
        Send(Create(replace(DOCUMENT, deposit_account_id=None))),
    ),
    "a line without words says its service": (
        subject(issued(lines=(replace(LINE, description=""),))),
        READY,
        Send(Create(replace(DOCUMENT, lines=(replace(DOCUMENT.lines[0], description="Advice"),)))),
    ),
    "draft": (subject(issued(status="draft", number="", issued_at=None)), READY, Nothing()),
    "draft before any setting": (
        subject(issued(status="draft", number="", issued_at=None)),
        ready(deposit_account_id="", tax_codes={}),
        Nothing(),
    ),
    "void, never sent": (subject(issued(status="void")), READY, Nothing()),
    "void after it was sent": (
        subject(issued(status="void"), link(2)),
        READY,
        Blocked(CauseCode.VOIDED_HERE, key=f"voided_here:{INVOICE}", params={"number": "INV-0042"}),
    ),
    "void, removed there and confirmed": (subject(issued(status="void"), link(3)), READY, Nothing()),
    "record that is gone": (subject(None), READY, Nothing()),
    # scope
    "older than the connection": (subject(issued(issued_at=BEFORE)), READY, Nothing()),
    "older, and asked for": (
        replace(subject(issued(issued_at=BEFORE)), row=replace(subject(ISSUED).row, is_in_scope=True)),
        READY,
        Send(Create(DOCUMENT)),
    ),
    "older, but sent once": (subject(issued(issued_at=BEFORE), link(1)), READY, Send(Update(DOCUMENT, "130", "4"))),
    "issued in the moment of connecting": (
        subject(issued(issued_at=CONNECTED_AT)),
        READY,
        Send(Create(DOCUMENT)),
    ),
    # causes known beforehand
    "no default account": (subject(ISSUED), ready(deposit_account_id=""), NO_DEPOSIT),
    "no default account, though it was sent": (subject(ISSUED, link(1)), ready(deposit_account_id=""), NO_DEPOSIT),
    "default account is inactive": (
        subject(ISSUED),
        ready(is_deposit_account_active=False),
        Blocked(CauseCode.ACCOUNT_INACTIVE, key="account_inactive:35", params={"account": "Current account"}),
    ),
    "unmapped rate": (subject(ISSUED), ready(tax_codes={}), UNMAPPED),
    "second line's rate is unmapped": (
        subject(issued(lines=(LINE, FUEL))),
        READY,
        UNMAPPED_FUEL,
    ),
    "number that another invoice of ours has there": (
        subject(ISSUED),
        ready(taken_numbers={"INV-0042": STANDARD}),
        Blocked(CauseCode.NUMBER_TAKEN, key=f"number_taken:{INVOICE}", params={"number": "INV-0042"}),
    ),
    "invoice that is to be numbered there": (
        subject(issued(number="")),
        READY,
        Send(Create(replace(DOCUMENT, number=""))),
    ),
    "customer name with a colon": (
        subject(replace(NAMED, name="A: B")),
        READY,
        Blocked(CauseCode.NAME_INVALID, key=f"name_invalid:{CUSTOMER}"),
    ),
    "customer in a currency that the company doesn't keep waits for the same as its invoices": (
        subject(replace(NAMED, currency="EUR")),
        READY,
        Blocked(
            CauseCode.CURRENCY_UNSUPPORTED,
            key="currency_unsupported:EUR",
            params={"number": "", "currency": "EUR", "home_currency": "GBP"},
        ),
    ),
    "name that another customer of ours has there": (
        subject(NAMED),
        ready(taken_names={"brûlé & söhne": (NAMESAKE, INVOICE)}),
        Blocked(
            CauseCode.NAME_TAKEN,
            key=f"name_taken:{CUSTOMER}",
            params={"namesakes": namesakes_to_json([NAMESAKE])},
        ),
    ),
    "taken name where suffixes are wanted is tried": (
        subject(NAMED),
        ready(taken_names={"brûlé & söhne": (NAMESAKE, INVOICE)}, name_policy="suffix"),
        Send(Create(NAMED)),
    ),
    "two rates are unmapped, and both are told": (
        subject(issued(lines=(LINE, FUEL, LINE))),
        ready(tax_codes={}),
        replace(UNMAPPED, also=(UNMAPPED_FUEL,)),
    ),
    "mapped code is inactive": (
        subject(ISSUED),
        ready(tax_codes={STANDARD: MappedCode("20S", "20.0% S", is_active=False)}),
        Blocked(
            CauseCode.TAX_CODE_INACTIVE,
            key=f"tax_code_inactive:{STANDARD}",
            params={"rate": "VAT 20 %", "percent": "20", "code": "20.0% S"},
        ),
    ),
    "item is inactive": (
        subject(ISSUED),
        ready(inactive_items={"12": "Advice (deleted)"}),
        Blocked(
            CauseCode.ITEM_INACTIVE,
            key="item_inactive:12",
            params={"item": "Advice (deleted)", "service": "Advice"},
        ),
    ),
    "mapped code is gone there": (
        subject(ISSUED),
        ready(tax_codes={STANDARD: MappedCode("20S", "20.0% S", is_active=None)}),
        Blocked(
            CauseCode.TAX_CODE_INACTIVE,
            key=f"tax_code_inactive:{STANDARD}",
            params={"rate": "VAT 20 %", "percent": "20", "code": "20.0% S"},
        ),
    ),
    "foreign currency": (
        subject(issued(currency="EUR")),
        READY,
        Blocked(
            CauseCode.CURRENCY_UNSUPPORTED,
            key="currency_unsupported:EUR",
            params={"number": "INV-0042", "currency": "EUR", "home_currency": "GBP"},
        ),
    ),
    "foreign currency in a multicurrency company": (
        subject(issued(currency="EUR")),
        ready(facts=facts(is_multicurrency=True)),
        Send(Create(replace(DOCUMENT, currency="EUR", deposit_account_id=None))),
    ),
    "rate of our own": (
        subject(issued(currency="EUR", exchange_rate=Decimal("0.85"))),
        ready(facts=facts(is_multicurrency=True), own_currency="GBP"),
        Send(Create(replace(DOCUMENT, currency="EUR", deposit_account_id=None, exchange_rate=Decimal("0.85")))),
    ),
    "rate of our own, told in another currency than the company's": (
        subject(issued(currency="EUR", exchange_rate=Decimal("0.85"))),
        ready(facts=facts(is_multicurrency=True), own_currency="USD"),
        Send(Create(replace(DOCUMENT, currency="EUR", deposit_account_id=None))),
    ),
    "rate of our own for what is home there": (
        subject(issued(currency="GBP", exchange_rate=Decimal("0.85"))),
        ready(facts=facts(is_multicurrency=True), own_currency="USD"),
        Send(Create(DOCUMENT)),
    ),
    "customer is kept in another currency there": (
        subject(issued(currency="EUR")),
        ready(facts=facts(is_multicurrency=True), customer_currencies={CUSTOMER: "USD"}),
        Blocked(
            CauseCode.CUSTOMER_CURRENCY_DIFFERS,
            key=f"customer_currency_differs:{CUSTOMER}",
            params={
                "number": "INV-0042",
                "currency": "EUR",
                "home_currency": "GBP",
                "customer": "Brûlé & Söhne",
                "theirs": "USD",
            },
        ),
    ),
    "closed through that very day": (
        subject(ISSUED),
        ready(facts=facts(books_closed_through_date=date(2026, 9, 2))),
        Blocked(
            CauseCode.PERIOD_CLOSED,
            key="period_closed:2026-09-02",
            params={"number": "INV-0042", "date": "2026-09-02"},
        ),
    ),
    "closed through the day before": (
        subject(ISSUED),
        ready(facts=facts(books_closed_through_date=date(2026, 9, 1))),
        Send(Create(DOCUMENT)),
    ),
    "number of 22 characters": (
        subject(issued(number="N" * 22)),
        READY,
        Blocked(CauseCode.NUMBER_TOO_LONG, key=f"number_too_long:{INVOICE}", params={"number": "N" * 22}),
    ),
    "number of 21 characters": (
        subject(issued(number="N" * 21)),
        READY,
        Send(Create(replace(DOCUMENT, number="N" * 21))),
    ),
    # waves
    "customer first": (subject(ISSUED), ready(linked={}), WaitFor("customer", CUSTOMER, also=(("service", SERVICE),))),
    "then the item": (subject(ISSUED), ready(linked={("customer", CUSTOMER): "58"}), WaitFor("service", SERVICE)),
    "settings before waves": (subject(ISSUED), ready(linked={}, tax_codes={}), UNMAPPED),
    # what is unknown goes first
    "unknown outcome is looked up": (subject(ISSUED, None, ATTEMPT), READY, LookUp(ATTEMPT)),
    "unknown update is repeated": (
        subject(ISSUED, link(3), replace(ATTEMPT, operation="update")),
        READY,
        Repeat(replace(ATTEMPT, operation="update")),
    ),
    "unknown create while reads and batches are held back": (
        subject(ISSUED, None, ATTEMPT),
        ready(reads_held_for=timedelta(days=3)),
        Postpone(),
    ),
    "single repeat while they are": (
        subject(ISSUED, link(3), replace(ATTEMPT, operation="update")),
        ready(reads_held_for=timedelta(days=3)),
        Repeat(replace(ATTEMPT, operation="update")),
    ),
    "no batch is repeated while they are": (
        subject(ISSUED, link(3), replace(ATTEMPT, operation="update", batch_id=4, batch_place=1)),
        ready(reads_held_for=timedelta(days=3)),
        Postpone(),
    ),
    "unknown outcome of a void invoice": (
        subject(issued(status="void"), None, ATTEMPT),
        READY,
        LookUp(ATTEMPT),
    ),
    "unknown outcome that may be forgotten there": (
        subject(ISSUED, None, replace(ATTEMPT, age_seconds=3601)),
        READY,
        LookUp(replace(ATTEMPT, age_seconds=3601)),
    ),
    "unknown update that may be forgotten there": (
        subject(ISSUED, link(1), replace(ATTEMPT, operation="update", age_seconds=3601)),
        READY,
        Repeat(replace(ATTEMPT, operation="update", age_seconds=3601)),
    ),
    "unknown update of a void invoice": (
        subject(issued(status="void"), link(1), replace(ATTEMPT, operation="update")),
        READY,
        Repeat(replace(ATTEMPT, operation="update")),
    ),
    "unknown outcome of a record that is gone": (subject(None, None, ATTEMPT), READY, LookUp(ATTEMPT)),
    "unknown outcome out of scope and unmapped": (
        subject(issued(issued_at=BEFORE), None, ATTEMPT),
        ready(tax_codes={}, deposit_account_id=""),
        LookUp(ATTEMPT),
    ),
}


@pytest.mark.parametrize("name", DECISIONS)
def test_plan_decides(name: str) -> None:
    given_subject, situation, decision = DECISIONS[name]
    assert plan(given_subject, situation) == decision


_lines = st.builds(
    lambda rate, described: replace(LINE, tax_rate_uuid=rate, description=described),
    st.sampled_from([STANDARD, REDUCED]),
    st.sampled_from(["", "Work"]),
)
_invoices = st.builds(
    lambda status, number, currency, issued_at, lines, revision: issued(
        status=status, number=number, currency=currency, issued_at=issued_at, lines=tuple(lines), revision=revision
    ),
    st.sampled_from(["draft", "issued", "void"]),
    st.sampled_from(["", "INV-1", "N" * 22]),
    st.sampled_from(["GBP", "EUR"]),
    st.sampled_from([None, BEFORE, CONNECTED_AT, datetime(2026, 9, 2, tzinfo=UTC)]),
    st.lists(_lines, min_size=1, max_size=3),
    st.integers(1, 4),
)
_records = st.one_of(st.none(), st.just(NAMED), st.just(SERVED), _invoices)
_links = st.one_of(st.none(), st.builds(link, st.integers(0, 4), is_equal=st.booleans()))
_codes = st.dictionaries(
    st.sampled_from([STANDARD, REDUCED]),
    st.builds(MappedCode, st.just("20S"), st.just("20.0% S"), is_active=st.sampled_from([True, False, None])),
)
_situations = st.builds(
    lambda deposit, is_active, income, codes, linked, closed, multi: ready(
        deposit_account_id=deposit,
        is_deposit_account_active=is_active,
        income_account_id=income,
        tax_codes=codes,
        linked=dict(linked),
        facts=facts(books_closed_through_date=closed, is_multicurrency=multi),
    ),
    st.sampled_from(["", "35"]),
    st.booleans(),
    st.sampled_from(["", "1"]),
    _codes,
    st.lists(st.sampled_from([(("customer", CUSTOMER), "58"), (("service", SERVICE), "12")])),
    st.sampled_from([None, date(2026, 9, 1), date(2026, 9, 2)]),
    st.booleans(),
)


@given(record=_records, its_link=_links, attempt=st.sampled_from([None, ATTEMPT]), situation=_situations)
def test_plan_always_decides_the_same_and_sends_only_what_it_may(
    record: Record | None, its_link: LinkState | None, attempt: OpenAttempt | None, situation: Situation
) -> None:
    asked = replace(subject(record), link=its_link, attempt=attempt)
    decision = plan(asked, situation)
    assert plan(asked, situation) == decision
    if isinstance(decision, Send) and isinstance(record, InvoiceRecord):
        assert attempt is None
        assert record.status == "issued"
        assert situation.deposit_account_id
        assert situation.is_deposit_account_active
        assert all(situation.tax_codes[line.tax_rate_uuid].is_active for line in record.lines)
        assert ("customer", CUSTOMER) in situation.linked
        assert isinstance(decision.step, Create) is (its_link is None)
        is_new = record.issued_at is not None and record.issued_at >= CONNECTED_AT
        assert its_link is not None or is_new


@given(record=_records, its_link=_links, attempt=st.sampled_from([None, ATTEMPT]), situation=_situations)
def test_plan_converges_once_what_it_asks_for_has_happened(
    record: Record | None, its_link: LinkState | None, attempt: OpenAttempt | None, situation: Situation
) -> None:
    """Acting on a decision leads to rest: whatever was sent in the record's revision needs nothing more."""
    asked = replace(subject(record), link=its_link, attempt=attempt)
    decision = plan(asked, situation)
    if isinstance(decision, Send) and record is not None:
        assert plan(replace(asked, link=link(record.revision)), situation) == Nothing()
