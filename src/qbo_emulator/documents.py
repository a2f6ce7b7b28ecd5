"""A sales document as a PDF of one or more plain pages, written without a library."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from .books import Books
from .document_lines import SHIPPING, flat, is_extra
from .entities.entity import Entity
from .entities.payment import Payment
from .entities.sales import SalesDocument
from .evidence import Mark, rule
from .faults import not_found, unsupported
from .jsonio import Json, dec
from .operations import check_id

rule(
    "pdf.document",
    "GET <document>/<id>/pdf answers a PDF; its looks are the emulator's own",
    Mark.DOCUMENT,
    "Intuit invoice reference",
)

_LINES_ON_A_PAGE = 48
_TITLES = {
    "Payment": "Payment receipt",
    "CreditMemo": "Credit memo",
    "SalesReceipt": "Sales receipt",
    "RefundReceipt": "Refund receipt",
}


def pdf_of(books: Books, entity: Entity, number: str) -> bytes:
    """The document's bytes; raises Fault."""
    if not isinstance(entity, (SalesDocument, Payment)):
        raise unsupported(f"PDF of {entity.name}")
    record = books.get(entity.name, check_id(number))
    if record is None:
        raise not_found()
    shown = entity.render(books, record)
    lines = _receipt(shown) if isinstance(entity, Payment) else _body(shown)
    return write_pdf([*_head(books, entity, shown), *lines])


def _head(books: Books, entity: Entity, shown: Json) -> Iterable[str]:
    info = books.info
    yield str(info["CompanyName"])
    address = info.get("CompanyAddr") or {}
    yield ", ".join(str(address[key]) for key in ("Line1", "City", "PostalCode") if address.get(key))
    yield ""
    yield f"{_TITLES.get(entity.name, entity.name)} {shown.get('DocNumber', '')}".strip()
    yield f"Date: {shown['TxnDate']}"
    if shown.get("DueDate"):
        yield f"Due: {shown['DueDate']}"
    if shown.get("CustomerRef"):
        yield f"To: {shown['CustomerRef'].get('name', '')}"
    yield ""


def _receipt(shown: Json) -> Iterable[str]:
    for line in shown["Line"]:
        link = line["LinkedTxn"][0]
        yield _row(f"{link['TxnType']} {_number(line) or link['TxnId']}", line["Amount"])
    yield _row("Unapplied", shown["UnappliedAmt"])
    yield _row(f"Received {shown['CurrencyRef']['value']}", shown["TotalAmt"])


def _number(line: Json) -> str:
    extras = (each["value"] for each in line["LineEx"]["any"])
    return next(str(pair["Value"]) for pair in extras if pair["Name"] == "txnReferenceNumber")


def _body(shown: Json) -> Iterable[str]:
    for line in flat(shown["Line"]):
        label = (
            "Subtotal" if line["DetailType"] == "SubTotalLineDetail" else str(line.get("Description") or _item(line))
        )
        yield _row(label, line.get("Amount"))
    yield _row("Tax", shown["TxnTaxDetail"]["TotalTax"])
    yield _row(f"Total {shown['CurrencyRef']['value']}", shown["TotalAmt"])
    if "Balance" in shown:
        yield _row("Balance due", shown["Balance"])


def _item(line: Json) -> str:
    detail = line.get("SalesItemLineDetail") or {}
    if is_extra(line):
        return "Shipping" if detail["ItemRef"]["value"] == SHIPPING else "Gratuity"
    named = detail.get("ItemRef") or (line.get("GroupLineDetail") or {}).get("GroupItemRef") or {}
    return str(named.get("name", line["DetailType"].removesuffix("LineDetail")))


def _row(label: str, amount: Any) -> str:
    return f"{label[:60]:<62}{'' if amount is None else format(Decimal(dec(amount)), ',.2f'):>14}"


def write_pdf(lines: list[str]) -> bytes:
    """A PDF 1.4 file with the lines in Courier, 48 to a page."""
    pages = [lines[start : start + _LINES_ON_A_PAGE] for start in range(0, len(lines), _LINES_ON_A_PAGE)] or [[]]
    kids = " ".join(f"{4 + 2 * place} 0 R" for place in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
    ]
    for place, page in enumerate(pages):
        content = _content(page)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            + f"/Contents {5 + 2 * place} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    return _file(objects)


def _content(lines: list[str]) -> bytes:
    shown = b"\n".join(b"(%s) Tj T*" % _escaped(line) for line in lines)
    return b"BT\n/F1 10 Tf\n15 TL\n50 790 Td\n%s\nET" % shown


def _escaped(text: str) -> bytes:
    plain = text.encode("cp1252", "replace")
    return (
        plain.replace(b"\\", rb"\\")
        .replace(b"(", rb"\(")
        .replace(b")", rb"\)")
        .replace(b"\n", b" ")
        .replace(b"\r", b" ")
    )


def _file(objects: list[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(out)
