from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('books', '0010_backlog_pace'),
    ]

    operations = [
        migrations.AddField(
            model_name='attempt',
            name='looked_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
