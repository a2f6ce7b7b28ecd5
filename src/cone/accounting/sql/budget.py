"""The ledger of requests: one row per company, moved by every request of every process before it leaves."""

ENSURE_BUDGET = """
insert into books_requestbudget (provider, environment, company_id_remote)
values (%(provider)s, %(environment)s, %(company_id)s)
on conflict (provider, environment, company_id_remote) do nothing
returning id
"""

FIND_BUDGET = """
select id from books_requestbudget
where provider = %(provider)s and environment = %(environment)s and company_id_remote = %(company_id)s
"""

# Grants the next request, or says how long until it may be asked for again; all times in microseconds. A second and
# the batches of a minute are counted exactly, by the moments of the last ones. A minute's requests are evened out: each
# owes its share of the minute, and debts may run up to a burst. What the ledger loses in a crash of the server is
# less than a second's, so its commit needn't wait for the disk.
TURN = """
with unhurried as (
    select set_config('synchronous_commit', 'off', true)
), budget as (
    select b.*, coalesce(%(now)s, (1000000 * extract(epoch from clock_timestamp()))::bigint) as now
    from books_requestbudget b, unhurried where b.id = %(budget)s for update of b
), earliest as (
    select *, greatest(
        now,
        coalesce(recent[%(per_second)s] + %(second)s, 0),
        owed_until - %(most_owed)s,
        case when %(is_backlog)s then backlog_owed_until - %(interval)s else 0 end,
        case when %(is_batch)s then
            greatest(coalesce(batches[%(batches_per_minute)s] + %(minute)s, 0),
                     batch_owed_until - %(most_batches_owed)s)
        else 0 end) as at
    from budget
), granted as (
    update books_requestbudget b set
        recent = (array_prepend(e.now, e.recent))[1:%(per_second)s],
        owed_until = greatest(e.owed_until, e.now) + %(interval)s,
        backlog_owed_until = case when %(is_backlog)s
            then greatest(e.backlog_owed_until, e.now) + %(interval)s else e.backlog_owed_until end,
        batches = case when %(is_batch)s
            then (array_prepend(e.now, e.batches))[1:%(batches_per_minute)s] else e.batches end,
        batch_owed_until = case when %(is_batch)s
            then greatest(e.batch_owed_until, e.now) + %(batch_interval)s else e.batch_owed_until end
    from earliest e where b.id = e.id and e.at <= e.now
)
select at - now as wait from earliest
"""
