"""Our records as documents are made from them: one statement per kind, whatever the number of rows."""

CUSTOMERS = """
select uuid, revision, name, email, phone, tax_number, address_line1, address_line2, city, region, postal_code,
       country, currency, notes
from books_customer where uuid = any(%(uuids)s) and workspace_id = %(workspace)s
"""

SERVICES = """
select uuid, revision, name, description, unit_price from books_service
where uuid = any(%(uuids)s) and workspace_id = %(workspace)s
"""

INVOICES = """
select i.uuid, i.revision, i.status, coalesce(i.number, '') as number, c.uuid as customer_uuid, c.name as customer_name,
       c.email as customer_email, i.issued_at, i.issue_date, i.due_date, i.currency, i.amounts_are, i.memo,
       i.net, i.tax, i.total
from books_invoice i join books_customer c on c.id = i.customer_id
where i.uuid = any(%(uuids)s) and i.workspace_id = %(workspace)s
"""

LINES = """
select i.uuid as invoice_uuid, s.uuid as service_uuid, coalesce(s.name, '') as service_name, l.description, l.quantity,
       l.unit_price, l.amount, l.net, r.uuid as tax_rate_uuid, r.name as tax_rate_name, l.tax_percent
from books_invoiceline l
join books_invoice i on i.id = l.invoice_id
join books_taxrate r on r.id = l.tax_rate_id
left join books_service s on s.id = l.service_id
where i.uuid = any(%(uuids)s) and i.workspace_id = %(workspace)s
order by i.uuid, l.position
"""

LINKED = """
select kind, record_uuid, remote_id, coalesce(answer->>'currency', '') as currency from books_link
where company_id = %(company)s and record_uuid = any(%(uuids)s)
"""

# Two of our customers may share name and address; only one of them can be the one there, and it may be the one whose
# answer is still out.
LINKED_ELSEWHERE = """
select 1 from books_link
where company_id = %(company)s and kind = %(kind)s and remote_id = %(remote_id)s and record_uuid <> %(uuid)s
    and kind <> 'service'
union all
select 1 from books_attempt
where company_id = %(company)s and kind = %(kind)s and kind = 'customer' and state = 'unknown'
    and operation = 'create' and record_uuid <> %(uuid)s
"""
