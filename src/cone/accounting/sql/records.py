"""Our records as documents are made from them: one statement per kind, whatever the number of rows."""

CUSTOMERS = """
select c.uuid, c.revision, coalesce(n.remote_name, c.name) as name, c.name as own_name, c.email, c.phone, c.tax_number,
       c.address_line1, c.address_line2, c.city, c.region, c.postal_code, c.country, c.currency, c.notes
from books_customer c
left join books_remotename n on n.company_id = %(company)s and n.kind = 'customer' and n.record_uuid = c.uuid
    and n.own_name = c.name
where c.uuid = any(%(uuids)s) and c.workspace_id = %(workspace)s
"""

SERVICES = """
select s.uuid, s.revision, s.name, s.description, s.unit_price, coalesce(a.remote_id, '') as income_account_id
from books_service s
left join books_serviceaccount a on a.service_id = s.id and a.connection_id = %(connection)s
where s.uuid = any(%(uuids)s) and s.workspace_id = %(workspace)s
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

PAYMENTS = """
select p.uuid, p.revision, p.voided_at is not null as is_void, c.uuid as customer_uuid, c.name as customer_name,
       p.received_date, p.amount, p.currency, p.method, p.reference
from books_payment p join books_customer c on c.id = p.customer_id
where p.uuid = any(%(uuids)s) and p.workspace_id = %(workspace)s
"""

# Each part with its invoice as it stands here and there.
ALLOCATIONS = """
select p.uuid as payment_uuid, i.uuid as invoice_uuid, coalesce(i.number, '') as number, i.status, i.issued_at,
       i.issue_date, i.currency, i.total, a.amount, l.remote_id, l.standing,
       (l.answer->>'total')::numeric as total_there,
       coalesce(o.id is not null and l.synced_revision < i.revision, false) as is_behind,
       coalesce(o.is_in_scope, false) as is_asked_for
from books_paymentallocation a
join books_payment p on p.id = a.payment_id
join books_invoice i on i.id = a.invoice_id
left join books_link l on l.company_id = %(company)s and l.kind = 'invoice' and l.record_uuid = i.uuid
left join books_outboxrow o on o.company_id = %(company)s and o.kind = 'invoice' and o.record_uuid = i.uuid
where p.uuid = any(%(uuids)s) and p.workspace_id = %(workspace)s
order by p.uuid, i.issue_date, i.id
"""

# What our payments pay of these invoices there, as last answered; those that change there next are pending.
APPLIED_THERE = """
select i.uuid as invoice_uuid, p.uuid as payment_uuid, (pl.answer->'applied'->>il.remote_id)::numeric as amount,
       o.id is not null as is_pending
from books_invoice i
join books_link il on il.company_id = %(company)s and il.kind = 'invoice' and il.record_uuid = i.uuid
join books_payment p on p.customer_id = i.customer_id
join books_link pl on pl.company_id = %(company)s and pl.kind = 'payment' and pl.record_uuid = p.uuid
    and pl.standing = 'live' and pl.answer->'applied' ? il.remote_id
left join books_outboxrow o on o.company_id = %(company)s and o.kind = 'payment' and o.record_uuid = p.uuid
where i.uuid = any(%(uuids)s) and i.workspace_id = %(workspace)s
order by i.id, p.id
"""

PAYMENT_METHODS = """
select lower(name) as name, remote_id from books_referencerecord
where connection_id = %(connection)s and kind = 'payment_method' and is_active order by id desc
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
union all
-- what an undone run voided carries our mark still, and is nobody's any more
select 1 from books_runrecord r join books_backfillrun n on n.id = r.run_id
where n.company_id = %(company)s and r.undo = 'done' and r.kind = %(kind)s and r.remote_id = %(remote_id)s
"""

NUMBERS_TAKEN = """
select answer->>'number' as number, record_uuid from books_link
where company_id = %(company)s and kind = 'invoice' and answer->>'number' = any(%(numbers)s)
"""

NAMES_TAKEN = """
select lower(answer->>'name') as plain, answer->>'name' as name, record_uuid, remote_id, remote_version from books_link
where company_id = %(company)s and kind = 'customer' and lower(answer->>'name') = any(%(names)s)
"""

# Those of the ids that other records of ours are; a row without an id stands for a customer whose answer is still out.
CUSTOMERS_LINKED = """
select remote_id from books_link
where company_id = %(company)s and kind = 'customer' and remote_id = any(%(ids)s) and record_uuid <> %(uuid)s
union all
select null from books_attempt
where company_id = %(company)s and kind = 'customer' and state = 'unknown' and operation = 'create'
    and record_uuid <> %(uuid)s
"""
