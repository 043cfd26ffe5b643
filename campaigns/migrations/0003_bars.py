"""The SQL functions that decide what is barred: one rule, asked by triggers, claims, gate, import and API alike."""

from django.db import migrations

COVERING = """
CREATE FUNCTION courtois_covering_exclusion(a_number text, a_prospect bigint, a_campaign bigint)
RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE hit bigint; prog bigint; spons bigint;
BEGIN
    SELECT c.programme_id, p.sponsor_id INTO prog, spons
      FROM campaigns_campaign c JOIN campaigns_programme p ON p.id = c.programme_id WHERE c.id = a_campaign;
    SELECT e.id INTO hit FROM (
        SELECT * FROM campaigns_exclusion WHERE number = a_number AND lifted_at IS NULL
        UNION ALL
        SELECT * FROM campaigns_exclusion WHERE prospect_id = a_prospect AND lifted_at IS NULL) e
     WHERE (e.until IS NULL OR e.until > clock_timestamp())
       AND (e.scope = 'everywhere' OR (e.scope = 'sponsor' AND e.sponsor_id = spons)
            OR (e.scope = 'programme' AND e.programme_id = prog)
            OR (e.scope = 'campaign' AND e.campaign_id = a_campaign))
     ORDER BY array_position(ARRAY['programme', 'campaign', 'sponsor', 'everywhere'], e.scope), e.id LIMIT 1;
    RETURN hit;
END $$;
COMMENT ON FUNCTION courtois_covering_exclusion IS
    'The id of an active exclusion that bars this number or prospect in this campaign, or null. Narrowest known first.';
"""

CALLABLE = """
CREATE FUNCTION courtois_callable_number(a_prospect bigint, a_campaign bigint)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE hit text;
BEGIN
    SELECT n.number INTO hit FROM crm_prospectnumber n
     WHERE n.prospect_id = a_prospect AND n.kind NOT IN ('premium', 'fax', 'short') AND n.validity <> 'invalid'
       AND courtois_covering_exclusion(n.number, a_prospect, a_campaign) IS NULL
     ORDER BY n.position, n.id LIMIT 1;
    RETURN hit;
END $$;
COMMENT ON FUNCTION courtois_callable_number IS
    'The first number of a prospect that may be dialled for a campaign as far as bars and the line''s kind go, or null.';
"""

LOCKS = """
CREATE FUNCTION courtois_lock_bars(numbers text[], prospects bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(71, k) FROM (
        SELECT DISTINCT k FROM (
            SELECT hashtext(n) & 1023 AS k FROM unnest(numbers) n WHERE n IS NOT NULL
            UNION SELECT hashint8(p) & 1023 FROM unnest(prospects) p WHERE p IS NOT NULL) q ORDER BY k) s;
END $$;
COMMENT ON FUNCTION courtois_lock_bars IS
    'Takes, in order, the exclusive locks that new bars on these numbers and prospects need. Before any row lock.';
CREATE FUNCTION courtois_share_bars(a_number text, a_prospect bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(71, k) FROM (
        SELECT DISTINCT k FROM unnest(ARRAY[hashtext(a_number) & 1023, hashint8(a_prospect) & 1023]) k
         WHERE k IS NOT NULL ORDER BY k) s;
END $$;
COMMENT ON FUNCTION courtois_share_bars IS 'Takes the shared locks that a dial needs. Before any row lock.';
CREATE FUNCTION courtois_try_bars(a_number text, a_prospect bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN pg_try_advisory_xact_lock_shared(71, hashtext(a_number) & 1023)
       AND (a_prospect IS NULL OR pg_try_advisory_xact_lock_shared(71, hashint8(a_prospect) & 1023));
END $$;
COMMENT ON FUNCTION courtois_try_bars IS
    'Tries the shared locks of a claim; false while a bar is being written, so that a claim never waits.';
"""

#: A record that comes back after its erasure, under the same external id, inherits the bars on the erased one.
INHERIT = """
CREATE FUNCTION courtois_inherit_bars() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO campaigns_exclusion (scope, sponsor_id, programme_id, campaign_id, prospect_id, reason, note, since, until,
                                     created_by_id, call_ref, lift_reason)
    SELECT x.scope, x.sponsor_id, x.programme_id, x.campaign_id, n.id, x.reason, x.note, x.since, x.until,
           x.created_by_id, x.call_ref, ''
      FROM new_rows n
      JOIN crm_prospect erased ON erased.source_id = n.source_id AND erased.erased_external_id <> ''
                           AND erased.erased_external_id = encode(sha256(convert_to(n.external_id, 'UTF8')), 'hex')
      JOIN campaigns_exclusion x ON x.prospect_id = erased.id AND x.lifted_at IS NULL
     WHERE n.external_id <> '';
    RETURN NULL;
END $$;
CREATE TRIGGER prospect_inherits_bars AFTER INSERT ON crm_prospect
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION courtois_inherit_bars();
"""


class Migration(migrations.Migration):
    """Functions and the one trigger that spans two apps."""

    dependencies = [("campaigns", "0002_links_and_triggers")]

    operations = [
        migrations.RunSQL(COVERING, "DROP FUNCTION courtois_covering_exclusion;"),
        migrations.RunSQL(CALLABLE, "DROP FUNCTION courtois_callable_number;"),
        migrations.RunSQL(
            LOCKS, "DROP FUNCTION courtois_lock_bars, courtois_share_bars, courtois_try_bars;"
        ),
        migrations.RunSQL(
            INHERIT,
            "DROP TRIGGER prospect_inherits_bars ON crm_prospect; DROP FUNCTION courtois_inherit_bars();",
        ),
    ]
