"""QuickBooks behind the port: the pure side (`QuickBooks`) and the network side (`QuickBooksClient`).

Composes the other modules of this folder and decides nothing by itself but the one repeat after a refused token.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Literal, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from cone.accounting.port.company import CompanyFacts, Reference, TokenGrant
from cone.accounting.port.documents import (
    CustomerDocument,
    Document,
    InvoiceDocument,
    Kind,
    Namesake,
    PaymentDocument,
    RemoteRecord,
    ServiceDocument,
    Step,
)
from cone.accounting.port.provider import (
    Access,
    AuthorizationReturn,
    Availability,
    BatchItem,
    RequestLimits,
    Sent,
    WireRequest,
)
from cone.accounting.port.sent import SentRecord
from cone.accounting.port.verdicts import Answered, CauseCode, RejectedError, Verdict
from cone.providers.quickbooks import batch, batch_reading, candidates, links, mapping, oauth, query, reading, wire
from cone.providers.quickbooks import sent as sent_requests
from cone.providers.quickbooks.config import QuickBooksConfig, configured_endpoints
from cone.providers.quickbooks.faults import Received, check_answer, unclear
from cone.providers.quickbooks.transport import Request, Transport, open_transport

# Per company and app (api-facts §3); a second's ten are also how many may be under way at once.
LIMITS = RequestLimits(per_minute=500, per_second=10, batches_per_minute=40)

_Answer = TypeVar("_Answer", bound=msgspec.Struct)
_MAX_PAGES = 100


class QuickBooks:
    """The provider's pure side."""

    key = "quickbooks"
    name = "QuickBooks Online"

    def __init__(self, config: QuickBooksConfig) -> None:
        self._config = config
        self.request_timeout = config.request_timeout
        self.looks_count_after = config.looks_count_after
        self.limits = LIMITS
        self.largest_batch = batch.LARGEST_BATCH

    def availability(self) -> Availability:
        if self._config.endpoints is None:
            return Availability(None, self._config.explanation)
        return Availability(self._config.endpoints.environment)

    def authorize_url(self, *, state: str, redirect_uri: str) -> str:
        endpoints = configured_endpoints(self._config)
        return oauth.authorize_url(endpoints, client_id=self._config.client_id, state=state, redirect_uri=redirect_uri)

    def read_return(self, query: Mapping[str, str]) -> AuthorizationReturn:
        return oauth.read_return(query)

    def open(self) -> AbstractAsyncContextManager["QuickBooksClient"]:
        return _opened(self._config)

    def prepare(self, step: Step, facts: CompanyFacts) -> WireRequest:
        return mapping.prepare(step, facts)

    def prepare_batch(self, items: Sequence[BatchItem]) -> WireRequest:
        return batch.join(items)

    def read_sent(self, kind: Kind, request: WireRequest) -> SentRecord:
        return sent_requests.read_sent(kind, request)

    def read_fields(self, request: WireRequest) -> Mapping[str, str]:
        return sent_requests.read_fields(request)

    def record_url(self, *, environment: str, company_id: str, kind: Kind, remote_id: str) -> str:
        app = links.app_address(environment, emulator_url=self._config.emulator_url)
        return links.record_url(app, company_id=company_id, kind=kind, remote_id=remote_id)

    def accounts_url(self, *, environment: str, company_id: str) -> str:
        return links.accounts_url(
            links.app_address(environment, emulator_url=self._config.emulator_url), company_id=company_id
        )


class QuickBooksClient:
    """The network side over one HTTP session."""

    def __init__(self, transport: Transport, config: QuickBooksConfig) -> None:
        self._transport = transport
        self._config = config
        self._tokens = oauth.Tokens(transport, config)

    async def exchange_code(self, *, code: str, redirect_uri: str) -> TokenGrant:
        return await self._tokens.exchange(code=code, redirect_uri=redirect_uri)

    async def refresh(self, refresh_token: str) -> TokenGrant:
        return await self._tokens.refresh(refresh_token)

    async def revoke(self, token: str) -> None:
        await self._tokens.revoke(token)

    async def read_company(self, access: Access) -> CompanyFacts:
        company = await self._get(access, f"companyinfo/{quote(access.company_id, safe='')}", wire.CompanyAnswer)
        preferences = await self._get(access, "preferences", wire.PreferencesAnswer)
        return reading.company_facts(company.company_info, preferences.preferences)

    async def read_reference(self, access: Access, facts: CompanyFacts) -> Reference:
        accounts = [row for page in await self._pages(access, "Account") for row in page.account]
        codes = [row for page in await self._pages(access, "TaxCode") for row in page.tax_code]
        rates = [row for page in await self._pages(access, "TaxRate") for row in page.tax_rate]
        methods = [row for page in await self._pages(access, "PaymentMethod") for row in page.payment_method]
        items = [row for page in await self._pages(access, "Item") for row in page.item]
        return reading.reference(accounts, codes, rates, methods, items, facts)

    async def read_books(self, access: Access, *, item_names: Sequence[str]) -> tuple[CompanyFacts, Reference]:
        """One batch of queries; a list that doesn't fit on one page is read page by page instead."""
        request = batch_reading.ask(item_names)
        method, target = request.line.split(" ", 1)
        received = await self._call(access, method=method, target=target, body=request.body, is_write=False)
        found = batch_reading.take_in(received, item_names)
        if found is None:
            facts = await self.read_company(access)
            return facts, await self.read_reference(access, facts)
        return found

    async def send(self, access: Access, request: WireRequest, *, request_id: str, kind: Kind) -> Sent:
        received = await self._write(access, request, request_id)
        read = _deleted if mapping.is_deletion(request.line) else _record
        return Sent(
            record=read(received, kind, is_write=True),
            answered=Answered(http_status=received.status, tid=received.tid),
        )

    async def send_batch(
        self, access: Access, request: WireRequest, *, request_id: str, kinds: Mapping[str, Kind]
    ) -> Mapping[str, Sent | Verdict]:
        return batch.take_apart(await self._write(access, request, request_id), kinds)

    async def read(self, access: Access, kind: Kind, remote_id: str) -> RemoteRecord:
        path = f"{_entity(kind)}/{quote(remote_id, safe='')}"
        received = await self._call(access, method="GET", target=_target(path))
        return _record(received, kind, is_write=False)

    async def find(self, access: Access, document: Document) -> RemoteRecord | None:
        match document:
            case ServiceDocument():
                return await self._find_item(access, document)
            case CustomerDocument():
                rows = await self._query(access, query.select_where("Customer", DisplayName=document.name.strip()))
                found = [row for row in rows.customer if row.active]
                return reading.customer_record(found[0]) if found else None
            case InvoiceDocument():
                return await self._find_invoice(access, document)
            case PaymentDocument():
                return await self._find_payment(access, document)

    async def list_candidates(self, access: Access, sent: SentRecord, *, sent_at: datetime) -> tuple[RemoteRecord, ...]:
        async def select(statements: Sequence[str]) -> list[wire.Rows]:
            return [await self._query(access, statement) for statement in statements]

        (found,) = await candidates.list_candidates_together(select, [sent], sent_at=sent_at)
        return found

    async def list_candidates_together(
        self, access: Access, sent: Sequence[SentRecord], *, sent_at: datetime
    ) -> tuple[tuple[RemoteRecord, ...], ...]:
        async def select(statements: Sequence[str]) -> list[wire.Rows]:
            request = batch_reading.ask_each(statements)
            method, target = request.line.split(" ", 1)
            received = await self._call(access, method=method, target=target, body=request.body, is_write=False)
            return batch_reading.take_in_each(received, len(statements))

        return await candidates.list_candidates_together(select, sent, sent_at=sent_at)

    async def find_namesakes(
        self, access: Access, entity: Literal["customer", "vendor", "employee"], names: Sequence[str]
    ) -> tuple[Namesake, ...]:
        rows = await self._query(access, query.select_named(entity.capitalize(), names))
        listed = {"customer": rows.customer, "vendor": rows.vendor, "employee": rows.employee}[entity]
        return tuple(reading.namesake(row, entity) for row in listed)

    async def list_customers(self, access: Access, typed: str, *, most: int) -> tuple[Namesake, ...]:
        """By the address where one was typed and somebody has it; by the name otherwise."""
        if "@" in typed:
            rows = await self._query(access, query.select_where("Customer", PrimaryEmailAddr=typed))
            found = [reading.namesake(row, "customer") for row in rows.customer]
            if by_address := [entry for entry in found if entry.email.casefold() == typed.casefold()]:
                return tuple(by_address[:most])
        rows = await self._query(access, query.select_beginning("Customer", typed, most=most))
        found = [reading.namesake(row, "customer") for row in rows.customer]
        return tuple(entry for entry in found if entry.name.casefold().startswith(typed.casefold()))

    async def _find_item(self, access: Access, document: ServiceDocument) -> RemoteRecord | None:
        """An active item that can be sold without stock; a service before anything else of the name."""
        rows = await self._query(access, query.select_where("Item", Name=document.name.strip()))
        suited = candidates.list_sellable(rows)
        return suited[0] if suited else None

    async def _find_invoice(self, access: Access, document: InvoiceDocument) -> RemoteRecord | None:
        """The invoice with our marker among those of the number, or of the customer and date without one."""
        keys = {"DocNumber": document.number}
        if not document.number:
            keys = {"CustomerRef": document.customer_id, "TxnDate": document.issue_date.isoformat()}
        rows = await self._query(access, query.select_where("Invoice", **keys))
        return _marked([reading.invoice_record(row) for row in rows.invoice], document)

    async def _find_payment(self, access: Access, document: PaymentDocument) -> RemoteRecord | None:
        """The payment with our marker among those of the customer and date."""
        keys = {"CustomerRef": document.customer_id, "TxnDate": document.received_date.isoformat()}
        rows = await self._query(access, query.select_where("Payment", **keys))
        return _marked([reading.payment_record(row) for row in rows.payment], document)

    async def _write(self, access: Access, request: WireRequest, request_id: str) -> Received:
        method, target = request.line.split(" ", 1)
        joint = "&" if "?" in target else "?"
        target += joint + urlencode({"requestid": request_id})
        return await self._call(access, method=method, target=target, body=request.body)

    async def _pages(self, access: Access, entity: str) -> list[wire.Rows]:
        """All rows of a list. Pseudo tax codes may come on top of a page, so a page is full from its size on."""
        pages: list[wire.Rows] = []
        for number in range(_MAX_PAGES):
            statement = batch_reading.select_list(entity, page=number)
            rows = await self._query(access, statement)
            pages.append(rows)
            lists = (rows.account, rows.tax_code, rows.tax_rate, rows.payment_method, rows.item)
            if max(len(listed) for listed in lists) < query.PAGE_SIZE:
                break
        return pages

    async def _query(self, access: Access, statement: str) -> wire.Rows:
        answer = await self._get(access, "query", wire.QueryAnswer, query=statement)
        return answer.query_response

    async def _get(self, access: Access, path: str, answer: type[_Answer], **parameters: str) -> _Answer:
        received = await self._call(access, method="GET", target=_target(path, **parameters))
        return _decode(received, answer, is_write=False)

    async def _call(
        self, access: Access, *, method: str, target: str, body: bytes | None = None, is_write: bool | None = None
    ) -> Received:
        """One request with the company's token; refused, it goes once more with another token, byte for byte.

        What has a body is a write, unless it's said not to be: a batch of queries.
        """
        is_write = body is not None if is_write is None else is_write

        def request(token: str) -> Request:
            return self._request(access, token, method=method, target=target, body=body, is_write=is_write)

        token = await access.token()
        await access.turn()
        received = await self._transport.send(request(token))
        if received.status == 401:
            token = await access.renew(rejected=token)
            await access.turn()
            received = await self._transport.send(request(token))
        check_answer(received, is_write=is_write)
        return received

    def _request(
        self, access: Access, token: str, *, method: str, target: str, body: bytes | None, is_write: bool
    ) -> Request:
        headers = {"Accept": "application/json", "Authorization": f"Bearer {token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return Request(
            method=method,
            url=f"{configured_endpoints(self._config).api}/v3/company/{quote(access.company_id, safe='')}{target}",
            headers=headers,
            body=body,
            is_write=is_write,
            secrets=(token,),
            is_metered=batch.is_batch(target),
        )


@asynccontextmanager
async def _opened(config: QuickBooksConfig) -> AsyncIterator[QuickBooksClient]:
    async with open_transport(config.request_timeout) as transport:
        yield QuickBooksClient(transport, config)


def _target(path: str, **parameters: str) -> str:
    return f"/{path}?" + urlencode({**parameters, "minorversion": wire.MINOR_VERSION}, quote_via=quote)


def _entity(kind: Kind) -> str:
    return "item" if kind == "service" else kind


def _record(received: Received, kind: Kind, *, is_write: bool) -> RemoteRecord:
    match kind:
        case "customer":
            return reading.customer_record(_decode(received, wire.CustomerAnswer, is_write=is_write).customer)
        case "service":
            return reading.item_record(_decode(received, wire.ItemAnswer, is_write=is_write).item)
        case "invoice":
            return reading.invoice_record(_decode(received, wire.InvoiceAnswer, is_write=is_write).invoice)
        case "payment":
            return reading.payment_record(_decode(received, wire.PaymentAnswer, is_write=is_write).payment)


def _deleted(received: Received, kind: Kind, *, is_write: bool) -> RemoteRecord:
    """The record that is no more: of it nothing is told but its id."""
    answer = _decode(received, wire.DeletedAnswer, is_write=is_write)
    row = answer.payment if kind == "payment" else answer.invoice
    if row is None:
        answered = Answered(
            http_status=received.status, tid=received.tid, message="The answer names no deleted record."
        )
        raise unclear(answered, is_write=is_write)
    return RemoteRecord(kind=kind, remote_id=row.id, version="", standing="deleted")


def _marked(records: Sequence[RemoteRecord], document: InvoiceDocument | PaymentDocument) -> RemoteRecord | None:
    found = [record for record in records if record.marker == str(document.uuid)]
    if len(found) > 1:
        message = f"Two {document.kind}s in QuickBooks carry this {document.kind}'s mark."
        raise RejectedError(Answered(message=message), cause=CauseCode.OUTCOME_UNCERTAIN)
    return found[0] if found else None


def _decode(received: Received, answer: type[_Answer], *, is_write: bool) -> _Answer:
    """The answer's rows; what can't be read is as good as lost."""
    try:
        return msgspec.json.decode(received.body, type=answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"QuickBooks' answer can't be read: {error}"[:500]
        answered = Answered(http_status=received.status, tid=received.tid, message=message)
        raise unclear(answered, is_write=is_write) from error
