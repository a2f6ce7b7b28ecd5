"""What is kept of an answer, beside the link it made or confirmed: figures, what's fixed for life there, and theirs."""

from cone.accounting.port.documents import RemoteRecord


def answer_to_json(record: RemoteRecord) -> dict[str, object]:
    """Decimals as strings: exact through any JSON."""
    theirs = {name: said for name, said in (("kept", record.kept), ("besides", record.besides)) if said}
    return theirs | {
        "number": record.number,
        "total": None if record.total is None else str(record.total),
        "tax": None if record.tax is None else str(record.tax),
        "codes": list(record.tax_codes),
        "name": record.name,
        "currency": record.currency,
        "applied": {part.invoice_id: str(part.amount) for part in record.applied},
    }
