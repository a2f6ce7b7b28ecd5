"""Runs over existing invoices: what each record of them was foreseen as, and undoing them."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('books', '0008_invoice_discount'),
    ]

    operations = [
        # What was asked for by a start date is asked for by itself now.
        migrations.RunSQL(
            "update books_outboxrow set is_in_scope = true where priority = 10 and kind = 'invoice'",
            migrations.RunSQL.noop,
        ),
        migrations.AddField(
            model_name='outboxrow',
            name='take_back',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name='BackfillRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('from_date', models.DateField()),
                ('state', models.CharField(db_default='running', max_length=9)),
                ('started_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('undo_by', models.CharField(blank=True, db_default='', max_length=6)),
                ('undo_started_at', models.DateTimeField(blank=True, null=True)),
                ('undone_at', models.DateTimeField(blank=True, null=True)),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='books.remotecompany')),
                ('started_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('undone_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='RunRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=10)),
                ('record_uuid', models.UUIDField()),
                ('revision', models.PositiveBigIntegerField()),
                ('action', models.CharField(max_length=8)),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('predicted_tax', models.DecimalField(blank=True, decimal_places=4, max_digits=19, null=True)),
                ('predicted_total', models.DecimalField(blank=True, decimal_places=4, max_digits=19, null=True)),
                ('outcome', models.CharField(db_default='waiting', max_length=9)),
                ('sent_revision', models.PositiveBigIntegerField(blank=True, null=True)),
                ('actual_tax', models.DecimalField(blank=True, decimal_places=4, max_digits=19, null=True)),
                ('actual_total', models.DecimalField(blank=True, decimal_places=4, max_digits=19, null=True)),
                ('remote_id', models.CharField(blank=True, db_default='', max_length=64)),
                ('remote_version', models.CharField(blank=True, db_default='', max_length=64)),
                ('undo', models.CharField(blank=True, db_default='', max_length=7)),
                ('undo_reason', models.CharField(blank=True, db_default='', max_length=20)),
                ('undo_says', models.CharField(blank=True, db_default='', max_length=500)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='records', to='books.backfillrun')),
            ],
        ),
        migrations.AddIndex(
            model_name='backfillrun',
            index=models.Index(fields=['company', '-started_at'], name='run_latest'),
        ),
        migrations.AddConstraint(
            model_name='backfillrun',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['running', 'undoing'])), fields=('company',), name='run_one_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='backfillrun',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['running', 'finished', 'cancelled', 'undoing', 'undone'])), name='run_state'),
        ),
        migrations.AddConstraint(
            model_name='backfillrun',
            constraint=models.CheckConstraint(condition=models.Q(('undo_by__in', ['', 'void', 'delete'])), name='run_undo_by'),
        ),
        migrations.AddIndex(
            model_name='runrecord',
            index=models.Index(condition=models.Q(('outcome', 'waiting')), fields=['run'], name='run_record_waiting'),
        ),
        migrations.AddIndex(
            model_name='runrecord',
            index=models.Index(condition=models.Q(('undo', 'wanted')), fields=['run'], name='run_record_undoing'),
        ),
        migrations.AddIndex(
            model_name='runrecord',
            index=models.Index(condition=models.Q(('undo', 'done')), fields=['kind', 'remote_id'], name='run_record_undone'),
        ),
        migrations.AddConstraint(
            model_name='runrecord',
            constraint=models.UniqueConstraint(fields=('run', 'kind', 'record_uuid'), name='run_record_once'),
        ),
        migrations.AddConstraint(
            model_name='runrecord',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['customer', 'service', 'invoice', 'payment'])), name='run_record_kind'),
        ),
        migrations.AddConstraint(
            model_name='runrecord',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['waiting', 'created', 'linked', 'cancelled', 'dropped'])), name='run_record_outcome'),
        ),
        migrations.AddConstraint(
            model_name='runrecord',
            constraint=models.CheckConstraint(condition=models.Q(('undo__in', ['', 'wanted', 'done', 'refused'])), name='run_record_undo'),
        ),
    ]
