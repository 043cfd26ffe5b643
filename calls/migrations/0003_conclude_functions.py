"""What ends a call writes many rows: their statements as functions, so that their plans are kept and trips are few."""

from django.db import migrations

TELL = """
CREATE FUNCTION courtois_tell(a_call bigint, a_by bigint, a_at timestamptz, a_lines jsonb) RETURNS void
LANGUAGE plpgsql SET plan_cache_mode TO force_generic_plan AS $$
BEGIN
    INSERT INTO calls_callevent (call_id, kind, at, by_id, data)
    SELECT a_call, l.line->>'kind', a_at, a_by, l.line->'own'
      FROM jsonb_array_elements(a_lines) WITH ORDINALITY l(line, place)
     WHERE l.line->>'kind' IS NOT NULL ORDER BY l.place;
    INSERT INTO crm_prospectevent (prospect_id, sponsor_id, at, by_id, kind, call_ref, data)
    SELECT c.prospect_id, p.sponsor_id, a_at, a_by, l.line->>'timeline', c.id, l.line->'data'
      FROM calls_call c JOIN campaigns_campaign g ON g.id = c.campaign_id
      JOIN campaigns_programme p ON p.id = g.programme_id
     CROSS JOIN jsonb_array_elements(a_lines) WITH ORDINALITY l(line, place)
     WHERE c.id = a_call AND c.prospect_id IS NOT NULL ORDER BY l.place;
END $$;
COMMENT ON FUNCTION courtois_tell IS
    'Writes lines, in their order, into the history of a call (those with a kind: own) and into the timeline of its prospect '
    '(timeline: data), inside the call''s sponsor.';
"""

SETTLE = """
CREATE FUNCTION courtois_settle_call(a_call bigint, a_by bigint, a_at timestamptz, a_counted boolean, a_bars jsonb)
RETURNS TABLE (state text, due_at timestamptz, attempts integer, owner_id bigint, exact boolean, number text,
               bars bigint[], next_number text, bar bigint, reason text, until timestamptz, callbacks bigint[])
LANGUAGE plpgsql SET plan_cache_mode TO force_generic_plan AS $$
#variable_conflict use_column
DECLARE c calls_call;
BEGIN
    SELECT * INTO STRICT c FROM calls_call k WHERE k.id = a_call;
    -- Locked and read before the bars: they may close it.
    SELECT e.state, e.due_at, e.attempts, e.owner_id, e.exact, e.number
      INTO state, due_at, attempts, owner_id, exact, number
      FROM campaigns_listentry e WHERE e.id = c.entry_id FOR UPDATE;
    UPDATE campaigns_attempt t SET counted = a_counted WHERE t.call_ref = c.id AND t.counted <> a_counted;
    IF jsonb_array_length(a_bars) > 0 THEN
        WITH added AS (
            INSERT INTO campaigns_exclusion (scope, sponsor_id, programme_id, campaign_id, number, prospect_id, reason,
                                             note, since, created_by_id, call_ref, lift_reason)
            SELECT b.scope, b.sponsor_id, b.programme_id, b.campaign_id, b.number, b.prospect_id, b.reason,
                   '', a_at, a_by, c.id, ''
              FROM jsonb_populate_recordset(NULL::campaigns_exclusion, a_bars) b
            RETURNING id)
        SELECT array_agg(a.id ORDER BY a.id) INTO bars FROM added a;
    END IF;
    WITH kept AS (
        UPDATE calls_callback b SET state = 'done', closed_at = a_at
         WHERE b.entry_id = c.entry_id AND b.state = 'open' AND b.call_id IS DISTINCT FROM c.id
        RETURNING b.id)
    SELECT array_agg(k.id ORDER BY k.id) INTO callbacks FROM kept k;
    next_number := courtois_callable_number(c.prospect_id, c.campaign_id);
    bar := courtois_covering_exclusion(c.number, c.prospect_id, c.campaign_id);
    SELECT x.reason, x.until INTO reason, until FROM campaigns_exclusion x WHERE x.id = bar;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION courtois_settle_call IS
    'What a disposition changes elsewhere: writes its bars (columns of campaigns_exclusion), says whether the attempt counts, '
    'closes the callback that the call kept. Locks the entry and returns it as it was, the ids of the bars and callbacks, the '
    'number that may be dialled next, and the bar that now covers the call.';
"""

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

# How far its calls brought an entry: its latest conversation, or the latest try where nobody was reached.
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

CONCLUDE = """
CREATE FUNCTION courtois_conclude_call(a_call bigint, a_by bigint, a_at timestamptz, a_changes jsonb, a_entry jsonb,
                                       a_rows jsonb, a_lines jsonb) RETURNS void
LANGUAGE plpgsql SET plan_cache_mode TO force_generic_plan AS $$
BEGIN
    INSERT INTO calls_calldisposition (call_id, disposition_id, note, corrects_id, reason, at, by_id)
    SELECT a_call, d.disposition_id, d.note, d.corrects_id, d.reason, a_at, a_by
      FROM jsonb_populate_recordset(NULL::calls_calldisposition, a_rows->'dispositions') d;
    IF a_changes <> '{}' THEN
        UPDATE calls_call c
           SET (state, lease_until, closing_kind, closing_at, goodbyes, goodbye_at, line_dead_at, out_of_criteria_at,
                disposition_id, done_at)
             = (SELECT n.state, n.lease_until, n.closing_kind, n.closing_at, n.goodbyes, n.goodbye_at, n.line_dead_at,
                       n.out_of_criteria_at, n.disposition_id, n.done_at FROM jsonb_populate_record(c, a_changes) n)
         WHERE c.id = a_call;
    END IF;
    IF a_entry <> '{}' THEN
        UPDATE campaigns_listentry e
           SET (state, number, due_at, attempts, owner_id, exact, excluded_by_id, verdict_gate, verdict_reason,
                verdict_until, updated_at, progress, outcome_id)
             = (SELECT n.state, n.number, n.due_at, n.attempts, n.owner_id, n.exact, n.excluded_by_id, n.verdict_gate,
                       n.verdict_reason, n.verdict_until, n.updated_at, p.progress, p.outcome_id
                  FROM jsonb_populate_record(e, a_entry) n, courtois_progress_of(e.id) p)
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
COMMENT ON FUNCTION courtois_conclude_call IS
    'Writes what an outcome changes of a locked call and its entry (only the columns given, of those named above), adds its '
    'rows (dispositions, effects, incidents), and tells its lines. An incident that the call has already stays as it is.';
"""

OPEN = """
CREATE FUNCTION courtois_open_by_hand(a_campaign bigint, a_prospect bigint, a_entry bigint, a_number text,
                                      a_language text, a_agent bigint, a_at timestamptz, a_lease timestamptz,
                                      a_lines jsonb) RETURNS bigint
LANGUAGE plpgsql SET plan_cache_mode TO force_generic_plan AS $$
DECLARE made bigint;
BEGIN
    INSERT INTO calls_call (campaign_id, prospect_id, entry_id, number, agent_id, state, mode, entry_was, language,
                            lease_until, started_at, answered_by, respondent, closing_kind, goodbyes, end_allowed_by,
                            hung_up_by, evidence, cause, release_reason)
    VALUES (a_campaign, a_prospect, a_entry, a_number, a_agent, 'claimed', 'manual',
            coalesce((SELECT e.state FROM campaigns_listentry e WHERE e.id = a_entry), ''), a_language,
            a_lease, a_at, '', 0, '', 0, '', '', '', '', '')
    RETURNING id INTO made;
    UPDATE campaigns_listentry e SET state = 'claimed', updated_at = a_at WHERE e.id = a_entry;
    PERFORM courtois_tell(made, a_agent, a_at, a_lines);
    RETURN made;
END $$;
COMMENT ON FUNCTION courtois_open_by_hand IS
    'Makes the claimed call of a number dialled by hand, takes its locked entry where there is one, and tells its lines.';
"""

OTHERS = """
CREATE FUNCTION courtois_others_on_number(a_call bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET plan_cache_mode TO force_generic_plan AS $$
BEGIN
    RETURN (SELECT count(DISTINCT n.prospect_id)
              FROM calls_call c JOIN campaigns_campaign own ON own.id = c.campaign_id
              JOIN crm_prospectnumber n ON n.number = c.number AND n.prospect_id IS DISTINCT FROM c.prospect_id
              JOIN campaigns_listentry e ON e.prospect_id = n.prospect_id
              JOIN campaigns_campaign g ON g.id = e.campaign_id AND g.programme_id = own.programme_id
             WHERE c.id = a_call);
END $$;
COMMENT ON FUNCTION courtois_others_on_number IS
    'How many other records in the lists of a call''s programme have its number.';
"""

# The trigger of the answer does the rest: what it made of the call is read by the statement after.
MISMATCH = """
CREATE FUNCTION courtois_store_mismatch(a_call bigint, a_by bigint, a_at timestamptz, a_answer jsonb)
RETURNS TABLE (state text, closing_kind text, goodbye_at timestamptz, goodbyes smallint,
               out_of_criteria_at timestamptz, disposition_id bigint, bars bigint[], number_bar bigint, others bigint)
LANGUAGE plpgsql SET plan_cache_mode TO force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO calls_callanswer (call_id, criterion_id, version, result, blocking, expected, heard, answered_by,
                                  respondent, at, by_id)
    SELECT a_call, n.criterion_id, n.version, n.result, n.blocking, n.expected, n.heard, n.answered_by,
           n.respondent, a_at, a_by
      FROM jsonb_populate_record(NULL::calls_callanswer, a_answer) n;
    RETURN QUERY
    SELECT c.state::text, c.closing_kind::text, c.goodbye_at, c.goodbyes, c.out_of_criteria_at, c.disposition_id,
           ARRAY(SELECT x.id FROM campaigns_exclusion x WHERE x.call_ref = c.id AND x.lifted_at IS NULL ORDER BY x.id),
           (SELECT min(x.id) FROM campaigns_exclusion x
             WHERE x.call_ref = c.id AND x.lifted_at IS NULL AND x.number = c.number),
           courtois_others_on_number(c.id)
      FROM calls_call c WHERE c.id = a_call AND c.out_of_criteria_at IS NOT NULL;
END $$;
COMMENT ON FUNCTION courtois_store_mismatch IS
    'Stores the answer of a mismatch (columns of calls_callanswer) and returns what the database made of the call: a row when it '
    'is out of criteria, with the bars that it caused, the one on its own number, and how many other records have that.';
"""


class Migration(migrations.Migration):
    """Histories, what a disposition changes, how far an entry came, what an outcome writes, a mismatch, a call by hand."""

    replaces = [
        ("calls", "0013_conclude_in_few_statements"),
        ("calls", "0018_tell_how_far_calls_came"),
    ]
    dependencies = [("calls", "0002_claim_functions")]

    operations = [
        migrations.RunSQL(TELL, "DROP FUNCTION courtois_tell;"),
        migrations.RunSQL(SETTLE, "DROP FUNCTION courtois_settle_call;"),
        migrations.RunSQL(MATCHED, "DROP FUNCTION courtois_said_to_match;"),
        migrations.RunSQL(PROGRESS, "DROP FUNCTION courtois_progress_of;"),
        migrations.RunSQL(CONCLUDE, "DROP FUNCTION courtois_conclude_call;"),
        migrations.RunSQL(OPEN, "DROP FUNCTION courtois_open_by_hand;"),
        migrations.RunSQL(OTHERS, "DROP FUNCTION courtois_others_on_number;"),
        migrations.RunSQL(MISMATCH, "DROP FUNCTION courtois_store_mismatch;"),
    ]
