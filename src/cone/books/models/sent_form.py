"""Forms that made a record, so that the same one sent again doesn't make a second."""

from typing import ClassVar

from django.db import models


class SentForm(models.Model):
    """One form that was filled in and sent: the token that it carried, and what it made."""

    workspace = models.ForeignKey("books.Workspace", on_delete=models.CASCADE, related_name="+")
    token = models.UUIDField()
    record_uuid = models.UUIDField(null=True, help_text="null only within the transaction that makes the record")
    sent_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "token"], name="sent_form_once"),
        ]
