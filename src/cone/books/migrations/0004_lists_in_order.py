"""Indexes in the order in which lists and the dashboard read."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('books', '0003_attempt_expected'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='activity',
            index=models.Index(fields=['workspace', '-at', '-id'], name='activity_latest'),
        ),
        migrations.AddIndex(
            model_name='invoice',
            index=models.Index(fields=['workspace', '-created_at', '-id'], name='invoice_latest_made'),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(fields=['workspace', '-received_date', '-id'], name='payment_newest_first'),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(fields=['customer', '-received_date'], name='payment_of_customer'),
        ),
    ]
