"""Compares a book with what stands in the emulator: duplicates, what's missing, cents, and when each was stored.

It reads the emulator's dump and knows nothing of whoever wrote it.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.request import urlopen

from bench.peers.book import Book
from bench.stand import Emulator, quantile

# Dates there have whole seconds: what was stored in the second in which the run began counts as 0.
_RESOLUTION = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Compared:
    """What was found over all books."""

    stored: int
    duplicates: int
    missing: int
    cents_of_difference: int
    seconds: list[int]

    def row(self) -> dict[str, object]:
        """As columns of a table. Seconds run from the start, when all the invoices were there already."""
        return {
            "p50_s": quantile(self.seconds, 500) if self.seconds else "",
            "p95_s": quantile(self.seconds, 950) if self.seconds else "",
            "duplicates": self.duplicates,
            "missing": self.missing,
            "cents_of_difference": self.cents_of_difference,
        }


def compare(emulator: Emulator, books: Mapping[str, Book], *, started: datetime) -> Compared:
    """Compare each company's invoices with its book. Every copy of an invoice after the first is a duplicate."""
    stored = duplicates = missing = cents = 0
    seconds: list[int] = []
    for realm_id, book in books.items():
        totals = book.totals()
        found = _invoices(emulator, realm_id)
        times = Counter(str(invoice.get("DocNumber")) for invoice in found)
        stored += sum(1 for number in totals if times[number])
        duplicates += sum(times[number] - 1 for number in totals if times[number])
        missing += sum(1 for number in totals if not times[number])
        for invoice in found:
            if (wanted := totals.get(str(invoice.get("DocNumber")))) is not None:
                cents += int(abs(Decimal(str(invoice["TotalAmt"])) - wanted) * 100)
                seconds.append(_since(started, invoice))
    return Compared(stored, duplicates, missing, cents, seconds)


def _invoices(emulator: Emulator, realm_id: str) -> list[dict[str, object]]:
    with urlopen(f"{emulator.url}/_emulator/dump?realm_id={realm_id}&entities=Invoice&form=stored") as answer:  # noqa: S310  # our own server
        [company] = json.load(answer, parse_float=Decimal)["companies"]
    found: list[dict[str, object]] = company["entities"].get("Invoice", [])
    return found


def _since(started: datetime, invoice: dict[str, object]) -> int:
    meta = invoice["MetaData"]
    created = datetime.fromisoformat(meta["CreateTime"] if isinstance(meta, dict) else "")
    return max(0, (created.astimezone(UTC) - started + _RESOLUTION) // _RESOLUTION - 1)
