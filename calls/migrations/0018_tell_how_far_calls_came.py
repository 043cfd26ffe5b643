"""How far its calls brought an entry: its latest conversation, or the latest try where nobody was reached."""

from django.db import migrations

MATCHED = """
CREATE FUNCTION courtois_said_to_match(a_call bigint) RETURNS boolean
LANGUAGE plpgsql STABLE SET plan_cache_mode TO force_generic_plan AS $$
BEGIN
    RETURN (SELECT count(*) > 0 AND bool_and(coalesce(said.result, '') = 'match')
              FROM calls_call c JOIN campaigns_campaign g ON g.id = c.campaign_id
              JOIN campaigns_criterion k ON k.programme_id = g.programme_id AND k.blocking AND k.retired_at IS NULL
              LEFT JOIN LATERAL (SELECT a.result FROM calls_callanswer a
                                  WHERE a.call_id = c.id AND a.criterion_id = k.id AND a.respondent = c.respondent
                                  ORDER BY a.id DESC LIMIT 1) said ON true
             WHERE c.id = a_call);
END $$;
COMMENT ON FUNCTION courtois_said_to_match IS
    'Whether the last person on the line said of every blocking criterion, and of one at least, that it is met.';
"""

PROGRESS = """
CREATE FUNCTION courtois_progress_of(a_entry bigint) RETURNS TABLE (progress text, outcome_id bigint)
LANGUAGE plpgsql STABLE SET plan_cache_mode TO force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT CASE WHEN NOT d.contacted THEN 'tried'
                WHEN d.eligible AND d.final THEN 'completed'
                WHEN d.eligible OR (d.eligible IS NULL AND courtois_said_to_match(c.id)) THEN 'in_criteria'
                ELSE 'reached' END, d.id
      FROM calls_call c JOIN campaigns_disposition d ON d.id = c.disposition_id
     WHERE c.entry_id = a_entry ORDER BY d.contacted DESC, c.id DESC LIMIT 1;
    IF NOT FOUND THEN RETURN QUERY SELECT '', NULL::bigint; END IF;
END $$;
COMMENT ON FUNCTION courtois_progress_of IS
    'How far its calls brought an entry, and by which disposition: by the latest in which somebody was spoken to; else tried, by '
    'the latest of all; else nothing. completed: eligible and final; in_criteria: eligible, or said to match; reached: the rest.';
"""

# As in 0013, but that the entry is told how far its calls came.
CONCLUDE = """
CREATE OR REPLACE FUNCTION courtois_conclude_call(a_call bigint, a_by bigint, a_at timestamptz, a_changes jsonb,
                                                  a_entry jsonb, a_rows jsonb, a_lines jsonb) RETURNS void
LANGUAGE plpgsql SET plan_cache_mode TO force_generic_plan AS $$
BEGIN
    INSERT INTO calls_calldisposition (call_id, disposition_id, note, corrects_id, reason, at, by_id)
    SELECT a_call, d.disposition_id, d.note, d.corrects_id, d.reason, a_at, a_by
      FROM jsonb_populate_recordset(NULL::calls_calldisposition, a_rows->'dispositions') d;
    IF a_changes <> '{{}}' THEN
        UPDATE calls_call c
           SET (state, lease_until, closing_kind, closing_at, goodbyes, goodbye_at, line_dead_at, out_of_criteria_at,
                disposition_id, done_at)
             = (SELECT n.state, n.lease_until, n.closing_kind, n.closing_at, n.goodbyes, n.goodbye_at, n.line_dead_at,
                       n.out_of_criteria_at, n.disposition_id, n.done_at FROM jsonb_populate_record(c, a_changes) n)
         WHERE c.id = a_call;
    END IF;
    IF a_entry <> '{{}}' THEN
        UPDATE campaigns_listentry e
           SET (state, number, due_at, attempts, owner_id, exact, excluded_by_id, verdict_gate, verdict_reason,
                verdict_until, updated_at{columns})
             = (SELECT n.state, n.number, n.due_at, n.attempts, n.owner_id, n.exact, n.excluded_by_id, n.verdict_gate,
                       n.verdict_reason, n.verdict_until, n.updated_at{values}
                  FROM jsonb_populate_record(e, a_entry) n{source})
         WHERE e.id = (SELECT c.entry_id FROM calls_call c WHERE c.id = a_call);
    END IF;
    INSERT INTO calls_calleffect (call_id, kind, exclusion_id, entry_id, callback_id, before, at)
    SELECT a_call, f.kind, f.exclusion_id, f.entry_id, f.callback_id, f.before, a_at
      FROM jsonb_populate_recordset(NULL::calls_calleffect, a_rows->'effects') f;
    INSERT INTO calls_incident (kind, sponsor_id, call_id, prospect_id, exclusion_id, summary, data, at, by_id)
    SELECT i.kind, i.sponsor_id, a_call, i.prospect_id, i.exclusion_id, i.summary, i.data, a_at, a_by
      FROM jsonb_populate_recordset(NULL::calls_incident, a_rows->'incidents') i
        ON CONFLICT DO NOTHING;
    PERFORM courtois_tell(a_call, a_by, a_at, a_lines);
END $$;
"""
TELLING = CONCLUDE.format(
    columns=", progress, outcome_id",
    values=", p.progress, p.outcome_id",
    source=", courtois_progress_of(e.id) p",
)
SILENT = CONCLUDE.format(columns="", values="", source="")

# What was called before.
FILL = """
UPDATE campaigns_listentry e
   SET (progress, outcome_id) = (SELECT p.progress, p.outcome_id FROM courtois_progress_of(e.id) p)
 WHERE e.id IN (SELECT c.entry_id FROM calls_call c WHERE c.disposition_id IS NOT NULL);
"""


class Migration(migrations.Migration):
    """Two functions, the one that concludes a call, and the entries that were called already."""

    dependencies = [("calls", "0017_mark_what_waits"), ("campaigns", "0018_tell_how_far_calls_came")]

    operations = [
        migrations.RunSQL(MATCHED, "DROP FUNCTION courtois_said_to_match;"),
        migrations.RunSQL(PROGRESS, "DROP FUNCTION courtois_progress_of;"),
        migrations.RunSQL(TELLING, SILENT),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
