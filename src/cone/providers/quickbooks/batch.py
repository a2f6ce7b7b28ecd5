"""Many writes in one request, and the answers taken apart again (api-facts §7.1). Pure.

Items succeed and fail alone, also in an HTTP 200; answers come in any order and are matched by bId. The bodies are the
prepared writes' own bytes, so a batch of the same items is the same bytes.
"""

from collections.abc import Mapping, Sequence

import msgspec

from cone.accounting.port.documents import Kind, RemoteRecord
from cone.accounting.port.provider import BatchItem, Sent, WireRequest
from cone.accounting.port.verdicts import Answered, OutcomeUnknownError, Verdict
from cone.providers.quickbooks import reading
from cone.providers.quickbooks.faults import Received, verdict_of_fault
from cone.providers.quickbooks.wire import MINOR_VERSION, CustomerRow, InvoiceRow, ItemRow, PaymentRow, Row, encode

# Code 1040 above it (api-facts §3).
LARGEST_BATCH = 30
_PATH = "/batch?"
_NAMES = {"customer": "Customer", "item": "Item", "invoice": "Invoice", "payment": "Payment"}
_NOTHING = msgspec.Raw(b"null")


class _ItemAnswer(Row, frozen=True):
    b_id: str = msgspec.field(name="bId")
    fault: msgspec.Raw = _NOTHING
    customer: msgspec.Raw = _NOTHING
    item: msgspec.Raw = _NOTHING
    invoice: msgspec.Raw = _NOTHING
    payment: msgspec.Raw = _NOTHING


class _BatchAnswer(Row, frozen=True):
    batch_item_response: tuple[_ItemAnswer, ...]


_ANSWER = msgspec.json.Decoder(_BatchAnswer)
_CUSTOMER = msgspec.json.Decoder(CustomerRow)
_ITEM = msgspec.json.Decoder(ItemRow)
_INVOICE = msgspec.json.Decoder(InvoiceRow)
_PAYMENT = msgspec.json.Decoder(PaymentRow)


def join(items: Sequence[BatchItem]) -> WireRequest:
    """Prepared creates and updates as one request."""
    requests = [_item(item) for item in items]
    return WireRequest(line=f"POST {_PATH}minorversion={MINOR_VERSION}", body=encode({"BatchItemRequest": requests}))


def is_batch(target: str) -> bool:
    """Whether a request is a batch, which counts against the month's allowance though it writes (§3)."""
    return target.startswith(_PATH)


def _item(item: BatchItem) -> dict[str, object]:
    """An item names its entity and operation; `line` is one that `mapping` wrote."""
    path, _, query = item.request.line.removeprefix("POST /").partition("?")
    operation = "update" if "operation=update" in query.split("&") else "create"
    return {"bId": item.key, "operation": operation, _NAMES[path]: msgspec.Raw(item.request.body)}


def take_apart(received: Received, kinds: Mapping[str, Kind]) -> dict[str, Sent | Verdict]:
    """By key, what became of each item that the answer mentions. Raises OutcomeUnknownError when it can't be read."""
    try:
        answer = _ANSWER.decode(received.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable(received, error) from error
    mentioned = [item for item in answer.batch_item_response if item.b_id in kinds]
    answered = Answered(http_status=received.status, tid=received.tid)
    return {item.b_id: _outcome(received, answered, item, kinds[item.b_id]) for item in mentioned}


def _outcome(received: Received, answered: Answered, item: _ItemAnswer, kind: Kind) -> Sent | Verdict:
    fault: object = None if item.fault is _NOTHING else msgspec.json.decode(item.fault)
    if fault:
        return verdict_of_fault(received, fault, is_write=True)
    try:
        record = _record(item, kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _unreadable(received, error)
    return Sent(record=record, answered=answered)


def _record(item: _ItemAnswer, kind: Kind) -> RemoteRecord:
    match kind:
        case "customer":
            return reading.customer_record(_CUSTOMER.decode(item.customer))
        case "service":
            return reading.item_record(_ITEM.decode(item.item))
        case "invoice":
            return reading.invoice_record(_INVOICE.decode(item.invoice))
        case "payment":
            return reading.payment_record(_PAYMENT.decode(item.payment))


def _unreadable(received: Received, error: Exception) -> OutcomeUnknownError:
    message = f"QuickBooks' answer can't be read: {error}"[:500]
    return OutcomeUnknownError(Answered(http_status=received.status, tid=received.tid, message=message))
