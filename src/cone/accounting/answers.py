"""What is kept of an answer, beside the link it made or confirmed: figures, what's fixed for life there, and theirs."""

from cone.accounting.port.documents import RemoteRecord


def answer_to_json(record: RemoteRecord) -> dict[str, object]:
    """Decimals as strings: exact through any JSON."""
    said_by_some = (("kept", record.kept), ("besides", record.besides), ("account", record.income_account_id))
    return {name: said for name, said in said_by_some if said} | {
        "number": record.number,
        "total": None if record.total is None else str(record.total),
        "tax": None if record.tax is None else str(record.tax),
        "codes": list(record.tax_codes),
        "name": record.name,
        "currency": record.currency,
        "applied": {part.invoice_id: str(part.amount) for part in record.applied},
    }
