"""A bar is found by its index whatever the table held when a session first looked: 200,000 may come in one statement."""

from django.db import migrations

BY_INDEX = """
ALTER FUNCTION courtois_covering_exclusion(text, bigint, bigint) SET enable_seqscan = off COST 1000;
ALTER FUNCTION courtois_callable_number(bigint, bigint) SET enable_seqscan = off COST 2000;
"""
AS_BEFORE = """
ALTER FUNCTION courtois_covering_exclusion(text, bigint, bigint) RESET enable_seqscan COST 100;
ALTER FUNCTION courtois_callable_number(bigint, bigint) RESET enable_seqscan COST 100;
"""


class Migration(migrations.Migration):
    """How the two functions of the bars are planned."""

    dependencies = [("campaigns", "0009_fill_only_what_is_missing")]

    operations = [migrations.RunSQL(BY_INDEX, AS_BEFORE)]
