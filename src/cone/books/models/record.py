"""What every record of a firm has: an identity that never comes again, an owner, and a revision."""

from uuid import uuid4

from django.db import models


class WorkspaceRecord(models.Model):
    """A record of one workspace.

    `uuid` is what leaves the database (addresses, QuickBooks markers, request ids): serial keys come again in a
    restored or reseeded database. `revision` grows with every change that QuickBooks may have to hear of.
    """

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    workspace = models.ForeignKey("books.Workspace", on_delete=models.PROTECT, related_name="+")
    revision = models.PositiveBigIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
