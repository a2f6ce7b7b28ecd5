"""How records are written: who numbers invoices, what a taken name becomes, which items, whose sales tax."""

import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('books', '0005_payments_and_removals'),
    ]

    operations = [
        migrations.CreateModel(
            name='RemoteName',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=10)),
                ('record_uuid', models.UUIDField()),
                ('own_name', models.CharField(max_length=500)),
                ('remote_name', models.CharField(max_length=500)),
                ('chosen_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='ServiceAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('remote_id', models.CharField(max_length=64)),
                ('remote_name', models.CharField(max_length=1024)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='referencerecord',
            name='reference_kind',
        ),
        migrations.AddField(
            model_name='connection',
            name='item_mode',
            field=models.CharField(default='each', max_length=8),
        ),
        migrations.AddField(
            model_name='connection',
            name='name_policy',
            field=models.CharField(default='ask', max_length=6),
        ),
        migrations.AddField(
            model_name='connection',
            name='number_mode',
            field=models.CharField(default='cone', max_length=8),
        ),
        migrations.AddField(
            model_name='connection',
            name='tax_source',
            field=models.CharField(default='theirs', max_length=8),
        ),
        migrations.AddField(
            model_name='link',
            name='is_made_here',
            field=models.BooleanField(db_default=False),
        ),
        migrations.AddIndex(
            model_name='link',
            index=models.Index(models.F('company'), django.db.models.fields.json.KeyTextTransform('number', 'answer'), condition=models.Q(('kind', 'invoice')), name='link_by_number'),
        ),
        migrations.AddIndex(
            model_name='link',
            index=models.Index(models.F('company'), django.db.models.functions.text.Lower(django.db.models.fields.json.KeyTextTransform('name', 'answer')), condition=models.Q(('kind', 'customer')), name='link_by_name'),
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.CheckConstraint(condition=models.Q(('item_mode__in', ['each', 'one']), ('name_policy__in', ['ask', 'suffix']), ('number_mode__in', ['cone', 'sequence', 'custom']), ('tax_source__in', ['theirs', 'ours'])), name='connection_terms'),
        ),
        migrations.AddConstraint(
            model_name='referencerecord',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['account', 'item', 'payment_method', 'tax_code'])), name='reference_kind'),
        ),
        migrations.AddField(
            model_name='remotename',
            name='company',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='names', to='books.remotecompany'),
        ),
        migrations.AddField(
            model_name='serviceaccount',
            name='connection',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='service_accounts', to='books.connection'),
        ),
        migrations.AddField(
            model_name='serviceaccount',
            name='service',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='books.service'),
        ),
        migrations.AddConstraint(
            model_name='remotename',
            constraint=models.UniqueConstraint(fields=('company', 'kind', 'record_uuid'), name='remote_name_once_per_record'),
        ),
        migrations.AddConstraint(
            model_name='remotename',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['customer', 'service', 'invoice', 'payment'])), name='remote_name_kind'),
        ),
        migrations.AddConstraint(
            model_name='remotename',
            constraint=models.CheckConstraint(condition=models.Q(('remote_name', ''), _negated=True), name='remote_name_not_empty'),
        ),
        migrations.AddConstraint(
            model_name='serviceaccount',
            constraint=models.UniqueConstraint(fields=('connection', 'service'), name='service_account_once'),
        ),
        migrations.AddConstraint(
            model_name='serviceaccount',
            constraint=models.CheckConstraint(condition=models.Q(('remote_id', ''), _negated=True), name='service_account_has_account'),
        ),
    ]
