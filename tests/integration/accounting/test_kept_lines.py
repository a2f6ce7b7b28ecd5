"""What a bookkeeper sets on an invoice's lines in QuickBooks stays through edits here, at one request per edit."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from cone.accounting.registry import get_provider, register
from cone.books.models import Attempt, Invoice, Link, OutboxRow
from cone.domain.invoices import LineInput
from cone.domain.totals import AmountsAre
from cone.operations.actor import Actor
from cone.operations.pause_sync import pause_sync
from cone.operations.resume_sync import resume_sync
from cone.operations.save_invoice import save_invoice
from cone.operations.sync_now import sync_all
from tests.builders import (
    get_no_tax,
    get_tax_rate,
    make_customer,
    make_invoice,
    make_invoice_input,
    make_line,
    make_owner,
)
from tests.contract.emulated import EmulatedQuickBooks, running_emulator
from tests.integration.accounting.conftest import MakeWorker, is_settled, wait_until
from tests.integration.accounting.emulation import Control, connect_and_configure

pytestmark = pytest.mark.django_db(transaction=True)

_COMPANIES = {"uk-vat": ("GB", "GBP", "GB"), "us-classic": ("US", "USD", "US")}


@dataclass
class Firm:
    """A firm whose worker runs, and the classes that its bookkeeper sets there."""

    owner: Actor
    control: Control
    north: str
    south: str

    def line(self, description: str, unit_price: str = "100.00") -> LineInput:
        workspace = self.owner.workspace
        rate = get_tax_rate(workspace, 20) if workspace.country == "GB" else get_no_tax(workspace)
        return make_line(rate, unit_price=unit_price, description=description)

    def issue(self, *lines: LineInput, amounts_are: AmountsAre = AmountsAre.EXCLUSIVE) -> Invoice:
        invoice = make_invoice(self.owner, lines=lines, amounts_are=amounts_are, is_issued=True)
        wait_until(
            lambda: Link.objects.filter(record_uuid=invoice.uuid).exists() and is_settled(self.owner), seconds=30
        )
        return invoice

    def edit(self, invoice: Invoice, *lines: LineInput, amounts_are: AmountsAre = AmountsAre.EXCLUSIVE) -> None:
        """Change it here, and have the change arrive."""
        self.save(invoice, lines, amounts_are=amounts_are)
        wait_until(lambda: self.is_there(invoice), seconds=30)

    def save(
        self,
        invoice: Invoice,
        lines: Sequence[LineInput],
        *,
        amounts_are: AmountsAre = AmountsAre.EXCLUSIVE,
    ) -> None:
        typed = make_invoice_input(invoice.customer, lines, amounts_are=amounts_are)
        save_invoice(self.owner, typed, uuid=invoice.uuid)

    def is_there(self, invoice: Invoice) -> bool:
        revision = Invoice.objects.get(uuid=invoice.uuid).revision
        return Link.objects.filter(record_uuid=invoice.uuid, synced_revision=revision).exists()

    def there(self, invoice: Invoice) -> dict[str, Any]:
        """The invoice as it stands there."""
        remote_id = Link.objects.get(record_uuid=invoice.uuid).remote_id
        [found] = [record for record in self.control.records("Invoice") if record["Id"] == remote_id]
        return found

    def lines(self, invoice: Invoice) -> list[dict[str, Any]]:
        """Its lines there, without the subtotal."""
        return [line for line in self.there(invoice)["Line"] if line["DetailType"] != "SubTotalLineDetail"]

    def set_lines(self, invoice: Invoice, lines: Sequence[dict[str, Any]]) -> None:
        """The bookkeeper saves the invoice's lines there."""
        self.control.act("update", "Invoice", id=self.there(invoice)["Id"], fields={"Line": list(lines)})

    def classify(self, invoice: Invoice, *classes: str) -> None:
        """Set a class and a service date on each line there."""
        lines = self.lines(invoice)
        for day, (line, chosen) in enumerate(zip(lines, classes, strict=True), start=1):
            line["SalesItemLineDetail"] |= {"ClassRef": {"value": chosen}, "ServiceDate": f"2026-05-0{day}"}
        self.set_lines(invoice, lines)

    def told(self, invoice: Invoice) -> list[tuple[str, str, str]]:
        """Words, class and service date of its lines there."""
        details = [(line["Description"], line.get("SalesItemLineDetail", {})) for line in self.lines(invoice)]
        return [
            (words, detail.get("ClassRef", {}).get("value", ""), detail.get("ServiceDate", ""))
            for words, detail in details
        ]

    def requests(self) -> list[str]:
        """What was asked of the company's invoices so far, by method."""
        return [f"{each['method']}" for each in self.control.requests(method="") if "/invoice" in each["path"]]


@pytest.fixture
def open_firm(make_worker: MakeWorker, transactional_db: None) -> Iterator[Callable[..., Firm]]:
    """Connects a firm to the company of a scenario."""
    usual = get_provider("quickbooks")
    with running_emulator() as url:

        def open_firm(scenario: str = "uk-vat") -> Firm:
            control = Control(url)
            control.post("/reset", {"scenario": scenario})
            country, currency, company = _COMPANIES[scenario]
            quickbooks = EmulatedQuickBooks(url, country=company)
            register(quickbooks.provider)
            owner = make_owner(country=country, currency=currency)
            connect_and_configure(owner, quickbooks)
            tracking = {"ClassTrackingPerTxnLine": True}
            control.act("update", "Preferences", id="1", fields={"AccountingInfoPrefs": tracking})
            north, south = (
                control.act("create", "Class", fields={"Name": name})["record"]["Id"] for name in ("North", "South")
            )
            make_worker()
            return Firm(owner, control, north, south)

        yield open_firm
    register(usual)


@pytest.mark.parametrize("scenario", ["uk-vat", "us-classic"])
def test_classes_and_service_dates_survive_edits_that_add_reorder_and_remove_lines(
    open_firm: Callable[..., Firm], scenario: str
) -> None:
    firm = open_firm(scenario)
    invoice = firm.issue(firm.line("Advice"), firm.line("Travel", "20.00"))
    firm.classify(invoice, firm.north, firm.south)
    advice, travel = ("Advice", firm.north, "2026-05-01"), ("Travel", firm.south, "2026-05-02")
    ids = {line["Description"]: line["Id"] for line in firm.lines(invoice)}

    firm.edit(invoice, firm.line("Advice", "150.00"), firm.line("Travel", "20.00"))
    assert firm.told(invoice) == [advice, travel]
    firm.edit(invoice, firm.line("Travel", "25.00"), firm.line("Setup", "50.00"), firm.line("Advice", "150.00"))
    assert firm.told(invoice) == [travel, ("Setup", "", ""), advice]
    firm.edit(invoice, firm.line("Advice", "175.00"))
    assert firm.told(invoice) == [advice]
    assert [line["Id"] for line in firm.lines(invoice)] == [ids["Advice"]]
    there = firm.there(invoice)
    assert there["TotalAmt"] == Invoice.objects.get(uuid=invoice.uuid).total
    assert not OutboxRow.objects.filter(state="blocked").exists()


def test_only_the_edit_after_a_change_there_costs_more_than_one_request(open_firm: Callable[..., Firm]) -> None:
    firm = open_firm()
    invoice = firm.issue(firm.line("Advice"))
    firm.classify(invoice, firm.north)
    before = len(firm.requests())
    firm.edit(invoice, firm.line("Advice", "110.00"))
    # refused as stale, read, sent
    assert firm.requests()[before:] == ["POST", "GET", "POST"]
    before += 3
    for price in ("120.00", "130.00", "140.00"):
        firm.edit(invoice, firm.line("Advice", price))
    assert firm.requests()[before:] == ["POST"] * 3
    assert firm.told(invoice) == [("Advice", firm.north, "2026-05-01")]


def test_what_the_bookkeeper_takes_away_again_stays_away(open_firm: Callable[..., Firm]) -> None:
    firm = open_firm()
    invoice = firm.issue(firm.line("Advice"), firm.line("Travel"))
    firm.classify(invoice, firm.north, firm.south)
    firm.edit(invoice, firm.line("Advice", "110.00"), firm.line("Travel"))
    first, second = firm.lines(invoice)
    del first["SalesItemLineDetail"]["ClassRef"]
    second["SalesItemLineDetail"]["ClassRef"] = {"value": firm.north}
    firm.set_lines(invoice, [first, second])
    firm.edit(invoice, firm.line("Advice", "120.00"), firm.line("Travel"))
    assert firm.told(invoice) == [("Advice", "", "2026-05-01"), ("Travel", firm.north, "2026-05-02")]


def test_inclusive_lines_keep_theirs_and_our_figures(open_firm: Callable[..., Firm]) -> None:
    firm = open_firm()
    invoice = firm.issue(firm.line("Advice", "120.00"), amounts_are=AmountsAre.INCLUSIVE)
    firm.classify(invoice, firm.south)
    firm.edit(invoice, firm.line("Advice", "180.00"), amounts_are=AmountsAre.INCLUSIVE)
    assert firm.told(invoice) == [("Advice", firm.south, "2026-05-01")]
    there = firm.there(invoice)
    assert (there["TotalAmt"], there["TxnTaxDetail"]["TotalTax"]) == (180, 30)
    # and from one to the other
    firm.edit(invoice, firm.line("Advice", "200.00"))
    assert firm.told(invoice) == [("Advice", firm.south, "2026-05-01")]
    assert firm.there(invoice)["TotalAmt"] == 240


def test_line_of_text_stays_and_a_line_with_an_amount_gives_way(open_firm: Callable[..., Firm]) -> None:
    firm = open_firm()
    invoice = firm.issue(firm.line("Advice"), firm.line("Travel", "20.00"))
    first, second = firm.lines(invoice)
    words = {"Description": "As agreed with Ms Pole", "DetailType": "DescriptionOnly", "DescriptionLineDetail": {}}
    postage = {name: value for name, value in second.items() if name not in ("Id", "LineNum")} | {"Description": "Post"}
    firm.set_lines(invoice, [first, words, second, postage])
    firm.edit(invoice, firm.line("Travel", "20.00"), firm.line("Advice", "150.00"))
    assert [line["Description"] for line in firm.lines(invoice)] == ["Travel", "Advice", "As agreed with Ms Pole"]
    assert firm.there(invoice)["TotalAmt"] == Invoice.objects.get(uuid=invoice.uuid).total == 204


def test_edits_that_go_together_keep_theirs_each(open_firm: Callable[..., Firm]) -> None:
    firm = open_firm()
    customer = make_customer(firm.owner)
    pause_sync(firm.owner)
    invoices = [make_invoice(firm.owner, customer, lines=[firm.line("Advice")], is_issued=True) for _ in range(12)]
    resume_sync(firm.owner)
    wait_until(lambda: all(firm.is_there(invoice) for invoice in invoices) and is_settled(firm.owner), seconds=30)
    for invoice in invoices[::2]:
        firm.classify(invoice, firm.north)
    for price in ("110.00", "120.00"):
        pause_sync(firm.owner)
        for invoice in invoices:
            firm.save(invoice, [firm.line("Advice", price)])
        resume_sync(firm.owner)
        wait_until(lambda: all(firm.is_there(invoice) for invoice in invoices), seconds=30)
    assert Attempt.objects.filter(operation="update", batch__isnull=False, state="succeeded").count() >= 12
    expected = [("Advice", firm.north, "2026-05-01"), ("Advice", "", "")] * 6
    assert [told for invoice in invoices for told in firm.told(invoice)] == expected


def test_class_that_is_inactive_by_now_holds_up_no_edit(open_firm: Callable[..., Firm]) -> None:
    firm = open_firm()
    invoice = firm.issue(firm.line("Advice"), firm.line("Travel"))
    firm.classify(invoice, firm.north, firm.south)
    firm.edit(invoice, firm.line("Advice", "110.00"), firm.line("Travel"))
    firm.control.act("update", "Class", id=firm.north, fields={"Active": False})
    firm.edit(invoice, firm.line("Advice", "120.00"), firm.line("Travel"))
    assert firm.there(invoice)["TotalAmt"] == 264
    assert not OutboxRow.objects.exists()
    verdicts = list(Attempt.objects.filter(kind="invoice").order_by("id").values_list("verdict", flat=True))
    assert verdicts == ["sent", "stale", "sent", "theirs_refused", "sent"]


def test_theirs_survive_a_refusal_that_was_not_for_them(open_firm: Callable[..., Firm]) -> None:
    firm = open_firm()
    invoice = firm.issue(firm.line("Advice"), firm.line("Travel"))
    firm.classify(invoice, firm.north, firm.south)
    firm.edit(invoice, firm.line("Advice", "110.00"), firm.line("Travel"))
    item = Link.objects.get(kind="service").remote_id
    firm.control.act("update", "Item", id=item, fields={"Active": False})
    firm.save(invoice, [firm.line("Advice", "120.00"), firm.line("Travel")])
    wait_until(lambda: OutboxRow.objects.filter(state="blocked").exists(), seconds=30)
    firm.control.act("update", "Item", id=item, fields={"Active": True})
    sync_all(firm.owner)
    wait_until(lambda: firm.is_there(invoice), seconds=30)
    assert firm.there(invoice)["TotalAmt"] == 264
    assert firm.told(invoice) == [("Advice", firm.north, "2026-05-01"), ("Travel", firm.south, "2026-05-02")]


def test_theirs_survive_the_loss_of_the_customer(open_firm: Callable[..., Firm]) -> None:
    firm = open_firm()
    invoice = firm.issue(firm.line("Advice"))
    firm.classify(invoice, firm.north)
    firm.edit(invoice, firm.line("Advice", "110.00"))
    lost = Link.objects.get(kind="customer").remote_id
    survivor = firm.control.act("create", "Customer", fields={"DisplayName": "Hatch Group"})["record"]["Id"]
    firm.control.act("merge", "Customer", id=lost, fields={"into": survivor})

    # As it is there since the merge: otherwise it would be read for that.
    Link.objects.filter(kind="invoice").update(remote_version=firm.there(invoice)["SyncToken"])
    before = len(firm.control.requests(method=""))
    firm.save(invoice, [firm.line("Advice", "120.00")])
    wait_until(lambda: OutboxRow.objects.filter(state="blocked").exists(), seconds=30)
    # Refused once, with theirs; the customer read for that, and by its own row, which then looks who could be it now.
    asked = [(each["method"], each["path"].split("/")[4]) for each in firm.control.requests(method="")[before:]]
    assert asked == [("POST", "invoice"), ("GET", "customer"), ("GET", "customer"), ("GET", "query")]
    Link.objects.filter(kind="customer").update(remote_id=survivor, remote_version="0")
    sync_all(firm.owner)
    wait_until(lambda: firm.is_there(invoice), seconds=30)
    assert firm.told(invoice) == [("Advice", firm.north, "2026-05-01")]


def test_tracking_switched_off_there_holds_up_no_edit(open_firm: Callable[..., Firm]) -> None:
    firm = open_firm()
    invoice = firm.issue(firm.line("Advice"))
    firm.classify(invoice, firm.north)
    firm.edit(invoice, firm.line("Advice", "110.00"))
    off = {"ClassTrackingPerTxnLine": False}
    firm.control.act("update", "Preferences", id="1", fields={"AccountingInfoPrefs": off})
    firm.edit(invoice, firm.line("Advice", "120.00"))
    assert firm.there(invoice)["TotalAmt"] == 144
    assert Attempt.objects.filter(verdict="theirs_refused").count() == 1
    assert not OutboxRow.objects.exists()
