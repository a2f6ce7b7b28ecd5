"""A company's whole books as JSON, for whoever wants to check them independently."""

from collections.abc import Iterable

import msgspec

from qbo_emulator.books import Books
from qbo_emulator.entities.entity import Entity
from qbo_emulator.jsonio import Json, encode

FORMS = ("shown", "stored")


def dump(books: Books, entities: Iterable[Entity], form: str) -> Json:
    """All records, voided and inactive ones too, and what each deleted one was; `stored` is several times faster."""
    chosen = list(entities)
    names = {entity.name for entity in chosen}
    return {
        "realm_id": books.realm,
        "name": books.info["CompanyName"],
        "entities": {entity.name: _records(books, entity, form) for entity in chosen},
        "deleted": [
            {"entity": entity, "id": number, "at": at, "was": books.last_words.get((entity, number))}
            for (entity, number), at in books.deleted.items()
            if entity in names
        ],
    }


def _records(books: Books, entity: Entity, form: str) -> msgspec.Raw:
    # Each record becomes text before the next is rendered: a hundred thousand of them would keep the collector busy.
    ordered = sorted(books.all(entity.name), key=lambda each: (len(each["Id"]), each["Id"]))
    if form == "stored":
        texts = [encode(record) for record in ordered]
    else:
        texts = [encode(entity.render(books, record)) for record in ordered]
    return msgspec.Raw(b"[" + b",".join(texts) + b"]")
