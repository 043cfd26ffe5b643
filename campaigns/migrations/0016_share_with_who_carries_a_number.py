"""A dial of a bare number takes its shared locks at once, in order, with those of the people who carry it."""

from django.db import migrations

# The guard of a call asks for the bars on these people, too. Taken only there, after the lock on the number, they came
# out of order, and stood against whoever wrote a bar on the number and its person.
SHARE = """
CREATE OR REPLACE FUNCTION courtois_share_bars(a_number text, a_prospect bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF a_prospect IS NULL THEN
        PERFORM pg_advisory_xact_lock_shared(71, k) FROM (
            SELECT DISTINCT k FROM (
                SELECT hashtext(a_number) & 1023 AS k
                UNION SELECT hashint8(n.prospect_id) & 1023 FROM crm_prospectnumber n WHERE n.number = a_number) q
             WHERE k IS NOT NULL ORDER BY k) s;
    ELSE
        PERFORM pg_advisory_xact_lock_shared(71, k) FROM (
            SELECT DISTINCT k FROM unnest(ARRAY[hashtext(a_number) & 1023, hashint8(a_prospect) & 1023]) k
             WHERE k IS NOT NULL ORDER BY k) s;
    END IF;
END $$;
COMMENT ON FUNCTION courtois_share_bars IS
    'Takes, in order, the shared locks that a dial needs; of a bare number also those of the people who carry it. Before any row lock.';
"""


class Migration(migrations.Migration):
    """The same locks that the guard asks for."""

    dependencies = [("campaigns", "0015_drop_doubled_indexes")]

    # The signature stays, so the earlier body needs no way back.
    operations = [migrations.RunSQL(SHARE, migrations.RunSQL.noop)]
