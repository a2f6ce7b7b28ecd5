"""What each company may still be asked this minute: one row that every process reserves from before it sends."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models


class RequestBudget(models.Model):
    """The recent requests to one company, whoever made them; written by `cone/accounting/budget.py` alone.

    Keyed by the company itself: when another workspace connects it, the platform counts on. Times are microseconds of
    the database's clock; `*_owed_until` are virtual: each request moves them on by its even share of a minute.
    """

    provider = models.CharField(max_length=20)
    environment = models.CharField(max_length=20)
    company_id_remote = models.CharField(max_length=64)
    recent = ArrayField(models.BigIntegerField(), db_default=[])
    batches = ArrayField(models.BigIntegerField(), db_default=[])
    owed_until = models.BigIntegerField(db_default=0)
    backlog_owed_until = models.BigIntegerField(db_default=0)
    batch_owed_until = models.BigIntegerField(db_default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["provider", "environment", "company_id_remote"], name="request_budget_once")
        ]
