"""What happened to a record, by whom, for people to read."""

from typing import ClassVar

from django.db import models


class Activity(models.Model):
    """One entry. `verb` is a stable word (created, issued, edited …); `detail` holds small facts for the sentence."""

    workspace = models.ForeignKey("books.Workspace", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    record_uuid = models.UUIDField()
    verb = models.CharField(max_length=40)
    detail = models.JSONField(default=dict)
    actor = models.ForeignKey("books.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["workspace", "kind", "record_uuid", "-at"], name="activity_of_record"),
            models.Index(fields=["workspace", "-at", "-id"], name="activity_latest"),
        ]
