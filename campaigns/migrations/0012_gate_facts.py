"""The facts of the gate as a function: a claim asks it thousands of times, with a plan that the connection keeps."""

from django.db import migrations

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
FACTS = """
CREATE FUNCTION courtois_gate_facts(a_campaign bigint, a_capped boolean, a_since date, ords bigint[],
                                    prospects bigint[], numbers text[], exacts boolean[], zones text[])
RETURNS TABLE (ord bigint, prospect_id bigint, number text, exact boolean, time_zone text, bar bigint, reason text,
               scope text, until timestamptz, kind text, validity text, postal_code text, country text, days date[],
               criteria text)
LANGUAGE plpgsql STABLE SET plan_cache_mode TO force_generic_plan AS $$
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


class Migration(migrations.Migration):
    """The facts, and the criteria that they name."""

    dependencies = [("campaigns", "0011_plan_each_bar"), ("crm", "0002_strict_guards")]

    operations = [
        migrations.RunSQL(CRITERIA, "DROP FUNCTION courtois_trusted_criteria;"),
        migrations.RunSQL(FACTS, "DROP FUNCTION courtois_gate_facts;"),
    ]
