"""`python -m bench.peers.program PLAN`: write books with python-quickbooks, as its documentation shows it.

PLAN is a JSON file: where the emulator is, "single" or "batch", how often to retry, and a book for each company. Says
"ready" when all is imported and read, waits for a line, writes, prints what happened as one line of JSON, and waits for
its input to end, so that its processor time can be read. It shares no code with Cone.

The library at its best: one session for each company, kept alive; customers first; nothing read that needn't be.
Saves go one after another: its sessions aren't made for threads.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from intuitlib.client import AuthClient
from quickbooks import QuickBooks
from quickbooks.batch import batch_create
from quickbooks.exceptions import QuickbooksException
from quickbooks.objects import Customer, Invoice
from quickbooks.objects.base import Address, CustomerMemo, EmailAddress, Ref
from quickbooks.objects.detailline import SalesItemLine, SalesItemLineDetail
from requests.exceptions import RequestException

Result = TypeVar("Result")

_AT_ONCE = 30
_NAME_TAKEN = 6240
_FIRST_WAIT = timedelta(seconds=1)


class Counting(QuickBooks):  # type: ignore[misc]  # the library has no types
    """The library's client; only counts what it sends."""

    sent = 0

    def process_request(self, *arguments: Any, **named: Any) -> Any:
        Counting.sent += 1
        return super().process_request(*arguments, **named)


class Peer:
    """One company's book on its way."""

    def __init__(self, plan: dict[str, Any], company: dict[str, Any], auth: AuthClient) -> None:
        auth.access_token, auth.refresh_token = company["access_token"], company["refresh_token"]
        self._client = Counting(
            auth_client=auth, refresh_token=auth.refresh_token, company_id=company["realm_id"], minorversion=75
        )
        self._plan, self._company = plan, company
        self.refused: dict[str, int] = {}

    def write(self) -> None:
        """Customers first, then their invoices."""
        clients = [(place, self._customer(client)) for place, client in enumerate(self._company["book"]["clients"])]
        send = self._send_in_batches if self._plan["way"] == "batch" else self._send_singly
        ids = send(clients)
        bills = [
            (place, self._invoice(bill, ids[bill["customer"]]))
            for place, bill in enumerate(self._company["book"]["bills"])
            if bill["customer"] in ids
        ]
        send(bills)
        self._client.session.close()

    def _send_singly(self, objects: list[tuple[int, Any]]) -> dict[int, str]:
        ids: dict[int, str] = {}
        for place, each in objects:
            try:
                request_id = str(uuid4()) if self._plan["has_request_ids"] else None
                ids[place] = self._retried(partial(each.save, qb=self._client, request_id=request_id)).Id
            except (QuickbooksException, RequestException) as refusal:
                if found := self._find_by_name(each, getattr(refusal, "error_code", 0)):
                    ids[place] = found
                else:
                    self._note(refusal)
        return ids

    def _send_in_batches(self, objects: list[tuple[int, Any]]) -> dict[int, str]:
        ids: dict[int, str] = {}
        for start in range(0, len(objects), _AT_ONCE):
            part = objects[start : start + _AT_ONCE]
            places = {id(each): place for place, each in part}
            try:
                done = self._retried(partial(batch_create, [each for _, each in part], qb=self._client))
            except (QuickbooksException, RequestException) as refusal:
                self._note(refusal, times=len(part))
                continue
            stored = iter(done.successes)  # in the order of the answers without a fault
            for answer in done.batch_responses:
                sent = answer.get_object()
                place = places[id(sent)]
                if not answer.Fault:
                    ids[place] = next(stored).Id
                elif found := self._find_by_name(sent, int(answer.Fault.Error[0].code)):
                    ids[place] = found
                else:
                    self._note(QuickbooksException(answer.Fault.Error[0].Message, int(answer.Fault.Error[0].code)))
        return ids

    def _retried(self, act: Callable[[], Result]) -> Result:
        """Again after 1, 2, 4, 8 seconds when it may pass: what the library's users write around it."""
        for tried in range(self._plan["retries"]):
            try:
                return act()
            except RequestException:
                pass
            except QuickbooksException as refusal:
                # 429's body has code 3001; 5xx answers aren't JSON or no fault, which the library calls 10000.
                if refusal.error_code not in (3001, 10000):
                    raise
            time.sleep((_FIRST_WAIT * 2**tried).total_seconds())
        return act()

    def _find_by_name(self, each: Any, code: int) -> str:
        """A customer whose name is taken after a retry is most likely our own: get it, as users do."""
        if code != _NAME_TAKEN or not self._plan["retries"] or not isinstance(each, Customer):
            return ""
        try:
            found = self._retried(lambda: Customer.filter(DisplayName=each.DisplayName, qb=self._client))
        except (QuickbooksException, RequestException):
            return ""
        return str(found[0].Id) if found else ""

    def _note(self, refusal: Exception, *, times: int = 1) -> None:
        name = str(getattr(refusal, "error_code", "") or type(refusal).__name__)
        self.refused[name] = self.refused.get(name, 0) + times

    @staticmethod
    def _customer(client: dict[str, str]) -> Any:
        customer = Customer()
        customer.DisplayName = client["name"]
        customer.PrimaryEmailAddr = EmailAddress()
        customer.PrimaryEmailAddr.Address = client["email"]
        customer.BillAddr = Address()
        customer.BillAddr.Line1, customer.BillAddr.City = client["address"], client["city"]
        customer.BillAddr.PostalCode, customer.BillAddr.Country = client["postal_code"], client["country"]
        return customer

    def _invoice(self, bill: dict[str, Any], customer_id: str) -> Any:
        invoice = Invoice()
        invoice.CustomerRef = _ref(customer_id)
        invoice.DocNumber, invoice.TxnDate, invoice.DueDate = bill["number"], bill["issue_date"], bill["due_date"]
        invoice.GlobalTaxCalculation = "TaxExcluded"
        invoice.CustomerMemo = CustomerMemo()
        invoice.CustomerMemo.value = bill["memo"]
        for line in bill["lines"]:
            each = SalesItemLine()
            each.Amount, each.Description = float(line["amount"]), line["description"]
            each.SalesItemLineDetail = SalesItemLineDetail()
            each.SalesItemLineDetail.ItemRef = _ref(self._company["item_id"])
            each.SalesItemLineDetail.TaxCodeRef = _ref(self._company["tax_code_id"])
            each.SalesItemLineDetail.Qty = float(line["quantity"])
            each.SalesItemLineDetail.UnitPrice = float(line["unit_price"])
            invoice.Line.append(each)
        return invoice


def _ref(value: str) -> Ref:
    ref = Ref()
    ref.value = value
    return ref


def main() -> None:
    """Read the plan, wait for the word, write."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    # The emulator answers over plain HTTP on loopback.
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    QuickBooks.api_url_v3 = f"{plan['base']}/v3"
    discovery = f"{plan['base']}/.well-known/openid_sandbox_configuration/"
    auth = AuthClient(plan["client_id"], plan["client_secret"], "http://127.0.0.1/back", discovery)
    print("ready", flush=True)
    sys.stdin.readline()
    refused: dict[str, int] = {}
    started = time.monotonic_ns()
    for company in plan["companies"]:
        peer = Peer(plan, company, auth)
        peer.write()
        for name, times in peer.refused.items():
            refused[name] = refused.get(name, 0) + times
    took = (time.monotonic_ns() - started) // 1_000_000
    print(json.dumps({"requests": Counting.sent, "refused": refused, "milliseconds": took}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
