"""A look: everything that a plan for some rows needs, in one statement, hence in one snapshot of the books.

It returns the connection's settings as columns and the rows with their records as one JSON text, which is decoded
straight into the records' types: for a lane, reading is most of what a record costs.
"""

from cone.accounting.conclusions import PLAIN_NOES
from cone.kit.money import NO_MINOR_UNIT, THOUSANDTHS

# `facts`, `tax_codes` and `inactive` only where the settings moved since they were read last.
_SETTINGS = """
select c.id, c.workspace_id, c.company_id, c.company_id_remote, c.provider, c.environment, c.state,
       c.paused_at is not null as is_paused,
       c.lane_epoch, c.settings_revision, c.backlog_pace,
       c.name_policy, c.item_mode, c.tax_source, c.deposit_account_id, c.income_account_id,
       c.connected_at, c.removal_policy, c.not_before > now() as must_wait,
       w.uuid as workspace_uuid, w.currency as own_currency,
       (c.throttle_tries > 0 or c.is_allowance_used) as is_throttled,
       case when c.reads_not_before > now() then c.reads_not_before - now() end as reads_held_for,
       c.try_now_at,
       coalesce(a.name, '') as deposit_account_name,
       coalesce(a.is_active and (a.detail->>'can_receive_deposits')::bool, false) as is_deposit_account_active,
       case when c.settings_revision is distinct from %(known_settings)s::bigint then c.facts end as facts,
       case when c.settings_revision is distinct from %(known_settings)s::bigint then (
           select jsonb_agg(json_build_object('uuid', r.uuid, 'remote_id', m.remote_id, 'remote_name', m.remote_name,
                                             'is_active', ref.is_active, 'components', ref.detail->'components'))
           from books_taxmapping m
           join books_taxrate r on r.id = m.tax_rate_id
           left join books_referencerecord ref
               on ref.connection_id = m.connection_id and ref.kind = 'tax_code' and ref.remote_id = m.remote_id
           where m.connection_id = c.id
       ) end as tax_codes,
       -- what can't be referred to any more, as it was when the lists were read last
       case when c.settings_revision is distinct from %(known_settings)s::bigint then (
           select jsonb_agg(json_build_object('kind', kind, 'remote_id', remote_id, 'name', name))
           from books_referencerecord
           where connection_id = c.id and kind in ('account', 'item') and not is_active
       ) end as inactive,
       -- old ones say nothing any more: paused, without reads, or in a restored copy they aren't read each day
       case when c.facts_read_at > now() - interval '2 days' then c.missing_items else '[]' end as missing_items
from books_connection c
join books_workspace w on w.id = c.workspace_id
left join books_referencerecord a
    on a.connection_id = c.id and a.kind = 'account' and a.remote_id = c.deposit_account_id
where c.id = %(connection)s
"""


def _one(table: str, kind: str, uuid: str, *, company: str = "%(company)s", and_where: str = "") -> str:
    """Join at most one row, by what is unique of a record in a company.

    `offset 0` has the database look it up, whatever it thinks an average company has: beside many small firms it reads
    all that a large one has, otherwise.
    """
    return f"""lateral (
    select * from {table} where company_id = {company} and kind = {kind} and record_uuid = {uuid}{and_where} offset 0
)"""  # noqa: S608  # made of constants


# What was answered to a first send with a plain no has certainly not arrived; anything else that was given up may have.
_GIVEN_UP = f"""p.state = 'failed' and p.operation = 'create' and not (
    p.sends = 1 and p.verdict in ({", ".join(f"'{each}'" for each in PLAIN_NOES)}))"""

_ROWS = f"""
select o.id, o.kind, o.record_uuid, o.wanted_revision, o.priority, o.tries, o.is_in_scope, o.take_back,
       l.remote_id, l.remote_version, l.standing, l.synced_revision, l.is_made_here,
       coalesce((l.answer->>'is_equal')::bool, true) as is_equal, coalesce(l.answer->>'kept', '') as kept,
       coalesce((l.answer->>'has_text')::bool, false) as has_text,
       coalesce(g.last_generation, 0) as last_generation, g.given_up_first, g.given_up_last,
       u.id as attempt_id, u.operation, u.revision as attempt_revision, u.request_line, u.body, u.request_id, u.sends,
       u.expected, u.batch_id, u.batch_place, u.started_at,
       floor(extract(epoch from now() - u.started_at))::int as attempt_age,
       floor(1000 * extract(epoch from now() - u.last_sent_at))::bigint as attempt_silence
from {{source}} o
left join {_one("books_link", "o.kind", "o.record_uuid", company="o.company_id")} l on true
left join books_attempt u on u.company_id = o.company_id and u.kind = o.kind and u.record_uuid = o.record_uuid
    and u.state = 'unknown'
left join lateral (
    select max(p.generation) as last_generation,
           min(p.started_at) filter (where {_GIVEN_UP}) as given_up_first,
           max(p.last_sent_at) filter (where {_GIVEN_UP}) as given_up_last
    from books_attempt p where p.company_id = o.company_id and p.kind = o.kind and p.record_uuid = o.record_uuid
) g on true
"""  # noqa: S608  # made of constants


def rows_from(source: str) -> str:
    """Select rows of an outbox, or of something of its shape, each with its link and its attempts."""
    return _ROWS.format(source=source)


def _whole(amount: str, currency: str) -> str:
    """A figure in the minor units of its currency. Columns hold four decimals for all of them."""
    none, thousandths = (", ".join(f"'{each}'" for each in sorted(few)) for few in (NO_MINOR_UNIT, THOUSANDTHS))
    return (
        f"round({amount}, case when {currency} in ({none}) then 0 when {currency} in ({thousandths}) then 3 else 2 end)"
    )


# Another workspace's records are as good as gone. Records are found by what is unique of them, whatever the database
# thinks an average firm has: hence `+ 0`, which keeps it from reading a whole workspace, and `offset 0`, as in `_one`.
_CUSTOMERS = f"""
customer as materialized (
    select c.*, coalesce(n.remote_name, c.name) as name_there
    from books_customer c
    left join {_one("books_remotename", "'customer'", "c.uuid", and_where=" and own_name = c.name")} n on true
    where c.uuid = any(array(select record_uuid from due where kind = 'customer'))
        and c.workspace_id + 0 = (select workspace_id from head)
), customers as (
    select json_agg(json_build_object(
        'uuid', uuid, 'revision', revision, 'name', name_there, 'own_name', name, 'email', email, 'phone', phone,
        'tax_number', tax_number, 'currency', currency, 'notes', notes,
        'address', json_build_object('line1', address_line1, 'line2', address_line2, 'city', city, 'region', region,
                                     'postal_code', postal_code, 'country', country))) as found
    from customer
), names_taken as (
    select json_agg(json_build_object('name', l.answer->>'name', 'uuid', l.record_uuid, 'remote_id', l.remote_id,
                                      'version', l.remote_version)) as found
    from (select distinct lower(name_there) as name from customer) wanted
    cross join lateral (
        select * from books_link
        where company_id = %(company)s and kind = 'customer' and lower(answer->>'name') = wanted.name
        offset 0
    ) l
)"""  # noqa: S608  # made of constants

_SERVICES = """
services as (
    select json_agg(json_build_object(
        'uuid', s.uuid, 'revision', s.revision, 'name', s.name, 'description', s.description,
        'unit_price', s.unit_price, 'income_account_id', coalesce(a.remote_id, ''))) as found
    from books_service s
    left join books_serviceaccount a on a.service_id = s.id and a.connection_id = %(connection)s
    where s.uuid = any(array(
            select record_uuid from due where kind = 'service'
            union select uuid from referred where kind = 'service' and remote_id is null))
        and s.workspace_id + 0 = (select workspace_id from head)
)"""

# What our payments pay of an invoice there, as last answered; those that change there next are pending.
_PAID = f"""
left join lateral (
    select json_agg(json_build_object(
        'payment_uuid', p.uuid, 'amount', (pl.answer->'applied'->>il.remote_id)::numeric,
        'is_pending', o.id is not null) order by p.id) as found
    from {_one("books_link", "'invoice'", "i.uuid")} il
    join books_payment p on p.customer_id = i.customer_id
    cross join {_one("books_link", "'payment'", "p.uuid", and_where=" and standing = 'live'")} pl
    left join {_one("books_outboxrow", "'payment'", "p.uuid")} o on true
    where pl.answer->'applied' ? il.remote_id {{others}}
) paid on true
"""  # noqa: S608  # made of constants

_PAYMENT = """
payment as materialized (
    select p.*, c.uuid as customer_uuid, c.name as customer_name
    from books_payment p join books_customer c on c.id = p.customer_id
    where p.uuid = any(array(select record_uuid from due where kind = 'payment'))
        and p.workspace_id + 0 = (select workspace_id from head)
)"""

_PAYMENTS = f"""
payments as (
    select json_agg(json_build_object(
        'uuid', p.uuid, 'revision', p.revision, 'is_void', p.voided_at is not null, 'customer_uuid', p.customer_uuid,
        'customer_name', p.customer_name, 'received_date', p.received_date,
        'amount', {_whole("p.amount", "p.currency")}, 'currency', p.currency, 'method', p.method,
        'exchange_rate', p.exchange_rate, 'reference', p.reference,
        'allocations', coalesce(parts.found, '[]'))) as found
    from payment p
    left join lateral (
        select json_agg(json_build_object(
            'invoice_uuid', i.uuid, 'number', coalesce(i.number, ''), 'status', i.status, 'issued_at', i.issued_at,
            'issue_date', i.issue_date, 'currency', i.currency, 'total', {_whole("i.total", "i.currency")},
            'amount', {_whole("a.amount", "i.currency")}, 'remote_id', l.remote_id, 'standing', l.standing,
            'total_there', (l.answer->>'total')::numeric,
            'is_behind', coalesce(o.id is not null and l.synced_revision < i.revision, false),
            'is_asked_for', coalesce(o.is_in_scope, false), 'others', coalesce(paid.found, '[]')
        ) order by i.issue_date, i.id) as found
        from books_paymentallocation a
        join books_invoice i on i.id = a.invoice_id
        left join {_one("books_link", "'invoice'", "i.uuid")} l on true
        left join {_one("books_outboxrow", "'invoice'", "i.uuid")} o on true
        {_PAID.format(others="and p.id <> a.payment_id")}
        where a.payment_id = p.id
    ) parts on true
), methods as (
    -- of two of a name the one read first
    select json_object_agg(name, remote_id) as found from (
        select distinct on (lower(name)) lower(name) as name, remote_id from books_referencerecord
        where connection_id = %(connection)s and kind = 'payment_method' and is_active
            and exists (select from payment)
        order by lower(name), id
    ) method
)"""  # noqa: S608  # made of constants

_INVOICE = """
invoice as materialized (
    select i.*, c.uuid as customer_uuid, c.name as customer_name, c.email as customer_email
    from books_invoice i join books_customer c on c.id = i.customer_id
    where i.uuid = any(array(select record_uuid from due where kind = 'invoice'))
        and i.workspace_id + 0 = (select workspace_id from head)
)"""

_INVOICES = f"""
invoices as (
    select json_agg(json_build_object(
        'uuid', i.uuid, 'revision', i.revision, 'status', i.status, 'number', coalesce(i.number, ''),
        'customer_uuid', i.customer_uuid, 'customer_name', i.customer_name, 'customer_email', i.customer_email,
        'issued_at', i.issued_at, 'issue_date', i.issue_date, 'due_date', i.due_date, 'currency', i.currency,
        'amounts_are', i.amounts_are, 'exchange_rate', i.exchange_rate, 'memo', i.memo,
        'net', {_whole("i.net", "i.currency")},
        'tax', {_whole("i.tax", "i.currency")}, 'total', {_whole("i.total", "i.currency")},
        'lines', coalesce(line.found, '[]'), 'applied', coalesce(paid.found, '[]'))) as found
    from invoice i
    left join lateral (
        select json_agg(json_build_object(
            'service_uuid', coalesce(case when head.item_mode <> 'one' then s.uuid end, %(general)s::uuid),
            'service_name', coalesce(s.name, %(general_name)s::text), 'description', l.description,
            'quantity', l.quantity, 'unit_price', l.unit_price,
            'amount', {_whole("l.amount", "i.currency")}, 'net', {_whole("l.net", "i.currency")},
            'tax_rate_uuid', r.uuid, 'tax_rate_name', r.name, 'tax_percent', l.tax_percent
        ) order by l.position) as found
        from head
        cross join books_invoiceline l
        join books_taxrate r on r.id = l.tax_rate_id
        left join books_service s on s.id = l.service_id
        where l.invoice_id = i.id
    ) line on true
    {_PAID.format(others="")}
), numbers_taken as (
    select json_agg(json_build_object('number', l.answer->>'number', 'uuid', l.record_uuid)) as found
    from (select distinct number from invoice where number <> '') wanted
    cross join lateral (
        select * from books_link
        where company_id = %(company)s and kind = 'invoice' and answer->>'number' = wanted.number
        offset 0
    ) l
)"""  # noqa: S608  # made of constants


def is_item_moving(link: str, connection: str) -> str:
    """Whether the item of a service's link, made by us, is about to move to another account.

    Lines would post to the former one. Of answers kept by older versions nobody knows the account: then any change
    counts. Its values are names in the statement: of a link, and of its company's connection.
    """
    return f"""exists (
        select from books_outboxrow moving
        where moving.company_id = {link}.company_id and moving.kind = 'service'
            and moving.record_uuid = {link}.record_uuid and {_moves(link, "moving", connection)})"""


def _moves(link: str, row: str, connection: str) -> str:
    return f"""{link}.is_made_here and {row}.wanted_revision > {link}.synced_revision
    and {link}.answer->>'account' is distinct from coalesce((
        select own.remote_id from books_serviceaccount own join books_service service on service.id = own.service_id
        where service.uuid = {link}.record_uuid and own.connection_id = {connection}.id
    ), {connection}.income_account_id)"""  # noqa: S608  # made of constants


# What the records refer to, and where it is there. An item is moved by the service that it was made for, which may be
# another one than found it: an archived one of the same name.
_REFERRED = f"""
moving as materialized (
    select distinct on (l.remote_id) l.remote_id, l.record_uuid as uuid
    from head cross join books_outboxrow o
    join {_one("books_link", "'service'", "o.record_uuid")} l on true
    where o.company_id = %(company)s and o.kind = 'service' and {_moves("l", "o", "head")}
    order by l.remote_id
), referred as materialized (
    select wanted.kind, wanted.uuid, l.remote_id, coalesce(l.answer->>'currency', '') as currency,
        moving.uuid as moved_by
    from head cross join (
        select 'customer' as kind, customer_uuid as uuid from invoice
        union select 'customer', customer_uuid from payment
        union select 'service', s.uuid from invoice i join books_invoiceline l on l.invoice_id = i.id
            join books_service s on s.id = l.service_id
        union select 'service', %(general)s::uuid
    ) wanted
    left join lateral (
        select * from books_link
        where company_id = %(company)s and kind = wanted.kind and record_uuid = wanted.uuid
            -- a customer that isn't one there any more can't be referred to
            and (kind <> 'customer' or standing = 'live')
        offset 0
    ) l on true
    left join moving on wanted.kind = 'service' and moving.remote_id = l.remote_id
), linked as (
    select json_agg(json_build_object('kind', kind, 'uuid', uuid, 'remote_id', remote_id,
                                      'currency', currency, 'moved_by', moved_by)) as found
    from referred where remote_id is not null
)"""  # noqa: S608  # made of constants

_DUE = """
    select json_agg(json_build_object(
        'row', json_build_object(
            'id', id, 'kind', kind, 'uuid', record_uuid, 'wanted_revision', wanted_revision, 'priority', priority,
            'tries', tries, 'last_generation', last_generation,
            'given_up', case when given_up_first is not null then json_build_object(
                'first_sent_at', given_up_first, 'last_sent_at', given_up_last) end,
            'is_in_scope', is_in_scope, 'take_back', take_back),
        'link', case when remote_id is not null then json_build_object(
            'remote_id', remote_id, 'remote_version', remote_version, 'synced_revision', synced_revision,
            'is_equal', is_equal, 'standing', standing, 'is_made_here', is_made_here, 'kept', kept,
            'has_text', has_text) end,
        'attempt', case when attempt_id is not null then json_build_object(
            'id', attempt_id, 'operation', operation, 'revision', attempt_revision, 'line', request_line,
            'body', translate(encode(body, 'base64'), e'\\n', ''), 'request_id', request_id, 'expected', expected,
            'sends', sends, 'age_seconds', attempt_age, 'silent_milliseconds', attempt_silence, 'batch_id', batch_id,
            'batch_place', batch_place, 'started_at', started_at) end)) as found
    from due
"""


def look_at(rows: str) -> str:
    """The statement that looks at these rows, a select by `rows_from`, which may ask `head` whether to find any.

    Its values: connection, company, known_settings, general, general_name, and those of `rows`.
    """
    return f"""
with head as materialized ({_SETTINGS}), due as materialized ({rows}), rows as ({_DUE}),
{_CUSTOMERS}, {_INVOICE}, {_PAYMENT}, {_INVOICES}, {_PAYMENTS}, {_REFERRED}, {_SERVICES}
select head.*, json_build_object(
    'due', coalesce((select found from rows), '[]'),
    'customers', coalesce((select found from customers), '[]'),
    'services', coalesce((select found from services), '[]'),
    'invoices', coalesce((select found from invoices), '[]'),
    'payments', coalesce((select found from payments), '[]'),
    'methods', coalesce((select found from methods), '{{}}'),
    'linked', coalesce((select found from linked), '[]'),
    'numbers_taken', coalesce((select found from numbers_taken), '[]'),
    'names_taken', coalesce((select found from names_taken), '[]'))::text as look
from head
"""  # noqa: S608  # as above
