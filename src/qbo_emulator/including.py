"""The include= option of a request: which words there are, and the link that one of them adds to invoices."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from .evidence import Mark, rule
from .faults import unsupported
from .jsonio import Json

rule(
    "include.words",
    "void, allowduplicatedocnum and invoiceLink are known, in any case, several with commas",
    Mark.DOCUMENT,
    "Intuit references; several at once are assumed",
)
rule("include.others", "Any other word in include= is refused (500)", Mark.MISSING)
rule(
    "include.invoice-link",
    "With include=invoiceLink reads, queries and writes answer InvoiceLink for invoices with an online payment allowed "
    "and a BillEmail; otherwise the member is left out",
    Mark.DOCUMENT,
    "Intuit invoice reference; the address itself is made up",
)

_WORDS = frozenset({"void", "allowduplicatedocnum", "invoicelink"})
_ONLINE = ("AllowOnlineCreditCardPayment", "AllowOnlineACHPayment", "AllowOnlinePayment", "AllowIPNPayment")


def read_include(text: str) -> frozenset[str]:
    """The words of an include option in lower case; raises Fault 500 for one that is not covered."""
    words = frozenset(word.strip().lower() for word in text.split(",")) - {""}
    unknown = sorted(words - _WORDS)
    if unknown:
        raise unsupported(f"include={unknown[0][:40]} (not covered by the emulator)")
    return words


def with_link(realm: str, entity: str, shown: Json, include: Collection[str]) -> Json:
    """An answered record with the link a customer pays through, where one was asked for and there is one."""
    if "invoicelink" not in include or entity != "Invoice" or "Line" not in shown:
        return shown
    if not any(shown.get(name) for name in _ONLINE) or not (shown.get("BillEmail") or {}).get("Address"):
        return shown
    token = hashlib.sha256(f"{realm}/{shown['Id']}".encode()).hexdigest()[:40]
    return {**shown, "InvoiceLink": f"https://connect.intuit.com/t/scs-v1-{token}?cta=v3invoicelink&locale=en_US"}
