"""Bars reach who is dialled by number alone, a record that takes an erased one's id, and the numbers of the erased."""

from django.db import migrations

COVERING = """
CREATE OR REPLACE FUNCTION courtois_covering_exclusion(a_number text, a_prospect bigint, a_campaign bigint)
RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE hit bigint; prog bigint; spons bigint;
BEGIN
    SELECT c.programme_id, p.sponsor_id INTO prog, spons
      FROM campaigns_campaign c JOIN campaigns_programme p ON p.id = c.programme_id WHERE c.id = a_campaign;
    SELECT e.id INTO hit FROM (
        SELECT * FROM campaigns_exclusion WHERE number = a_number AND lifted_at IS NULL
        UNION ALL
        SELECT * FROM campaigns_exclusion WHERE prospect_id = a_prospect AND lifted_at IS NULL
        UNION ALL
        -- A number without a record in hand reaches whoever carries it.
        SELECT x.* FROM crm_prospectnumber n JOIN campaigns_exclusion x ON x.prospect_id = n.prospect_id
         WHERE a_prospect IS NULL AND n.number = a_number AND x.lifted_at IS NULL) e
     WHERE (e.until IS NULL OR e.until > clock_timestamp())
       AND (e.scope = 'everywhere' OR (e.scope = 'sponsor' AND e.sponsor_id = spons)
            OR (e.scope = 'programme' AND e.programme_id = prog)
            OR (e.scope = 'campaign' AND e.campaign_id = a_campaign))
     ORDER BY array_position(ARRAY['programme', 'campaign', 'sponsor', 'everywhere'], e.scope), e.id LIMIT 1;
    RETURN hit;
END $$;
"""

TAKE_ID = """
CREATE FUNCTION courtois_inherit_bars_by_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO campaigns_exclusion (scope, sponsor_id, programme_id, campaign_id, prospect_id, reason, note, since, until,
                                     created_by_id, call_ref, lift_reason)
    SELECT x.scope, x.sponsor_id, x.programme_id, x.campaign_id, NEW.id, x.reason, x.note, x.since, x.until,
           x.created_by_id, x.call_ref, ''
      FROM crm_prospect erased JOIN campaigns_exclusion x ON x.prospect_id = erased.id AND x.lifted_at IS NULL
     WHERE erased.source_id = NEW.source_id AND erased.id <> NEW.id AND erased.erased_external_id <> ''
       AND erased.erased_external_id = encode(sha256(convert_to(NEW.external_id, 'UTF8')), 'hex');
    RETURN NULL;
END $$;
CREATE TRIGGER prospect_takes_bars_with_id AFTER UPDATE OF external_id, source_id ON crm_prospect
    FOR EACH ROW WHEN (NEW.external_id <> ''
                       AND (NEW.external_id, NEW.source_id) IS DISTINCT FROM (OLD.external_id, OLD.source_id))
    EXECUTE FUNCTION courtois_inherit_bars_by_id();
"""

ERASE = """
CREATE FUNCTION courtois_erase_numbers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO campaigns_exclusion (scope, sponsor_id, programme_id, campaign_id, number, reason, note, since, until,
                                     created_by_id, call_ref, lift_reason)
    SELECT DISTINCT x.scope, x.sponsor_id, x.programme_id, x.campaign_id, n.number, x.reason, '', x.since, x.until,
           x.created_by_id, x.call_ref, ''
      FROM campaigns_exclusion x JOIN crm_prospectnumber n ON n.prospect_id = x.prospect_id
     WHERE x.prospect_id = NEW.id AND x.lifted_at IS NULL
       AND NOT EXISTS (
           SELECT FROM campaigns_exclusion y WHERE y.number = n.number AND y.lifted_at IS NULL AND y.scope = x.scope
              AND (y.sponsor_id, y.programme_id, y.campaign_id) IS NOT DISTINCT FROM
                  (x.sponsor_id, x.programme_id, x.campaign_id)
              AND (y.until IS NULL OR y.until >= x.until));
    DELETE FROM crm_prospectnumber WHERE prospect_id = NEW.id;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION courtois_erase_numbers IS
    'An erased person keeps its bars: they are written on its numbers, and only then are the numbers removed.';
CREATE TRIGGER prospect_erased_keeps_bars AFTER UPDATE OF erased_at ON crm_prospect
    FOR EACH ROW WHEN (NEW.erased_at IS NOT NULL AND OLD.erased_at IS NULL)
    EXECUTE FUNCTION courtois_erase_numbers();
"""


class Migration(migrations.Migration):
    """What an exclusion covers, however the prospect comes back."""

    dependencies = [("campaigns", "0005_strict_guards"), ("crm", "0002_strict_guards")]

    operations = [
        # The signature stays, so the earlier body needs no way back.
        migrations.RunSQL(COVERING, migrations.RunSQL.noop),
        migrations.RunSQL(
            TAKE_ID,
            "DROP TRIGGER prospect_takes_bars_with_id ON crm_prospect;"
            "DROP FUNCTION courtois_inherit_bars_by_id();",
        ),
        migrations.RunSQL(
            ERASE,
            "DROP TRIGGER prospect_erased_keeps_bars ON crm_prospect; DROP FUNCTION courtois_erase_numbers();",
        ),
    ]
