"""The pages: companies, invoices, customers, payments, chart of accounts, tax codes, record of API requests."""
# ruff: noqa: ARG002 - all views have one signature

from __future__ import annotations

from collections.abc import Awaitable, Callable
from heapq import nlargest, nsmallest
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from qbo_emulator.books import Books
from qbo_emulator.control.act import UnknownActionError, act
from qbo_emulator.entities.account import ACCOUNT_TYPES
from qbo_emulator.entities.registry import BY_NAME
from qbo_emulator.faults import Fault
from qbo_emulator.jsonio import ZERO, Json, dec
from qbo_emulator.settings import DEMO_EMAIL, DEMO_PASSWORD

from .frame import company_of, frame
from .traffic import traffic_views
from .web import has_own_host, is_same_origin, page, problem

if TYPE_CHECKING:
    from qbo_emulator.emulator import Emulator

_STATIC = Path(__file__).parent / "static"
_PAGE_SIZE = 100
View = Callable[[Request, Books], Response]


class Pages:
    """What a person sees; every page but the first belongs to one company."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def routes(self) -> list[Route]:
        views: list[tuple[str, View]] = [
            ("homepage", self.company),
            ("invoices", self.invoices),
            ("invoice", self.invoice),
            ("customers", self.customers),
            ("customerdetail", self.customer),
            ("payments", self.payments),
            ("recvpayment", self.payment),
            ("chartofaccounts", self.chart),
            ("taxes", self.taxes),
            ("items", self.items),
            *traffic_views(self._emulator),
        ]
        return [
            Route("/", self.home),
            Route("/static/ledger.css", self.style),
            Route("/static/mark.svg", self.mark),
            Route("/static/live.js", self.script),
            *(Route(f"/app/{path}", self._of_company(view)) for path, view in views),
            Route("/app/change", self.change, methods=["POST"]),
            Route("/app/disconnect", self.disconnect, methods=["POST"]),
            Route("/{path:path}", self.nowhere),
        ]

    def _of_company(self, view: View) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            if not has_own_host(request, self._emulator.settings.host):
                return problem("Wrong address", "Open the emulator by its own address.", 403)
            realm = request.query_params.get("realmId")
            companies = self._emulator.companies
            books = companies.get(realm) if realm else next(iter(companies.values()))
            if books is None:
                return problem(
                    "No such company",
                    "No company here has this realm id. A reset of the emulator gives companies new ids.",
                    404,
                )
            return view(request, books)

        return endpoint

    async def style(self, request: Request) -> Response:
        return FileResponse(_STATIC / "ledger.css", media_type="text/css")

    async def script(self, request: Request) -> Response:
        return FileResponse(_STATIC / "live.js", media_type="text/javascript")

    async def mark(self, request: Request) -> Response:
        return FileResponse(_STATIC / "mark.svg", media_type="image/svg+xml")

    async def nowhere(self, request: Request) -> Response:
        return problem("Page not found", "There is no page at this address.", 404)

    async def home(self, request: Request) -> Response:
        if not has_own_host(request, self._emulator.settings.host):
            return problem("Wrong address", "Open the emulator by its own address.", 403)
        companies = [company_of(books) for books in self._emulator.companies.values()]
        app = self._emulator.grants.apps[self._emulator.settings.client_id]
        return page(
            "home.html",
            may_leave=True,
            companies=companies,
            app=app,
            email=DEMO_EMAIL,
            password=DEMO_PASSWORD,
            scenario=self._emulator.scenario,
            connections=list(self._emulator.grants.connections.values()),
            base=f"{request.url.scheme}://{request.url.netloc}",
            names=self._emulator.company_names(),
        )

    def _frame(self, books: Books, here: str) -> dict[str, Any]:
        return frame(self._emulator, books, here)

    def company(self, request: Request, books: Books) -> Response:
        invoices = list(books.all("Invoice"))
        latest = nlargest(12, invoices, key=lambda each: int(each["Id"]))
        owed = sum((dec(each["Balance"]) for each in invoices), ZERO)
        today = self._emulator.clock.today().isoformat()
        overdue = sum((dec(each["Balance"]) for each in invoices if each["DueDate"] < today), ZERO)
        received = sum((dec(each["TotalAmt"]) for each in books.all("Payment")), ZERO)
        return page(
            "company.html",
            **self._frame(books, "homepage"),
            rows=self._rows(books, latest),
            owed=owed,
            overdue=overdue,
            received=received,
            count=len(invoices),
            customers=len(books.records["Customer"]),
            said=request.query_params.get("said", ""),
        )

    def invoices(self, request: Request, books: Books) -> Response:
        wanted = request.query_params.get("q", "").strip()
        found = list(books.all("Invoice"))
        if wanted:
            names = {each["Id"]: each["DisplayName"] for each in books.all("Customer")}
            found = [
                each
                for each in found
                if _has(wanted, each.get("DocNumber"), names.get(each["CustomerRef"]["value"]), each["Id"])
            ]
        latest = nlargest(_PAGE_SIZE, found, key=_date_and_id)
        return page(
            "invoices.html",
            **self._frame(books, "invoices"),
            rows=self._rows(books, latest),
            total=len(found),
            q=wanted,
        )

    def invoice(self, request: Request, books: Books) -> Response:
        number = request.query_params.get("txnId", "")
        record = books.get("Invoice", number)
        if record is None:
            was_deleted = ("Invoice", number) in books.deleted
            return problem(
                "Invoice deleted" if was_deleted else "No such invoice",
                "This invoice was deleted." if was_deleted else "This company has no invoice with this id.",
                404,
            )
        shown = BY_NAME["Invoice"].render(books, record)
        return page(
            "invoice.html",
            **self._frame(books, "invoices"),
            invoice=shown,
            state=self._state(record),
            codes=_names(books, "TaxCode"),
            rates=_names(books, "TaxRate"),
            payments=_paid_by(books, record),
        )

    def _rows(self, books: Books, invoices: list[Json]) -> list[Json]:
        return [
            {
                "id": each["Id"],
                "number": each.get("DocNumber") or "–",
                "date": each["TxnDate"],
                "due": each["DueDate"],
                "customer": (books.get("Customer", each["CustomerRef"]["value"]) or {}).get("DisplayName", ""),
                "customer_id": each["CustomerRef"]["value"],
                "tax": each["TxnTaxDetail"]["TotalTax"],
                "total": each["TotalAmt"],
                "balance": each["Balance"],
                "status": self._state(each),
            }
            for each in invoices
        ]

    def _state(self, invoice: Json) -> str:
        word = _word(invoice)
        today = self._emulator.clock.today().isoformat()
        return "Overdue" if word == "Open" and invoice["DueDate"] < today else word

    def customers(self, request: Request, books: Books) -> Response:
        wanted = request.query_params.get("q", "").strip()
        found = list(books.all("Customer"))
        if wanted:
            found = [each for each in found if _has(wanted, each["DisplayName"], each.get("CompanyName"), each["Id"])]
        first = nsmallest(_PAGE_SIZE, found, key=lambda each: str(each["DisplayName"]).casefold())
        rows = [BY_NAME["Customer"].render(books, each) for each in first]
        return page("customers.html", **self._frame(books, "customers"), rows=rows, total=len(found), q=wanted)

    def customer(self, request: Request, books: Books) -> Response:
        record = books.get("Customer", request.query_params.get("nameId", ""))
        if record is None:
            return problem("No such customer", "This company has no customer with this id.", 404)
        invoices = [each for each in books.all("Invoice") if each["CustomerRef"]["value"] == record["Id"]]
        return page(
            "customer.html",
            **self._frame(books, "customers"),
            customer=BY_NAME["Customer"].render(books, record),
            rows=self._rows(books, nlargest(_PAGE_SIZE, invoices, key=_date_and_id)),
            total=len(invoices),
        )

    def payments(self, request: Request, books: Books) -> Response:
        found = list(books.all("Payment"))
        rows = [BY_NAME["Payment"].render(books, each) for each in nlargest(_PAGE_SIZE, found, key=_date_and_id)]
        return page(
            "payments.html",
            **self._frame(books, "payments"),
            rows=rows,
            total=len(found),
            accounts=_names(books, "Account"),
        )

    def payment(self, request: Request, books: Books) -> Response:
        record = books.get("Payment", request.query_params.get("txnId", ""))
        if record is None:
            return problem("No such payment", "This company has no payment with this id.", 404)
        lines = [
            {
                "id": line["LinkedTxn"][0]["TxnId"],
                "amount": line["Amount"],
                "number": (books.get("Invoice", line["LinkedTxn"][0]["TxnId"]) or {}).get("DocNumber") or "–",
            }
            for line in record["Line"]
        ]
        return page(
            "payment.html",
            **self._frame(books, "payments"),
            payment=BY_NAME["Payment"].render(books, record),
            lines=lines,
            accounts=_names(books, "Account"),
        )

    def chart(self, request: Request, books: Books) -> Response:
        order = list(ACCOUNT_TYPES)
        rows = sorted(
            (BY_NAME["Account"].render(books, each) for each in books.all("Account")),
            key=lambda each: (order.index(each["AccountType"]), str(each["Name"]).casefold()),
        )
        return page(
            "chart.html",
            **self._frame(books, "chartofaccounts"),
            rows=rows,
            types=order,
            said=request.query_params.get("said", ""),
        )

    def taxes(self, request: Request, books: Books) -> Response:
        rows = [
            {
                "id": each["Id"],
                "name": each["Name"],
                "description": each["Description"],
                "active": each["Active"],
                "rates": [
                    (books.get("TaxRate", detail["TaxRateRef"]["value"]) or {}).get("RateValue")
                    for detail in each.get("SalesTaxRateList", {}).get("TaxRateDetail", [])
                ],
            }
            for each in books.all("TaxCode")
        ]
        return page("taxes.html", **self._frame(books, "taxes"), rows=rows, said=request.query_params.get("said", ""))

    def items(self, request: Request, books: Books) -> Response:
        rows = sorted(
            (BY_NAME["Item"].render(books, each) for each in books.all("Item")),
            key=lambda each: str(each["Name"]).casefold(),
        )
        return page("items.html", **self._frame(books, "items"), rows=rows)

    async def disconnect(self, request: Request) -> Response:
        """What a person does under My Apps in QuickBooks: all tokens die, and the browser goes to the app's page."""
        if not has_own_host(request, self._emulator.settings.host) or not is_same_origin(request):
            return problem("Refused", "This form was sent from another site.", 403)
        grants = self._emulator.grants
        key = str((await request.form()).get("key", ""))
        connection = grants.connections.get(key)
        grants.disconnect(key)
        app = grants.apps.get(connection.client_id) if connection is not None else None
        if connection is None or app is None or not app.disconnect_url:
            return RedirectResponse("/", 303)
        joint = "&" if "?" in app.disconnect_url else "?"
        return RedirectResponse(f"{app.disconnect_url}{joint}realmId={connection.realm}", 303)

    async def change(self, request: Request) -> Response:
        """A change a bookkeeper makes on a page; answers with the page it was made on."""
        if not has_own_host(request, self._emulator.settings.host) or not is_same_origin(request):
            return problem("Refused", "This form was sent from another site.", 403)
        form = {key: str(value) for key, value in (await request.form()).items()}
        books = self._emulator.companies.get(form.pop("realmId", ""))
        back = form.pop("back", "homepage")
        if books is None or back not in {"chartofaccounts", "taxes", "homepage"}:
            return problem("Not possible", "This company or page does not exist.", 404)
        try:
            record = act(books, dict(form))
            said = f"Saved: {record['Name']}" if "Name" in record else "Saved"
        except Fault as fault:
            said = fault.reasons[0].detail
        except UnknownActionError as error:
            return problem("Not possible", str(error), 400)
        return RedirectResponse(f"/app/{back}?{urlencode({'realmId': books.realm, 'said': said})}", 303)


def _date_and_id(record: Json) -> tuple[str, int]:
    return record["TxnDate"], int(record["Id"])


def _has(wanted: str, *texts: str | None) -> bool:
    return any(wanted.casefold() in (text or "").casefold() for text in texts)


def _names(books: Books, entity: str) -> dict[str, str]:
    return {each["Id"]: each["Name"] for each in books.all(entity)}


def _word(invoice: Json) -> str:
    if not invoice["TotalAmt"] and str(invoice.get("PrivateNote") or "").startswith("Voided"):
        return "Voided"
    return "Open" if invoice["Balance"] else "Paid"


def _paid_by(books: Books, invoice: Json) -> list[Json]:
    found = []
    for link in invoice["LinkedTxn"]:
        payment = books.get("Payment", link["TxnId"])
        if payment is not None:
            amount = sum(
                (dec(line["Amount"]) for line in payment["Line"] if line["LinkedTxn"][0]["TxnId"] == invoice["Id"]),
                ZERO,
            )
            found.append({"id": payment["Id"], "date": payment["TxnDate"], "amount": amount})
    return found
