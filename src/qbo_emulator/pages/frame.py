"""What every page of a company has around it: the company, and what its script watches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qbo_emulator.books import Books
from qbo_emulator.jsonio import Json

if TYPE_CHECKING:
    from qbo_emulator.emulator import Emulator


def company_of(books: Books) -> Json:
    return {
        "realm": books.realm,
        "name": books.info["CompanyName"],
        "country": books.country,
        "currency": books.preferences["CurrencyPrefs"]["HomeCurrency"]["value"],
        "closed": books.preferences["AccountingInfoPrefs"].get("BookCloseDate"),
    }


def latest_invoice(books: Books) -> Json | None:
    """The one that arrived last."""
    number = next(reversed(books.records["Invoice"]), None)
    return None if number is None else books.get("Invoice", number)


def frame(emulator: Emulator, books: Books, here: str) -> dict[str, Any]:
    latest = latest_invoice(books)
    return {
        "company": company_of(books),
        "here": here,
        "pulse": emulator.pulse,
        "latest": latest["Id"] if latest is not None else "0",
    }
