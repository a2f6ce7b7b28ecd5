"""Much that is read of a company in one metered request: a batch of queries (api-facts §3, §7.1). Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from cone.accounting.port.company import CompanyFacts, Reference
from cone.accounting.port.provider import WireRequest
from cone.accounting.port.verdicts import Answered, TryLaterError
from cone.providers.quickbooks import query, reading
from cone.providers.quickbooks.faults import Received, verdict_of_fault
from cone.providers.quickbooks.wire import MINOR_VERSION, CompanyRow, PreferencesRow, Row, Rows, encode

_LISTS = ("Account", "TaxCode", "TaxRate", "PaymentMethod", "Item")
_NOTHING = msgspec.Raw(b"null")


class _Rows(Rows, frozen=True):
    company_info: tuple[CompanyRow, ...] = ()
    preferences: tuple[PreferencesRow, ...] = ()


class _ItemAnswer(Row, frozen=True):
    b_id: str = msgspec.field(name="bId")
    fault: msgspec.Raw = _NOTHING
    query_response: _Rows = _Rows()


class _BatchAnswer(Row, frozen=True):
    batch_item_response: tuple[_ItemAnswer, ...]


def ask(item_names: Sequence[str]) -> WireRequest:
    """The company, its preferences, every list, first pages, and the items of these names."""
    queries: Mapping[str, str] = {
        "CompanyInfo": "SELECT * FROM CompanyInfo",
        "Preferences": "SELECT * FROM Preferences",
        "Named": query.select_items(item_names),
    } | {name: select_list(name, page=0) for name in _LISTS}
    return _ask(queries)


def ask_each(statements: Sequence[str]) -> WireRequest:
    """Any queries, at most thirty."""
    return _ask({str(place): statement for place, statement in enumerate(statements)})


def _ask(queries: Mapping[str, str]) -> WireRequest:
    items = [{"bId": name, "Query": statement} for name, statement in queries.items()]
    return WireRequest(line=f"POST /batch?minorversion={MINOR_VERSION}", body=encode({"BatchItemRequest": items}))


def select_list(entity: str, *, page: int) -> str:
    """One page of a list: accounts with the closed ones, of items only those that can't be sold any more."""
    match entity:
        case "Account":
            return query.select_page(entity, page=page, rows="all")
        case "Item":
            return query.select_page(entity, page=page, rows="inactive")
        case _:
            return query.select_page(entity, page=page)


def take_in_each(received: Received, count: int) -> list[Rows]:
    """The rows of each query, in the order asked. Raises verdicts."""
    found = {item.b_id: item.query_response for item in _read(received)}
    missing = [place for place in range(count) if str(place) not in found]
    if missing:
        answered = Answered(received.status, received.tid, message="The answer leaves out some of the queries.")
        raise TryLaterError(answered, scope="record")
    return [found[str(place)] for place in range(count)]


def _read(received: Received) -> tuple[_ItemAnswer, ...]:
    try:
        answer = msgspec.json.decode(received.body, type=_BatchAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"QuickBooks' answer can't be read: {error}"[:500]
        answered = Answered(http_status=received.status, tid=received.tid, message=message)
        raise TryLaterError(answered, scope="record") from error
    for item in answer.batch_item_response:
        if fault := msgspec.json.decode(item.fault):
            raise verdict_of_fault(received, fault, is_write=False)
    return answer.batch_item_response


def take_in(received: Received, item_names: Sequence[str]) -> tuple[CompanyFacts, Reference] | None:
    """What was read of what `ask` asks for; None where a list has more than its first page. Raises verdicts."""
    found = {item.b_id: item.query_response for item in _read(received)}
    company, preferences = found["CompanyInfo"].company_info, found["Preferences"].preferences
    facts = reading.company_facts(company[0], preferences[0])
    lists = found["Account"].account, found["TaxCode"].tax_code, found["TaxRate"].tax_rate
    methods, items = found["PaymentMethod"].payment_method, found["Item"].item
    named = found["Named"].item
    if max(len(methods), len(items), len(named), *(len(listed) for listed in lists)) >= query.PAGE_SIZE:
        return None
    missing = reading.list_missing(item_names, named)
    return facts, reading.reference(*lists, methods, items, facts, missing)
