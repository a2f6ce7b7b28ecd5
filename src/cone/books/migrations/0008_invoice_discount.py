"""A discount on the whole invoice, spread over its lines."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('books', '0007_history_and_upkeep'),
    ]

    operations = [
        migrations.AddField(
            model_name='invoice',
            name='discount',
            field=models.DecimalField(db_default=0, decimal_places=4, default=0, max_digits=19),
        ),
        migrations.AddField(
            model_name='invoice',
            name='discount_percent',
            field=models.DecimalField(db_default=0, decimal_places=4, default=0, max_digits=7),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('discount__gte', 0), ('discount_percent__gte', 0), ('discount_percent__lte', 100)), name='invoice_discount_range'),
        ),
    ]
