"""An accounting provider that lives in memory: a second provider for tests, with failures on order.

It keeps the port's promises (the contract suite runs over it) and knows nothing of the network. One `FakeLedger`
is one platform: its companies, grants and records outlive every client that is opened on it.
"""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Literal, TypeAlias
from urllib.parse import urlencode

import msgspec

from cone.accounting.facts import as_kind
from cone.accounting.port.company import (
    CompanyFacts,
    EnvironmentName,
    InactiveItem,
    Reference,
    TaxModel,
    TokenGrant,
)
from cone.accounting.port.documents import (
    CustomerDocument,
    Delete,
    Document,
    Kind,
    Namesake,
    RemoteRecord,
    Step,
    Update,
    Void,
)
from cone.accounting.port.provider import (
    Access,
    AuthorizationRefusedError,
    AuthorizationReturn,
    Availability,
    BatchItem,
    RequestLimits,
    Sent,
    WireRequest,
)
from cone.accounting.port.sent import SentRecord
from cone.accounting.port.verdicts import (
    VERDICTS,
    Answered,
    CauseCode,
    ReconnectError,
    RejectedError,
    Verdict,
    VerdictError,
)

from .books import FakeCompany, FakeRecord, is_found_by
from .chart import (
    BANK,
    CLOSED_BANK,
    INCOME,
    REDUCED,
    RETIRED,
    SAVINGS,
    STANDARD,
    UNDEPOSITED,
    ZERO,
    usual_accounts,
    usual_tax_codes,
)
from .sent import may_be, read_fields, read_sent

__all__ = [
    "BANK",
    "CLOSED_BANK",
    "DEFAULT_COMPANY",
    "INCOME",
    "REDUCED",
    "RETIRED",
    "SAVINGS",
    "STANDARD",
    "UNDEPOSITED",
    "ZERO",
    "FakeCompany",
    "FakeLedger",
    "FakeLedgerClient",
    "FakeRecord",
    "Sending",
]

Call: TypeAlias = Literal[
    "customer",
    "service",
    "invoice",
    "payment",
    "exchange_code",
    "refresh",
    "revoke",
    "read_company",
    "read_reference",
    "read",
    "find",
    "batch",
    "find_namesakes",
]
Hook: TypeAlias = Callable[["Sending"], Awaitable[None]]

DEFAULT_COMPANY = "fake-company"


@dataclass(frozen=True, slots=True)
class Sending:
    """One write as it reached the platform, replays and failures included."""

    company_id: str
    kind: Kind
    request_id: str
    request: WireRequest


@dataclass
class _Failure:
    verdict: VerdictError
    commit: bool


class FakeLedger:
    """The platform and the provider's pure side in one."""

    def __init__(
        self,
        *,
        key: str = "fake",
        name: str = "Fake Ledger",
        environment: EnvironmentName | None = "emulator",
        allows_invoice_deposit: bool = True,
        tax_model: TaxModel = "global",
    ) -> None:
        self.key = key
        self.name = name
        self.request_timeout = timedelta(seconds=5)
        self.limits = RequestLimits(per_minute=500, per_second=10, batches_per_minute=40)
        self.largest_batch = 30
        self.environment = environment
        self.companies: dict[str, FakeCompany] = {}
        self.sent: list[Sending] = []
        self.calls: list[Call] = []
        self.batches: list[tuple[str, ...]] = []
        self.revoked: list[str] = []
        self.before_send: Hook | None = None
        self.after_send: Hook | None = None
        self.remembers_request_ids = True
        self.total_is_off_by = Decimal(0)
        self._failures: dict[Call, deque[_Failure]] = {}
        self._codes: dict[str, str] = {}
        self._access: dict[str, str] = {}
        self._refresh: dict[str, str] = {}
        self._numbers = count(1)
        self.add_company(DEFAULT_COMPANY, allows_invoice_deposit=allows_invoice_deposit, tax_model=tax_model)

    # The pure side

    def availability(self) -> Availability:
        if self.environment is None:
            return Availability(None, f"{self.name} isn't configured in this test.")
        return Availability(self.environment)

    def authorize_url(self, *, state: str, redirect_uri: str) -> str:
        return f"https://{self.key}.invalid/authorize?" + urlencode({"state": state, "redirect_uri": redirect_uri})

    def read_return(self, query: Mapping[str, str]) -> AuthorizationReturn:
        if query.get("error"):
            raise AuthorizationRefusedError("denied")
        if not query.get("code") or not query.get("company"):
            raise AuthorizationRefusedError("invalid")
        return AuthorizationReturn(code=query["code"], company_id=query["company"])

    def open(self) -> AbstractAsyncContextManager["FakeLedgerClient"]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[FakeLedgerClient]:
            yield FakeLedgerClient(self)

        return opened()

    def prepare(self, step: Step, facts: CompanyFacts) -> WireRequest:
        if isinstance(step, Void | Delete):
            verb = "void" if isinstance(step, Void) else "delete"
            return WireRequest(line=f"{verb} {step.kind} {step.remote_id} {step.remote_version}", body=b"{}")
        document = step.document
        if isinstance(document, CustomerDocument) and ":" in document.name:
            raise RejectedError(
                Answered(message="a name can't have a colon"), cause=CauseCode.NAME_INVALID, field_name="name"
            )
        line = f"create {document.kind}"
        if isinstance(step, Update):
            line = f"update {document.kind} {step.remote_id} {step.remote_version}"
        return WireRequest(line=line, body=msgspec.json.encode(document))

    def prepare_batch(self, items: Sequence[BatchItem]) -> WireRequest:
        return WireRequest(line="batch", body=msgspec.json.encode(items))

    def read_sent(self, kind: Kind, request: WireRequest) -> SentRecord:
        return read_sent(kind, request)

    def read_fields(self, request: WireRequest) -> Mapping[str, str]:
        return read_fields(request)

    def record_url(self, *, environment: str, company_id: str, kind: Kind, remote_id: str) -> str:
        return f"https://{environment}.{self.key}.invalid/{company_id}/{kind}/{remote_id}"

    def accounts_url(self, *, environment: str, company_id: str) -> str:
        return f"https://{environment}.{self.key}.invalid/{company_id}/accounts"

    # What a test orders and looks at

    def add_company(
        self,
        company_id: str,
        *,
        country: str = "GB",
        currency: str = "GBP",
        allows_invoice_deposit: bool = True,
        tax_model: TaxModel = "global",
    ) -> FakeCompany:
        """Open another company's books."""
        company = FakeCompany(
            facts=CompanyFacts(
                name=f"Books of {company_id}",
                country=country,
                home_currency=currency,
                tax_model=tax_model,
                allows_invoice_deposit=allows_invoice_deposit,
                uses_own_numbers=True,
                is_multicurrency=False,
                books_closed_through_date=None,
                email="books@example.com",
            ),
            accounts=usual_accounts(currency),
            tax_codes=usual_tax_codes(),
            numbers=self._numbers,
        )
        self.companies[company_id] = company
        return company

    def sign_in(self, company_id: str = DEFAULT_COMPANY) -> dict[str, str]:
        """The query a browser brings back after consent there."""
        code = f"code-{next(self._numbers)}"
        self._codes[code] = company_id
        return {"code": code, "company": company_id}

    def fail_next(self, call: Call, verdict: VerdictError, *, commit: bool = False, times: int = 1) -> None:
        """Raise `verdict` at the next such call(s); a kind means sending one. `commit`: after having done the work."""
        self._failures.setdefault(call, deque()).extend([_Failure(verdict, commit)] * times)

    def records(self, kind: Kind, company_id: str = DEFAULT_COMPANY) -> list[FakeRecord]:
        """The records of a kind, oldest first."""
        return [record for (its, _), record in self.companies[company_id].records.items() if its == kind]

    def count_sends(self, kind: Kind) -> int:
        """How many writes of a kind reached the platform, whatever became of them."""
        return sum(sending.kind == kind for sending in self.sent)

    def void_there(self, kind: Kind, remote_id: str, company_id: str = DEFAULT_COMPANY) -> None:
        """Void a record as its bookkeeper would."""
        record = self.get(company_id, kind, remote_id)
        record.standing = "void"
        record.version += 1

    def edit_there(self, kind: Kind, remote_id: str, company_id: str = DEFAULT_COMPANY) -> None:
        """Change a record as its bookkeeper would: our version of it becomes old."""
        self.companies[company_id].records[kind, remote_id].version += 1

    def add_namesake(
        self, name: str, entity: Literal["vendor", "employee"] = "vendor", company_id: str = DEFAULT_COMPANY
    ) -> None:
        """Let a vendor or an employee have a name."""
        self.companies[company_id].others.append(Namesake(entity, str(next(self._numbers)), "0", name))

    def remove_there(self, kind: Kind, remote_id: str, company_id: str = DEFAULT_COMPANY) -> None:
        """Delete a record there."""
        del self.companies[company_id].records[kind, remote_id]

    def close_books(self, through: date, company_id: str = DEFAULT_COMPANY) -> None:
        """Refuse invoices up to a date."""
        company = self.companies[company_id]
        company.facts = replace(company.facts, books_closed_through_date=through)

    def expire_access(self) -> None:
        """End all access tokens; refresh tokens live on."""
        self._access.clear()

    def disconnect_there(self, company_id: str = DEFAULT_COMPANY) -> None:
        """End every grant of a company, as its owner can there."""
        for tokens in (self._access, self._refresh):
            for token in [token for token, company in tokens.items() if company == company_id]:
                del tokens[token]

    # What the client does with it

    def enter(self, call: Call) -> _Failure | None:
        """Note a call; raise its ordered failure, or give it back when the work is to be done first."""
        self.calls.append(call)
        failures = self._failures.get(call)
        if not failures:
            return None
        failure = failures.popleft()
        if failure.commit:
            return failure
        raise failure.verdict

    def grant(self, company_id: str) -> TokenGrant:
        """Make a pair of tokens."""
        number = next(self._numbers)
        self._access[f"access-{number}"] = company_id
        self._refresh[f"refresh-{number}"] = company_id
        return TokenGrant(
            access_token=f"access-{number}",
            refresh_token=f"refresh-{number}",
            access_lifetime=timedelta(hours=1),
            refresh_lifetime=timedelta(days=100),
        )

    def trade_code(self, code: str) -> TokenGrant:
        if code not in self._codes:
            raise AuthorizationRefusedError("expired")
        return self.grant(self._codes.pop(code))

    def trade_refresh(self, refresh_token: str) -> TokenGrant:
        if refresh_token not in self._refresh:
            raise ReconnectError(Answered(http_status=400, code="invalid_grant", message="Token invalid"))
        return self.grant(self._refresh.pop(refresh_token))

    def revoke(self, token: str) -> None:
        self.revoked.append(token)
        company = self._refresh.get(token) or self._access.get(token)
        if company is not None:
            self.disconnect_there(company)

    def company_of(self, token: str) -> str | None:
        """The company that an access token opens, if it's alive."""
        return self._access.get(token)

    def write(self, company_id: str, request: WireRequest) -> RemoteRecord:
        """Do what a write says. Raises verdicts."""
        company = self.companies[company_id]
        company.total_is_off_by = self.total_is_off_by
        return company.write(request)

    def get(self, company_id: str, kind: Kind, remote_id: str) -> FakeRecord:
        """The record of that id. Raises GoneError."""
        return self.companies[company_id].get(kind, remote_id)


class FakeLedgerClient:
    """The network side, without a network."""

    def __init__(self, ledger: FakeLedger) -> None:
        self._ledger = ledger

    async def exchange_code(self, *, code: str, redirect_uri: str) -> TokenGrant:
        self._ledger.enter("exchange_code")
        return self._ledger.trade_code(code)

    async def refresh(self, refresh_token: str) -> TokenGrant:
        failure = self._ledger.enter("refresh")
        grant = self._ledger.trade_refresh(refresh_token)
        if failure is not None:
            raise failure.verdict
        return grant

    async def revoke(self, token: str) -> None:
        failure = self._ledger.enter("revoke")
        self._ledger.revoke(token)
        if failure is not None:
            raise failure.verdict

    async def read_company(self, access: Access) -> CompanyFacts:
        await self._authorize(access)
        self._ledger.enter("read_company")
        return self._ledger.companies[access.company_id].facts

    async def read_reference(self, access: Access, facts: CompanyFacts) -> Reference:
        await self._authorize(access)
        self._ledger.enter("read_reference")
        company = self._ledger.companies[access.company_id]
        return Reference(
            accounts=company.accounts,
            tax_codes=company.tax_codes,
            suggested_income_account_id=company.suggested_income_account_id,
            payment_methods=company.payment_methods,
            inactive_items=tuple(
                InactiveItem(record.remote_id, company.show(record).name)
                for record in self._ledger.records("service", access.company_id)
                if not record.is_active
            ),
        )

    async def read_books(self, access: Access) -> tuple[CompanyFacts, Reference]:
        facts = await self.read_company(access)
        return facts, await self.read_reference(access, facts)

    async def send(self, access: Access, request: WireRequest, *, request_id: str, kind: Kind) -> Sent:
        await self._authorize(access)
        return await self._write(access, request, request_id, kind)

    async def _write(self, access: Access, request: WireRequest, request_id: str, kind: Kind) -> Sent:
        ledger = self._ledger
        sending = Sending(company_id=access.company_id, kind=kind, request_id=request_id, request=request)
        if ledger.before_send is not None:
            await ledger.before_send(sending)
        ledger.sent.append(sending)
        failure = ledger.enter(kind)
        answers = ledger.companies[access.company_id].answers
        if request_id in answers and ledger.remembers_request_ids:
            sent = answers[request_id]
        else:
            sent = Sent(
                record=ledger.write(access.company_id, request),
                answered=Answered(http_status=200, tid=f"fake-{len(ledger.sent)}"),
            )
            answers[request_id] = sent
        if ledger.after_send is not None:
            await ledger.after_send(sending)
        if failure is not None:
            raise failure.verdict
        return sent

    async def send_batch(
        self, access: Access, request: WireRequest, *, request_id: str, kinds: Mapping[str, Kind]
    ) -> Mapping[str, Sent | Verdict]:
        await self._authorize(access)
        ledger = self._ledger
        items = msgspec.json.decode(request.body, type=tuple[BatchItem, ...])
        ledger.batches.append(tuple(f"{request_id} {item.key}" for item in items))
        failure = ledger.enter("batch")
        outcomes: dict[str, Sent | Verdict] = {}
        for item in items:
            kind = item.request.line.split()[1]
            try:
                sent = await self._write(access, item.request, f"{request_id} {item.key}", as_kind(kind))
            except VERDICTS as verdict:
                outcomes[item.key] = verdict
            else:
                outcomes[item.key] = sent
        if failure is not None:
            raise failure.verdict
        return {key: outcome for key, outcome in outcomes.items() if key in kinds}

    async def read(self, access: Access, kind: Kind, remote_id: str) -> RemoteRecord:
        await self._authorize(access)
        self._ledger.enter("read")
        company = self._ledger.companies[access.company_id]
        return company.show(company.get(kind, remote_id))

    async def find(self, access: Access, document: Document) -> RemoteRecord | None:
        await self._authorize(access)
        self._ledger.enter("find")
        for record in self._ledger.records(document.kind, access.company_id):
            if record.is_active and is_found_by(document, record.document):
                return self._ledger.companies[access.company_id].show(record)
        return None

    async def list_candidates(self, access: Access, sent: SentRecord, *, sent_at: datetime) -> tuple[RemoteRecord, ...]:
        await self._authorize(access)
        self._ledger.enter("find")
        company = self._ledger.companies[access.company_id]
        found = [company.show(record) for record in self._ledger.records(sent.kind, access.company_id)]
        return tuple(record for record in found if record.is_active and may_be(sent, record, sent_at=sent_at))

    async def find_namesakes(
        self, access: Access, entity: Literal["customer", "vendor", "employee"], names: Sequence[str]
    ) -> tuple[Namesake, ...]:
        await self._authorize(access)
        self._ledger.enter("find_namesakes")
        return self._ledger.companies[access.company_id].find_namesakes(entity, names)

    async def _authorize(self, access: Access) -> None:
        token = await access.token()
        await access.turn()
        if self._ledger.company_of(token) == access.company_id:
            return
        if self._ledger.company_of(await access.renew(rejected=token)) != access.company_id:
            raise ReconnectError(Answered(http_status=401, message="the token is dead"))
