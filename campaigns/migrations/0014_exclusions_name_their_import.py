"""Keep with an exclusion which import said so, as the call is kept that caused one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0013_ask_bars_once")]

    operations = [
        migrations.AddField(
            model_name="exclusion",
            name="import_ref",
            field=models.BigIntegerField(blank=True, null=True),
        ),
    ]
