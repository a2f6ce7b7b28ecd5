"""An item is made for one service. Where two took it for theirs, it stays the one's that was linked to it first.

That one's account is told anew, since it may be the other's that stands there; its lines wait until then, or, where
nothing is connected, until that's so after the return. Others of its name have found it. One that is called otherwise by now has no item any more: it's looked for, or made, by its own name.
"""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("books", "0023_kept_verdicts")]

    operations: ClassVar = [
        migrations.RunSQL(
            """
            with made as (
                select l.id, l.company_id, l.kind, l.record_uuid, s.revision, lower(trim(coalesce(s.name, 'Services'))) as name,
                       first_value(l.id) over whose as maker, count(*) over whose as makers,
                       first_value(lower(trim(coalesce(s.name, 'Services')))) over whose as its_name
                from books_link l left join books_service s on s.uuid = l.record_uuid
                where l.is_made_here and l.kind = 'service'
                window whose as (
                    partition by l.company_id, l.kind, l.remote_id order by l.linked_at, l.id
                    rows between unbounded preceding and unbounded following)
            ), found as (
                update books_link l set is_made_here = false
                from made where l.id = made.id and made.id <> made.maker and made.name = made.its_name
            ), parted as (
                delete from books_link l
                using made where l.id = made.id and made.id <> made.maker and made.name <> made.its_name
            ), kept as (
                update books_link l set synced_revision = 0, answer = l.answer - 'account'
                from made where l.id = made.id and made.id = made.maker and made.makers > 1
                returning l.company_id, l.kind, l.record_uuid, made.revision
            )
            insert into books_outboxrow (company_id, kind, record_uuid, wanted_revision)
            select company_id, kind, record_uuid, coalesce(revision, 1) from kept
            on conflict (company_id, kind, record_uuid) do nothing;
            """,
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name="link",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_made_here", True), ("kind", "service")),
                fields=("company", "kind", "remote_id"),
                name="link_made_for_one",
            ),
        ),
    ]
