"""The engine's small rules: back-off, the states' table, request ids, words of causes, JSON of facts."""

import re
import string
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import msgspec
import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from cone.accounting import causes
from cone.accounting.attempts import Operation, request_id_of
from cone.accounting.connections import TRANSITIONS, State, diagram, sources_of
from cone.accounting.facts import (
    account_from_json,
    facts_from_json,
    facts_to_json,
    reference_to_json,
    tax_code_from_json,
)
from cone.accounting.plan.decisions import Blocked
from cone.accounting.plan.next_step import plan
from cone.accounting.port.company import Account, TaxCode
from cone.accounting.port.documents import Kind
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.records import Row
from cone.accounting.settle import backoff
from cone.accounting.values import Cause
from cone.books.amounts import language_of
from cone.books.models import Connection
from cone.kit.values import replace
from cone.web.links import find_mending
from tests.unit.accounting.builders import INVOICE, ISSUED, NAMED, READY, SERVICE, facts, ready, subject
from tests.unit.accounting.test_plan import DECISIONS

ROW = subject(ISSUED).row


# --- back-off ---------------------------------------------------------------------------------------------------


@given(tries=st.integers(0, 100_000))
def test_backoff_doubles_up_to_five_minutes_less_at_most_a_quarter(tries: int) -> None:
    full = timedelta(seconds=min(2 ** min(tries, 20), 300))
    assert full * 3 / 4 < backoff(tries) <= full


# --- states -----------------------------------------------------------------------------------------------------


def test_states_of_table_and_database_are_the_same() -> None:
    assert {state.value for state in State} == set(Connection.State.values)


def test_every_state_can_be_reached_and_left_but_the_last() -> None:
    assert {entry.target for entry in TRANSITIONS} == set(State)
    assert {entry.source for entry in TRANSITIONS} == set(State) - {State.DISCONNECTED}
    assert len({(entry.source, entry.target) for entry in TRANSITIONS}) == len(TRANSITIONS)


def test_nothing_leads_out_of_disconnecting_but_its_end() -> None:
    assert [entry.target for entry in TRANSITIONS if entry.source is State.DISCONNECTING] == [State.DISCONNECTED]
    assert sources_of(State.NEEDS_RECONNECT) == ["connected", "read_only"]
    assert sources_of(State.READ_ONLY) == ["connected"]


def test_diagram_shows_every_transition() -> None:
    shown = diagram().splitlines()
    assert [f"    {entry.source} --> {entry.target}: {entry.event}" for entry in TRANSITIONS] == shown[2:-1]


# --- request ids ------------------------------------------------------------------------------------------------


def test_request_id_is_the_same_in_any_process() -> None:
    assert request_id_of(READY, ROW, "create", 1, b"{}") == "449bcf5d-c007-56c4-b6fd-c2044eababd9"


def test_request_id_differs_by_everything_that_makes_another_request() -> None:
    other_row = replace(ROW, uuid=uuid4())
    ids = [
        request_id_of(READY, ROW, "create", 1, b"{}"),
        request_id_of(READY, ROW, "create", 2, b"{}"),
        request_id_of(READY, ROW, "update", 1, b"{}"),
        request_id_of(READY, other_row, "create", 1, b"{}"),
        request_id_of(READY, replace(ROW, kind="customer"), "create", 1, b"{}"),
        request_id_of(ready(workspace_uuid=uuid4()), ROW, "create", 1, b"{}"),
        request_id_of(ready(remote_company_id="9341453"), ROW, "create", 1, b"{}"),
    ]
    assert len(set(ids)) == len(ids)
    # Restored books come to a generation again: a create is to be answered as the first time, an edit isn't.
    assert request_id_of(READY, ROW, "create", 1, b"{1}") == request_id_of(READY, ROW, "create", 1, b"{2}")
    assert request_id_of(READY, ROW, "update", 1, b"{1}") != request_id_of(READY, ROW, "update", 1, b"{2}")
    # Neither the revision nor a database's serial keys may matter.
    assert (
        request_id_of(ready(connection_id=8, company_pk=1), replace(ROW, id=99, wanted_revision=9), "create", 1, b"{}")
        == (ids[0])
    )


@given(
    kind=st.sampled_from(["customer", "service", "invoice", "payment"]),
    operation=st.sampled_from(["create", "update"]),
    generation=st.integers(1, 2**31),
    company=st.text(max_size=64),
)
def test_request_id_keeps_to_the_limit_of_fifty_characters(
    kind: Kind, operation: Operation, generation: int, company: str
) -> None:
    row: Row = replace(ROW, kind=kind)
    assert len(request_id_of(ready(remote_company_id=company), row, operation, generation, b"{}")) == 36


# --- causes -----------------------------------------------------------------------------------------------------

# What the engine and the providers put into a cause besides `says` and `code`.
PARAMS: dict[CauseCode, dict[str, str]] = {
    decision.code: decision.params for _, _, decision in DECISIONS.values() if isinstance(decision, Blocked)
} | {
    CauseCode.TOTAL_DIFFERS: {
        "what": "total",
        "number": "INV-0042",
        "ours": "120.00",
        "theirs": "120.01",
        "amounts_in": "GBP",
        "reason": "Rounding.",
    },
    CauseCode.TOTAL_WOULD_DIFFER: {"ours": "120.00", "theirs": "120.01", "amounts_in": "GBP", "reason": "Rounding."},
    CauseCode.TAX_PERCENT_DIFFERS: {"rate": "VAT 20%", "percent": "20", "code": "5.0% R"},
    CauseCode.NUMBER_TAKEN_HERE: {"theirs": "1001"},
    CauseCode.TAX_CODES_MIXED: {"codes": "California and Tucson"},
    CauseCode.EMAIL_INVALID: {"customer": "Anna"},
    CauseCode.EMAIL_MISSING: {"customer": "Anna"},
    CauseCode.PAYMENT_APPLIED: {"paid": "20.00", "amounts_in": "GBP"},
    CauseCode.OUTCOME_UNCERTAIN: {"detail": " The answer was of another record."},
    CauseCode.CUSTOMER_LOST: {"lost": "made inactive", "advice": "Make it active there."},
    CauseCode.INVOICE_NOT_THERE: {"number": "INV-0042", "why": "It's void there."},
}
KEYS = {code: f"{code.value}:{INVOICE}" for code in CauseCode if code is not CauseCode.DEFAULT_ACCOUNT_MISSING} | {
    CauseCode.DEFAULT_ACCOUNT_MISSING: "default_account_missing"
}


@pytest.mark.parametrize("code", CauseCode)
def test_every_cause_has_words_without_a_gap(code: CauseCode) -> None:
    cause = causes.describe(
        KEYS[code],
        {"code": code.value, "params": PARAMS.get(code, {}) | {"says": "Their words"}},
        kind="invoice",
        uuid=INVOICE,
        label="INV-0001",
        provider_name="QuickBooks",
    )
    for text in (cause.title, cause.explanation, cause.action):
        assert text.strip()
        assert "–" not in text
        assert not set("{}") & set(text)
    assert cause.provider_says == "Their words"


def test_words_name_only_what_the_plan_says_of_that_cause() -> None:
    """A placeholder that no fact fills would read as a dash."""
    for code, words in causes._WORDS.items():
        named = {
            name
            for text in (words.title, words.explanation, words.action, words.which)
            for _, name, _, _ in string.Formatter().parse(text)
            if name
        }
        assert named - {"provider", "label", "explanation"} <= set(PARAMS.get(code, {})), code


@pytest.mark.parametrize(
    ("country", "currency", "theirs", "shown"),
    [
        ("us", "USD", "1086.25", "The total here is $1,086.20, in QuickBooks $1,086.25. "),
        ("gb", "USD", "1086.25", "The total here is US$1,086.20, in QuickBooks US$1,086.25. "),
        ("de", "EUR", "1086.25", "The total here is €1.086,20, in QuickBooks €1.086,25. "),
        # Only with all its decimals does it differ.
        ("gb", "GBP", "1086.2004", "The total here is £1,086.20, in QuickBooks £1,086.2004. "),
        ("gb", "JPY", "1201", "The total here is JP¥1,086.2, in QuickBooks JP¥1,201. "),
    ],
)
def test_amounts_of_a_cause_are_written_as_pages_do(country: str, currency: str, theirs: str, shown: str) -> None:
    params = {"what": "total", "number": "7", "ours": "1086.20", "theirs": theirs, "amounts_in": currency}
    with translation.override(language_of(country)):
        assert explain(CauseCode.TOTAL_DIFFERS, params | {"reason": ""}) == shown


def test_amounts_of_a_cause_from_before_their_currency_was_kept_stay_readable() -> None:
    params = {"what": "total", "number": "7", "ours": "1,086.20 USD", "theirs": "1,086.25 USD", "reason": ""}
    assert explain(CauseCode.TOTAL_DIFFERS, params) == "The total here is 1,086.20 USD, in QuickBooks 1,086.25 USD. "


def test_number_that_differs_is_no_amount() -> None:
    params = {"what": "number", "number": "1000", "ours": "1000", "theirs": "1001", "reason": ""}
    assert explain(CauseCode.TOTAL_DIFFERS, params) == "The number here is 1000, in QuickBooks 1001. "


@pytest.mark.parametrize("params", [{}, {"number": ""}])
def test_payment_that_differs_is_named_by_what_people_call_it(params: dict[str, str]) -> None:
    stored = {"code": "total_differs", "params": params}
    cause = causes.describe(
        f"total_differs:{INVOICE}",
        stored,
        kind="payment",
        uuid=INVOICE,
        label="the payment of £20.00",
        provider_name="QuickBooks",
    )
    assert cause.title == "The payment of £20.00 differs in QuickBooks"


def explain(code: CauseCode, params: dict[str, str]) -> str:
    """The explanation that the cause's card has."""
    return causes.describe(
        f"{code.value}:{INVOICE}",
        {"code": code.value, "params": params},
        kind="invoice",
        uuid=INVOICE,
        label="7",
        provider_name="QuickBooks",
    ).explanation


def test_refusal_is_explained_by_the_provider_where_it_can_be() -> None:
    def explain(**params: str) -> tuple[str, str]:
        stored = {"code": "refused", "params": params}
        cause = causes.describe(
            f"refused:{INVOICE}", stored, kind="invoice", uuid=INVOICE, label="INV-1", provider_name="QuickBooks"
        )
        return cause.title, cause.explanation

    # By its name: on the page of another invoice, "the invoice" would be that one.
    change = "Change INV-1 here, and it's sent again by itself"
    mend = f"{change}; or mend that in QuickBooks, then press Sync now."
    refused, held_back = "QuickBooks refused INV-1", "INV-1 can't be sent to QuickBooks"
    assert explain(explanation="It must not.", says="No.") == (
        refused,
        f"It must not. {mend}",
    )
    assert explain(says="No.") == (refused, f"It says why below. {mend}")
    # What Cone knows without asking was refused by nobody there.
    assert explain(explanation="A text is too long.") == (
        held_back,
        f"A text is too long. Cone sent nothing. {change}.",
    )
    # What is void here has no form any more.
    assert explain(explanation="It's part of a deposit.", says="No.", removal="yes") == (
        "QuickBooks refused to take back INV-1",
        "It's part of a deposit. Mend that in QuickBooks, then press Sync now.",
    )


@pytest.mark.parametrize("code", CauseCode)
def test_explanation_stands_on_the_page_of_another_record_too(code: CauseCode) -> None:
    """Whoever waits for an invoice is told the same of it, so it's called by its name."""
    said = explain(code, PARAMS.get(code, {}) | {"says": "Their words"})
    assert re.search(r"\bthis (very )?(invoice|one)\b", said, re.IGNORECASE) is None


def test_item_of_lines_without_a_service_has_no_page_to_change_it_on() -> None:
    def describe(code: CauseCode, **params: str) -> Cause:
        return causes.describe(
            f"{code.value}:{SERVICE}",
            {"code": code.value, "params": params},
            kind="service",
            uuid=SERVICE,
            label="Services",
            provider_name="QuickBooks",
            is_of_general=True,
        )

    refused, taken = describe(CauseCode.REFUSED, explanation="No.", says="no"), describe(CauseCode.NAME_TAKEN)
    moved = describe(CauseCode.INCOME_ACCOUNT_INACTIVE, account="Sales")
    assert refused.title == "QuickBooks refused the item Services (for lines without a service)"
    assert refused.explanation == "No. Mend that in QuickBooks, then press Sync now."
    assert taken.title == "The name Services is already used in QuickBooks"
    assert "Change the name here" not in taken.explanation
    assert [find_mending(cause) for cause in (refused, taken)] == [None, None]
    assert (moved.target, moved.own_account_of) == ("accounts", None)


def test_cause_leads_to_the_place_where_it_is_mended() -> None:
    def target(code: CauseCode, key: str, kind: Kind) -> tuple[str, UUID | None]:
        cause = causes.describe(
            key, {"code": code.value}, kind=kind, uuid=INVOICE, label="INV-0001", provider_name="QuickBooks"
        )
        return cause.target, cause.target_uuid

    rate = uuid4()
    assert target(CauseCode.TAX_UNMAPPED, f"tax_unmapped:{rate}", "invoice") == ("tax_mapping", rate)
    assert target(CauseCode.DEFAULT_ACCOUNT_MISSING, "default_account_missing", "invoice") == ("accounts", None)
    assert target(CauseCode.NAME_TAKEN, f"name_taken:{INVOICE}", "customer") == ("customer", INVOICE)
    assert target(CauseCode.VOIDED_HERE, f"voided_here:{INVOICE}", "invoice") == ("invoice", INVOICE)


def test_fact_with_braces_is_shown_as_it_is() -> None:
    """A tax rate's name is typed by people; it's never read as a template."""
    cause = causes.describe(
        f"tax_unmapped:{INVOICE}",
        {"code": "tax_unmapped", "params": {"rate": "{provider} {0.__class__}", "percent": "20"}},
        kind="invoice",
        uuid=INVOICE,
        label="INV-0001",
        provider_name="QuickBooks",
    )
    assert cause.title == "{provider} {0.__class__} is not mapped"


def test_plan_of_a_customer_knows_no_patient_cause() -> None:
    assert not isinstance(plan(subject(NAMED), ready(deposit_account_id="")), Blocked)


# --- facts as JSON ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", [None, date(2026, 3, 31)])
def test_facts_survive_json(closed: date | None) -> None:
    told = facts(books_closed_through_date=closed, is_multicurrency=True, email="books@example.com", name="Brûlé 商")
    assert facts_from_json(msgspec.json.decode(msgspec.json.encode(facts_to_json(told)))) == told


@given(percent=st.one_of(st.none(), st.decimals(0, 100, places=4)))
def test_tax_code_survives_json_to_the_last_digit(percent: Decimal | None) -> None:
    told = TaxCode("20S", "20.0% S", "Standard", percent, is_active=True)
    back = tax_code_from_json(msgspec.json.decode(msgspec.json.encode(reference_to_json(told))))
    assert back == told
    assert str(back.percent) == str(told.percent)


def test_account_survives_json() -> None:
    told = Account(
        remote_id="35",
        name="Current account",
        full_name="Bank:Current account",
        type="Bank",
        subtype="Checking",
        is_active=True,
        currency="GBP",
        can_receive_deposits=True,
        is_income=False,
    )
    assert account_from_json(msgspec.json.decode(msgspec.json.encode(reference_to_json(told)))) == told
