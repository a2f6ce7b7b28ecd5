"""Mails that are owed to a firm's owners because its connection needs a person: one per event."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class Notice(models.Model):
    """One event that a mail tells of, kept until the event is over so that it's told once."""

    connection = models.ForeignKey("books.Connection", on_delete=models.CASCADE, related_name="notices")
    event = models.CharField(max_length=60)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(db_default=0)
    not_before = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["connection", "event"], name="notice_once_per_event")]
        indexes: ClassVar = [
            models.Index(fields=["not_before"], condition=models.Q(sent_at__isnull=True), name="notice_owed")
        ]
