"""Much that is read of a company in one metered request: a batch of queries (api-facts §3, §7.1). Pure."""

import unicodedata
from collections.abc import Collection, Mapping, Sequence

import msgspec

from cone.accounting.port.company import CompanyFacts, Reference
from cone.accounting.port.provider import WireRequest
from cone.accounting.port.verdicts import Answered, TryLaterError
from cone.providers.quickbooks import query, reading
from cone.providers.quickbooks.faults import Received, verdict_of_fault
from cone.providers.quickbooks.wire import MINOR_VERSION, CompanyRow, PreferencesRow, Row, Rows, encode

_LISTS = ("Account", "TaxCode", "TaxRate", "PaymentMethod", "Item")
_NAMED = "Named"
_LONGEST_NAME = 100
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
    """The company, its preferences, every list, first pages, and the items of those names that an item can have."""
    return _ask(_queries(_list_askable(item_names)))


def _queries(names: Sequence[str]) -> Mapping[str, str]:
    named = {_NAMED: query.select_items(names)} if names else {}
    return {
        "CompanyInfo": "SELECT * FROM CompanyInfo",
        "Preferences": "SELECT * FROM Preferences",
        **named,
        **{name: select_list(name, page=0) for name in _LISTS},
    }


def _list_askable(item_names: Sequence[str]) -> list[str]:
    """Without those that no item can have: the query may be refused for them."""
    return [name for name in item_names if 0 < len(name.strip()) <= _LONGEST_NAME and not any(map(_is_unfit, name))]


def _is_unfit(character: str) -> bool:
    return character == ":" or unicodedata.category(character) == "Cc"


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
    asked = [str(place) for place in range(count)]
    found = _take_apart(received, asked)
    return [found[name].query_response for name in asked]


def _take_apart(received: Received, asked: Collection[str], *, may_fail: str = "") -> Mapping[str, _ItemAnswer]:
    """What was answered to each query asked. Raises the verdict of a fault of any but the one that may fail."""
    try:
        answer = msgspec.json.decode(received.body, type=_BatchAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unclear(received, f"QuickBooks' answer can't be read: {error}"[:500]) from error
    found = {item.b_id: item for item in answer.batch_item_response}
    for name, item in found.items():
        if name != may_fail and (fault := msgspec.json.decode(item.fault)):
            raise verdict_of_fault(received, fault, is_write=False)
    if any(name not in found for name in asked):
        raise _unclear(received, "The answer leaves out some of the queries.")
    return found


def _unclear(received: Received, message: str) -> TryLaterError:
    return TryLaterError(Answered(received.status, received.tid, message=message), scope="record")


def take_in(received: Received, item_names: Sequence[str]) -> tuple[CompanyFacts, Reference] | None:
    """What was read of what `ask` asks for; None where a list has more than its first page. Raises verdicts."""
    names = _list_askable(item_names)
    found = _take_apart(received, _queries(names), may_fail=_NAMED)
    rows = {name: item.query_response for name, item in found.items()}
    company, preferences = rows["CompanyInfo"].company_info, rows["Preferences"].preferences
    if not company or not preferences:
        raise _unclear(received, "The answer says nothing of the company.")
    facts = reading.company_facts(company[0], preferences[0])
    lists = rows["Account"].account, rows["TaxCode"].tax_code, rows["TaxRate"].tax_rate
    methods, items = rows["PaymentMethod"].payment_method, rows["Item"].item
    if max(len(methods), len(items), *(len(listed) for listed in lists)) >= query.PAGE_SIZE:
        return None
    missing: Sequence[str] = ()
    # Refused alone, or cut off, it says nothing of any name: each is looked for before it's made.
    if names and not msgspec.json.decode(found[_NAMED].fault) and len(rows[_NAMED].item) < query.PAGE_SIZE:
        missing = reading.list_missing(names, rows[_NAMED].item)
    return facts, reading.reference(*lists, methods, items, facts, missing)
