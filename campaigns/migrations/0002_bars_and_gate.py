"""The SQL functions that decide what is barred and what the gate asks, and the triggers that spare crm from knowing us.

One rule of what is barred, asked by triggers, claims, gate, import and API alike.
"""

from django.db import migrations

# enable_seqscan = off: a bar is found by its index whatever the table held when a session first looked, for 200,000 may
# come in one statement.
COVERING = """
CREATE FUNCTION courtois_covering_exclusion(a_number text, a_prospect bigint, a_campaign bigint)
RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE SET enable_seqscan = off COST 1000 AS $$
DECLARE hit bigint;
BEGIN
    SELECT e.id INTO hit FROM (
        SELECT id, scope, sponsor_id, programme_id, campaign_id, until
          FROM campaigns_exclusion WHERE number = a_number AND lifted_at IS NULL
        UNION ALL
        SELECT id, scope, sponsor_id, programme_id, campaign_id, until
          FROM campaigns_exclusion WHERE prospect_id = a_prospect AND lifted_at IS NULL
        UNION ALL
        -- A number without a record in hand reaches whoever carries it.
        SELECT x.id, x.scope, x.sponsor_id, x.programme_id, x.campaign_id, x.until
          FROM crm_prospectnumber n JOIN campaigns_exclusion x ON x.prospect_id = n.prospect_id
         WHERE a_prospect IS NULL AND n.number = a_number AND x.lifted_at IS NULL) e
     WHERE (e.until IS NULL OR e.until > clock_timestamp())
       AND (e.scope = 'everywhere' OR (e.scope = 'campaign' AND e.campaign_id = a_campaign)
            OR (e.scope = 'programme'
                AND e.programme_id = (SELECT c.programme_id FROM campaigns_campaign c WHERE c.id = a_campaign))
            OR (e.scope = 'sponsor'
                AND e.sponsor_id = (SELECT p.sponsor_id FROM campaigns_campaign c
                                      JOIN campaigns_programme p ON p.id = c.programme_id WHERE c.id = a_campaign)))
     ORDER BY array_position(ARRAY['programme', 'campaign', 'sponsor', 'everywhere'], e.scope), e.id LIMIT 1;
    RETURN hit;
END $$;
COMMENT ON FUNCTION courtois_covering_exclusion IS
    'The id of an active exclusion that bars this number or prospect in this campaign, or null. Narrowest known first.';
"""

CALLABLE = """
CREATE FUNCTION courtois_callable_number(a_prospect bigint, a_campaign bigint)
RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE SET enable_seqscan = off COST 2000 AS $$
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

# The guard of a call asks for the bars on the people who carry a bare number, too. Taken only there, after the lock on
# the number, they would come out of order, and stand against whoever writes a bar on the number and its person.
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

#: So does one that takes the id of an erased one later.
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

# An erasure in the crm app reaches these rows without knowing of them.
FORGET_SUPPLIED = """
CREATE FUNCTION courtois_forget_supplied_values() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM campaigns_suppliedvalues WHERE prospect_id = NEW.id;
    UPDATE campaigns_importrow SET before = NULL WHERE prospect_id = NEW.id AND before IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER prospect_erased_forgets_supplied_values AFTER UPDATE OF erased_at ON crm_prospect
    FOR EACH ROW WHEN (NEW.erased_at IS NOT NULL AND OLD.erased_at IS NULL)
    EXECUTE FUNCTION courtois_forget_supplied_values();
"""

FORGET_CONSENTS = """
CREATE FUNCTION courtois_forget_consent_texts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE campaigns_consent SET exact_text = '' WHERE prospect_id = NEW.id AND exact_text <> '';
    RETURN NULL;
END $$;
CREATE TRIGGER prospect_erased_forgets_consent_texts AFTER UPDATE OF erased_at ON crm_prospect
    FOR EACH ROW WHEN (NEW.erased_at IS NOT NULL AND OLD.erased_at IS NULL)
    EXECUTE FUNCTION courtois_forget_consent_texts();
"""

# force_generic_plan: the planner guesses ten rows where there is one, and would plan anew at each call.
CRITERIA = """
CREATE FUNCTION courtois_trusted_criteria(a_campaign bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT json_agg(json_build_array(k.field, k.operator, k.value, k.expected, k.question) ORDER BY k.position, k.id)::text
      FROM campaigns_criterion k JOIN campaigns_campaign g ON g.programme_id = k.programme_id
     WHERE g.id = a_campaign AND k.retired_at IS NULL AND k.blocking AND k.trust_file
$$;
COMMENT ON FUNCTION courtois_trusted_criteria IS
    'The JSON of the blocking criteria that trust the file, in their order; null when there is none.';
"""

# One row per asked prospect and number: the bar that covers it, what the line is, and the attempts that count. The
# person's attempts are those on the record and, where none was at hand, those on the number.
# ROWS 1: of the thousand that are guessed otherwise, a statement around it is planned anew each time.
FACTS = """
CREATE FUNCTION courtois_gate_facts(a_campaign bigint, a_capped boolean, a_since date, ords bigint[],
                                    prospects bigint[], numbers text[], exacts boolean[], zones text[])
RETURNS TABLE (ord bigint, prospect_id bigint, number text, exact boolean, time_zone text, bar bigint, reason text,
               scope text, until timestamptz, kind text, validity text, postal_code text, country text, days date[],
               criteria text)
LANGUAGE plpgsql STABLE ROWS 1 SET plan_cache_mode TO force_generic_plan AS $$
#variable_conflict use_column
DECLARE spons bigint; asked text;
BEGIN
    SELECT p.sponsor_id, courtois_trusted_criteria(g.id) INTO spons, asked
      FROM campaigns_campaign g JOIN campaigns_programme p ON p.id = g.programme_id WHERE g.id = a_campaign;
    RETURN QUERY
    SELECT c.ord, c.prospect_id, coalesce(c.number, ''), c.exact, coalesce(nullif(c.time_zone, ''), p.time_zone, '')::text,
           x.id, x.reason::text, x.scope::text, x.until, n.kind::text, n.validity::text,
           coalesce(p.postal_code, '')::text, coalesce(p.country, '')::text,
           CASE WHEN a_capped THEN (
               SELECT coalesce(array_agg(t.local_date), '{}') FROM (
                   SELECT t.local_date FROM campaigns_attempt t
                    WHERE t.prospect_id = c.prospect_id AND t.sponsor_id = spons AND t.counted AND t.local_date > a_since
                   UNION ALL
                   SELECT t.local_date FROM campaigns_attempt t
                    WHERE t.number = c.number AND t.sponsor_id = spons AND t.counted AND t.local_date > a_since
                      AND (t.prospect_id IS NULL OR c.prospect_id IS NULL)) t) END,
           asked
      FROM (SELECT a.ord, a.prospect_id, a.exact, a.time_zone,
                   CASE WHEN a.number IS NULL AND a.prospect_id IS NOT NULL
                        THEN coalesce(courtois_callable_number(a.prospect_id, a_campaign),
                                      (SELECT m.number FROM crm_prospectnumber m WHERE m.prospect_id = a.prospect_id
                                        ORDER BY m.kind IN ('premium', 'fax', 'short') OR m.validity = 'invalid',
                                                 m.position, m.id LIMIT 1))
                        ELSE a.number END AS number
              FROM unnest(ords, prospects, numbers, exacts, zones) AS a(ord, prospect_id, number, exact, time_zone)) c
      LEFT JOIN crm_prospect p ON p.id = c.prospect_id
      LEFT JOIN crm_prospectnumber n ON n.prospect_id = c.prospect_id AND n.number = c.number
      LEFT JOIN campaigns_exclusion x ON x.id = courtois_covering_exclusion(c.number, c.prospect_id, a_campaign)
     ORDER BY c.ord;
END $$;
COMMENT ON FUNCTION courtois_gate_facts IS
    'What the gate needs to know of each asked prospect and number; criteria is the JSON of the trusted blocking ones.';
"""


def _trigger(sql: str, trigger: str, function: str) -> migrations.RunSQL:
    return migrations.RunSQL(sql, f"DROP TRIGGER {trigger} ON crm_prospect; DROP FUNCTION {function};")


class Migration(migrations.Migration):
    """Functions, the triggers that span two apps, and the pieces of files, which are stored as they come."""

    replaces = [
        ("campaigns", "0003_bars"),
        ("campaigns", "0006_bars_outlive_erasure"),
        ("campaigns", "0010_find_bars_by_index"),
        ("campaigns", "0012_gate_facts"),
        ("campaigns", "0013_ask_bars_once"),
        ("campaigns", "0016_share_with_who_carries_a_number"),
    ]
    dependencies = [("campaigns", "0001_tables"), ("crm", "0002_words")]

    operations = [
        migrations.RunSQL(COVERING, "DROP FUNCTION courtois_covering_exclusion;"),
        migrations.RunSQL(CALLABLE, "DROP FUNCTION courtois_callable_number;"),
        migrations.RunSQL(LOCKS, "DROP FUNCTION courtois_lock_bars, courtois_share_bars, courtois_try_bars;"),
        _trigger(INHERIT, "prospect_inherits_bars", "courtois_inherit_bars"),
        _trigger(TAKE_ID, "prospect_takes_bars_with_id", "courtois_inherit_bars_by_id"),
        _trigger(ERASE, "prospect_erased_keeps_bars", "courtois_erase_numbers"),
        _trigger(
            FORGET_SUPPLIED, "prospect_erased_forgets_supplied_values", "courtois_forget_supplied_values"
        ),
        _trigger(FORGET_CONSENTS, "prospect_erased_forgets_consent_texts", "courtois_forget_consent_texts"),
        migrations.RunSQL(CRITERIA, "DROP FUNCTION courtois_trusted_criteria;"),
        migrations.RunSQL(FACTS, "DROP FUNCTION courtois_gate_facts;"),
        migrations.RunSQL(
            "ALTER TABLE campaigns_importpiece ALTER COLUMN content SET STORAGE EXTERNAL",
            "ALTER TABLE campaigns_importpiece ALTER COLUMN content SET STORAGE EXTENDED",
        ),
    ]
