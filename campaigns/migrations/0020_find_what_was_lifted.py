"""Find the lifted exclusions of a fiche by an index; built without a lock on writers."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("campaigns", "0019_count_standings_without_comparing")]

    operations = [
        AddIndexConcurrently(
            model_name="exclusion",
            index=models.Index(
                condition=models.Q(("lifted_at__isnull", False), ("prospect__isnull", False)),
                fields=["prospect"],
                name="exclusion_lifted_prospect",
            ),
        ),
    ]
