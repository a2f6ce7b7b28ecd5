from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('books', '0005_invoice_tax_of_workspace'),
    ]

    operations = [
        migrations.AddField(
            model_name='revocation',
            name='company_id_remote',
            field=models.CharField(default='', max_length=64),
            preserve_default=False,
        ),
    ]
