"""Which rows are blocked, or wait for a blocked one: directly, or by way of others that wait for it in turn."""

# A payment waits for an invoice, that for a payment that was changed, and so on. Such a way is followed so far: it may
# have moved on meanwhile, so that two wait for each other.
LONGEST_WAY = 9


def stuck_among(companies: str) -> str:
    """For `with recursive`: the rows of companies that suit a condition on `o`, each with its blocked one.

    A row waits for one other at most, so there's one blocked row at the end of its way, or none; and no row is found
    twice. It's found as far off as `AWAITED` finds the blocked one from it. Who waits for a row is looked up for each:
    the planner expects few, and would read a large backlog as often.
    """
    return f"""
stuck as (
    select o.company_id, o.id, o.kind, o.record_uuid, o.id as blocked_id, 0 as step
    from books_outboxrow o where {companies} and o.state = 'blocked'
    union all
    select w.company_id, w.id, w.kind, w.record_uuid, s.blocked_id, s.step + 1
    from stuck s cross join lateral (
        select * from books_outboxrow
        where company_id = s.company_id and waits_for_kind = s.kind and waits_for_uuid = s.record_uuid
            and state <> 'blocked'
        offset 0
    ) w
    where s.step < {LONGEST_WAY}
)
"""  # noqa: S608  # a condition of ours


STUCK = stuck_among("o.company_id = %(company)s")

# For `with recursive`, of the given records: what each waits for, what that waits for in turn, and so on.
AWAITED = f"""
awaited as (
    select v.uuid, 0 as step, o.company_id, o.kind, o.record_uuid, o.state, o.cause, o.cause_key, o.not_before,
           o.waits_for_kind, o.waits_for_uuid
    from unnest(%(uuids)s::uuid[]) as v(uuid)
    join books_outboxrow o on o.company_id = %(company)s and o.kind = %(kind)s and o.record_uuid = v.uuid
    union all
    select a.uuid, a.step + 1, o.company_id, o.kind, o.record_uuid, o.state, o.cause, o.cause_key, o.not_before,
           o.waits_for_kind, o.waits_for_uuid
    from awaited a
    join books_outboxrow o on o.company_id = a.company_id and o.kind = a.waits_for_kind
        and o.record_uuid = a.waits_for_uuid
    where a.step < {LONGEST_WAY} and a.state <> 'blocked'
)
"""  # noqa: S608  # made of constants
