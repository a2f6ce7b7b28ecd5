"""Invoices whose customers and items are on their way from this very lane. Pure.

A new company's first look finds all of its invoices waiting for its first customers. Writing that down, reading them
again and planning them again would cost more than sending them: they're kept in mind instead, as they were read, and
planned when what they wait for has arrived. What doesn't arrive lets go of them: the next look then reads them anew and
writes down what they wait for.
"""

from collections.abc import Iterable, Mapping

from cone.accounting.port.documents import RemoteRecord
from cone.accounting.records import InvoiceRecord, Reference, Situation, Subject
from cone.kit.values import Value, replace


class Expecting(Value):
    """A row, and what must arrive before it can be planned."""

    subject: Subject
    missing: frozenset[Reference]


def can_expect(subject: Subject) -> bool:
    """Whether a row can be planned later as it was read: an invoice finds what it refers to in the situation.

    A payment carries how its invoices stood, which is old by then.
    """
    return isinstance(subject.record, InvoiceRecord)


class Waiting:
    """The rows that a lane keeps in mind, by the look that read them."""

    def __init__(self) -> None:
        self._looks: list[tuple[Situation, list[Expecting]]] = []

    def __len__(self) -> int:
        return sum(len(rows) for _, rows in self._looks)

    def row_ids(self) -> list[int]:
        """The rows that wait here."""
        return [one.subject.row.id for _, rows in self._looks for one in rows]

    def add(self, rows: list[Expecting], situation: Situation) -> None:
        """Keep what one look read."""
        if rows:
            self._looks.append((situation, rows))

    def clear(self) -> None:
        """Forget all of it: it's to be read anew."""
        self._looks.clear()

    def forget(self, references: Iterable[Reference]) -> bool:
        """Forget those that wait for any of these, which don't come now; whether there were any."""
        if not self._looks:
            return False
        gone = frozenset(references)
        before = len(self)
        kept = [(situation, [one for one in rows if not one.missing & gone]) for situation, rows in self._looks]
        self._looks = [(situation, rows) for situation, rows in kept if rows]
        return len(self) < before

    def take_arrived(self, links: Mapping[Reference, RemoteRecord]) -> list[tuple[Subject, Situation]]:
        """Take those for which everything is there now, each with the situation it was read in and the new links."""
        arrived: list[tuple[Subject, Situation]] = []
        looks, self._looks = self._looks, []
        for before, rows in looks:
            situation = _with_links(before, links)
            left = [Expecting(one.subject, one.missing - links.keys()) for one in rows]
            arrived += [(one.subject, situation) for one in left if not one.missing]
            self.add([one for one in left if one.missing], situation)
        return arrived


def _with_links(situation: Situation, links: Mapping[Reference, RemoteRecord]) -> Situation:
    """What was read, and what is there since. Items that were about to move still are: the next look tells."""
    currencies = {
        uuid: record.currency for (kind, uuid), record in links.items() if kind == "customer" and record.currency
    }
    return replace(
        situation,
        linked={**situation.linked, **{reference: record.remote_id for reference, record in links.items()}},
        customer_currencies={**situation.customer_currencies, **currencies},
    )
