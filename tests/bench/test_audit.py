"""The audit of the fault run can fail: each kind of difference, planted in the books, is reported; equal books aren't.

The other side is planted in a running emulator, as anybody could by its API; ours are given as values.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from bench.faults.audit import Report, compare
from bench.faults.our_books import OurBooks, OurCustomer, OurInvoice, OurItem, OurLine, OurPayment
from bench.faults.report import list_wrong
from bench.faults.their_books import TheirBooks, read_theirs

from tests.emulator.running import Company, Running, open_client, start, stop

_SALES, _OTHER_SALES, _BANK, _STANDARD, _REDUCED = "1", "2", "6", "6", "8"
_uuids = (f"00000000-0000-4000-8000-{number:012d}" for number in count(1))


class Planted:
    """A company's books with one customer, item, invoice and payment, and ours, which agree with them."""

    def __init__(self, base: str, company: Company) -> None:
        self._base = base
        self.company = company
        self._before = self._list_there()
        # The firm's own from before that ours may become.
        self.own: dict[str, list[str]] = {}
        self._customer = self._post(
            "customer", {"DisplayName": "Ada & Co", "PrimaryEmailAddr": {"Address": "a@b.example"}}
        )
        self.item = self._post("item", _item("Bookkeeping", _SALES))
        self.invoice_uuid, self.payment_uuid = next(_uuids), next(_uuids)
        self.invoice = self.post_invoice()
        self.payment = self.post_payment()
        self.ours = self._write_ours()

    def post_invoice(self, **other: str) -> dict[str, Any]:
        """The invoice as ours is, but for what is named."""
        detail = {
            "ItemRef": {"value": other.get("item", self.item["Id"])},
            "Qty": 1,
            "UnitPrice": Decimal(other.get("net", "100.00")),
            "TaxCodeRef": {"value": other.get("tax_code", _STANDARD)},
        }
        line = {
            "Amount": Decimal(other.get("net", "100.00")),
            "Description": "Work",
            "DetailType": "SalesItemLineDetail",
            "SalesItemLineDetail": detail,
        }
        body = {
            "CustomerRef": {"value": self._customer["Id"]},
            "DocNumber": other.get("number", "INV-1"),
            "TxnDate": "2026-11-02",
            "DueDate": "2026-12-02",
            "GlobalTaxCalculation": "TaxExcluded",
            "PrivateNote": f"cone:{other.get('uuid', self.invoice_uuid)}",
            "Line": [line],
        }
        if "id" in other:
            body |= {"Id": other["id"], "SyncToken": self.company.read("Invoice", other["id"])["SyncToken"]}
        return self._post("invoice", body)

    def post_payment(self, **other: str) -> dict[str, Any]:
        """The payment as ours is, but for what is named."""
        amount = Decimal(other.get("amount", "60.00"))
        body = {
            "CustomerRef": {"value": self._customer["Id"]},
            "TotalAmt": amount,
            "TxnDate": "2026-11-03",
            "DepositToAccountRef": {"value": _BANK},
            "PaymentRefNum": "R1",
            "PrivateNote": f"cone:{other.get('uuid', self.payment_uuid)}",
            "Line": [{"Amount": amount, "LinkedTxn": [{"TxnId": self.invoice["Id"], "TxnType": "Invoice"}]}],
        }
        return self._post("payment", body)

    def post_item(self, name: str, account: str) -> str:
        """One more item there; its id."""
        made: str = self._post("item", _item(name, account))["Id"]
        return made

    def post_customer(self, name: str, email: str = "x@y.example") -> str:
        """One more customer there; its id."""
        made: str = self._post("customer", {"DisplayName": name, "PrimaryEmailAddr": {"Address": email}})["Id"]
        return made

    def ask_about(self, name: str, **other: Any) -> None:
        """One more customer of ours: what became of its create is uncertain, and its card offers the firm's own."""
        asked = OurCustomer(
            uuid=next(_uuids),
            realm=self.company.realm,
            cause="outcome_uncertain",
            name=name,
            email="b@c.example",
            sent_name=name,
            sent_email="b@c.example",
            offered=self.own["Customer"],
        )
        self.ours.customers.append(replace(asked, **other))

    def move_item(self, account: str) -> None:
        """Have the item post to another account."""
        self._post("item", _item("Bookkeeping", account) | {"Id": self.item["Id"], "SyncToken": "0"})

    def delete(self, entity: str, record: dict[str, Any]) -> None:
        """Take a record out of the books there."""
        token = self.company.read(entity.title(), record["Id"])["SyncToken"]
        self._post(entity, {"Id": record["Id"], "SyncToken": token}, operation="delete")

    def void_payment(self) -> None:
        """As `delete`, but it stays, of nothing."""
        token = self.company.read("Payment", self.payment["Id"])["SyncToken"]
        body = {"Id": self.payment["Id"], "SyncToken": token, "sparse": True}
        self._post("payment", body, operation="update", include="void")

    def audit(self) -> Report:
        """What's wrong between the two books."""
        return compare(self.ours, self.read_theirs())

    def read_theirs(self) -> TheirBooks:
        """The books there, less what the company began with."""
        realm = self.company.realm
        return read_theirs(self._base, {realm: self._before}, {realm: self.own})

    def _post(self, entity: str, body: dict[str, Any], **parameters: str) -> dict[str, Any]:
        return self.company.create(entity.title(), body, **parameters)

    def _list_there(self) -> dict[str, list[str]]:
        dump = self.company.running.control("GET", f"dump?realm_id={self.company.realm}&form=stored")
        held = dump["companies"][0]["entities"]
        return {name: [record["Id"] for record in records if "Id" in record] for name, records in held.items()}

    def _write_ours(self) -> OurBooks:
        keys = {"realm": self.company.realm, "cause": ""}
        line = OurLine("Bookkeeping", "Work", _SALES, _STANDARD, Decimal("100.0000"))
        invoice = OurInvoice(
            uuid=self.invoice_uuid,
            **keys,
            number="INV-1",
            customer="Ada & Co",
            issue_date="2026-11-02",
            due_date="2026-12-02",
            total=Decimal("120.0000"),
            tax=Decimal("20.0000"),
            lines=(line,),
            is_void=False,
        )
        payment = OurPayment(
            uuid=self.payment_uuid,
            **keys,
            reference="R1",
            customer="Ada & Co",
            received_date="2026-11-03",
            amount=Decimal("60.0000"),
            account=_BANK,
            applied={self.invoice_uuid: Decimal("60.0000")},
            is_void=False,
        )
        return OurBooks(
            customers=[OurCustomer(next(_uuids), **keys, name="Ada & Co", email="a@b.example")],
            items=[OurItem(next(_uuids), **keys, name="Bookkeeping", account=_SALES)],
            invoices=[invoice],
            payments=[payment],
        )


def _item(name: str, account: str) -> dict[str, Any]:
    return {"Name": name, "Type": "Service", "IncomeAccountRef": {"value": account}}


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    process, address = start()
    yield address
    assert stop(process) == 0


@pytest.fixture
def planted(base: str) -> Iterator[Planted]:
    with open_client(base) as http:
        running = Running(base, http)
        realm_id = running.reset("uk-vat")[0]["realm_id"]
        yield Planted(base, running.company(realm_id))


def _kinds(report: Report) -> dict[str, int]:
    return {kind: report.count(kind) for kind in {finding.kind for finding in report.findings}}


def test_equal_books_have_no_findings(planted: Planted) -> None:
    report = planted.audit()

    assert report.findings == []
    assert (report.records, dict(report.causes)) == (4, {})
    assert len(planted.read_theirs().invoices[0].lines) == 1


@pytest.mark.parametrize(
    ("plant", "expected"),
    [
        (lambda books: books.post_invoice(number="INV-2"), {"duplicate": 1}),
        (lambda books: books.post_payment(amount="1.00"), {"duplicate": 1}),
        (lambda books: books.post_customer("Ada & Co (2)"), {"duplicate": 1}),
        (lambda books: books.post_invoice(number="INV-2", uuid=next(_uuids)), {"foreign": 1}),
        (lambda books: books.post_payment(amount="1.00", uuid=next(_uuids)), {"foreign": 1}),
        (lambda books: books.post_item("Cake", _SALES), {"foreign": 1}),
        (lambda books: books.delete("payment", books.payment), {"missing": 1}),
        (lambda books: books.post_invoice(id=books.invoice["Id"], tax_code=_REDUCED), {"cents": 2, "tax_code": 1}),
        (lambda books: books.move_item(_OTHER_SALES), {"account": 1}),
    ],
    ids=[
        *("same invoice twice", "same payment twice", "customer of nobody", "invoice of nobody", "payment of nobody"),
        *("item of nobody", "payment taken out", "another tax code", "item with another account"),
    ],
)
def test_what_is_planted_there_is_found(
    planted: Planted, plant: Callable[[Planted], object], expected: dict[str, int]
) -> None:
    plant(planted)

    assert _kinds(planted.audit()) == expected


def test_one_cent_is_found_and_counted(planted: Planted) -> None:
    planted.post_invoice(id=planted.invoice["Id"], net="100.01")

    report = planted.audit()

    assert _kinds(report) == {"cents": 2}
    # The line and the total are a cent more; a fifth of a cent is no tax.
    assert report.to_figures()["cents"] == 2


def test_what_the_firm_had_there_itself_is_nobody_s_without_being_wrong(planted: Planted) -> None:
    planted.own = {"Customer": [planted.post_customer("Bert")], "Item": [planted.post_item("Cake", _SALES)]}
    assert planted.audit().findings == []

    planted.post_customer("Bert (2)")
    planted.post_item("Cake 2", _SALES)
    assert _kinds(planted.audit()) == {"duplicate": 1, "foreign": 1}


def _list_wrong(report: Report, *, cell: str = "ignored") -> list[str]:
    return list_wrong({"cell": cell, **report.to_figures(), "is_quiet": True, "unsettled": []})


def test_customer_may_be_uncertain_where_the_firm_has_a_namesake_of_another_address(planted: Planted) -> None:
    planted.own = {"Customer": [planted.post_customer("Bert")]}
    planted.ask_about("Bert")
    invoice = replace(planted.ours.invoices[0], uuid=next(_uuids), number="INV-2", customer="Bert")
    planted.ours.invoices.append(replace(invoice, cause="waits: outcome_uncertain"))

    report = planted.audit()

    assert _list_wrong(report) == []
    assert (report.to_figures()["uncertain"], report.to_figures()["namesakes"]) == (1, 1)
    assert dict(report.causes) == {"outcome_uncertain": 1, "waits: outcome_uncertain": 1}


@pytest.mark.parametrize(
    "other",
    [
        {"sent_email": "x@y.example"},
        {"sent_name": "Bert (2)"},
        {"sent_name": "", "sent_email": ""},
        {"realm": "another"},
        {"offered": ["1"]},
        {"cause": ""},
    ],
    ids=["same address", "another name", "nothing sent", "another company", "not offered", "settled"],
)
def test_customer_is_wrong_where_the_namesake_explains_nothing(planted: Planted, other: dict[str, Any]) -> None:
    planted.own = {"Customer": [planted.post_customer("Bert")]}
    planted.ask_about("Bert", **other)

    report = planted.audit()

    assert report.namesakes == 0
    assert len(_list_wrong(report)) == 1


def test_namesake_made_since_explains_nothing(planted: Planted) -> None:
    planted.own = {"Customer": [planted.post_customer("Bert")]}
    planted.ask_about("Bert")
    planted.own = {}

    assert _list_wrong(planted.audit()) == ["1 records are uncertain though looks see them"]


def test_failures_beside_a_customer_with_a_namesake_are_found(planted: Planted) -> None:
    planted.own = {"Customer": [planted.post_customer("Bert"), planted.post_customer("Carl")]}
    planted.ask_about("Bert")
    # Renamed since, so that nobody there has its name any more: nobody's may take that place.
    planted.ask_about("Carl (7)", sent_name="Carl")
    planted.post_customer("Dora")
    planted.post_item("Cake", _SALES)
    planted.post_invoice(number="INV-2", uuid=next(_uuids))
    planted.delete("payment", planted.payment)
    waiting = replace(planted.ours.invoices[0], uuid=next(_uuids), number="INV-3", customer="Bert")
    planted.ours.invoices.append(replace(waiting, cause="outcome_uncertain"))

    report = planted.audit()

    assert _kinds(report) == {"duplicate": 1, "foreign": 2, "missing": 1}
    assert "1 records are uncertain though looks see them" in _list_wrong(report)


def test_line_posted_to_another_account_is_found(planted: Planted) -> None:
    other = planted.post_item("Cake", _OTHER_SALES)
    planted.post_invoice(id=planted.invoice["Id"], item=other)

    report = planted.audit()

    assert _kinds(report) == {"account": 1, "content": 1, "foreign": 1}
    assert [finding.says for finding in report.findings if finding.kind == "account"] == ["line 1 posts to 2, not 1"]


def test_invoice_taken_out_there_is_missing_until_its_row_says_why(planted: Planted) -> None:
    planted.delete("payment", planted.payment)
    planted.delete("invoice", planted.invoice)
    planted.ours.payments = []

    assert _kinds(planted.audit()) == {"missing": 1}

    planted.ours.invoices = [replace(planted.ours.invoices[0], cause="removed_there")]
    report = planted.audit()
    assert report.findings == []
    assert dict(report.causes) == {"removed_there": 1}


def test_void_invoice_that_stands_there_is_found_until_its_row_says_why(planted: Planted) -> None:
    planted.delete("payment", planted.payment)
    planted.ours.payments = []
    planted.ours.invoices = [replace(planted.ours.invoices[0], is_void=True)]

    assert _kinds(planted.audit()) == {"not_taken_back": 1}

    planted.ours.invoices = [replace(planted.ours.invoices[0], cause="voided_here")]
    assert planted.audit().findings == []


def test_void_payment_without_its_mark_is_ours_still(planted: Planted) -> None:
    planted.void_payment()

    assert _kinds(planted.audit()) == {"foreign": 1, "missing": 1}

    planted.ours.payments = [replace(planted.ours.payments[0], is_void=True)]
    assert planted.audit().findings == []


def test_uncertain_duplicate_is_a_duplicate_still(planted: Planted) -> None:
    planted.post_invoice(number="INV-2")
    planted.ours.invoices = [replace(planted.ours.invoices[0], cause="outcome_uncertain")]

    report = planted.audit()

    assert _kinds(report) == {"duplicate": 1}
    assert report.to_figures()["uncertain"] == 1


def test_wrong_application_of_a_payment_is_found(planted: Planted) -> None:
    payment = planted.ours.payments[0]
    planted.ours.payments = [replace(payment, applied={planted.invoice_uuid: Decimal(50)}, account="7")]

    report = planted.audit()

    assert _kinds(report) == {"account": 1, "cents": 1}
    assert report.to_figures()["cents"] == 1000
