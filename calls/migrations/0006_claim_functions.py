"""The claim's statements as functions: their plans are kept by the connection, and a claim is few round trips."""

from django.db import migrations

# force_generic_plan: the planner guesses ten rows where there is one, and would plan anew at each call.

# The lanes: one index probe each, however many entries it holds, for its head comes first in the index of the claim.
MINE = """
CREATE FUNCTION courtois_agent_at_claim(a_agent bigint, a_campaign bigint, a_at timestamptz)
RETURNS TABLE (open_call bigint, paused boolean, status text, languages text[], zones text[], criteria text)
LANGUAGE plpgsql STABLE SET plan_cache_mode TO force_generic_plan AS $$
BEGIN
    RETURN QUERY WITH RECURSIVE lane AS (
        (SELECT e.language, e.time_zone, e.priority, e.due_at, e.id FROM campaigns_listentry e
          WHERE e.campaign_id = a_campaign AND e.state = 'ready'
          ORDER BY e.language, e.time_zone, e.priority DESC, e.due_at, e.id LIMIT 1)
        UNION ALL
        SELECT n.* FROM lane l CROSS JOIN LATERAL (
            SELECT e.language, e.time_zone, e.priority, e.due_at, e.id FROM campaigns_listentry e
             WHERE e.campaign_id = a_campaign AND e.state = 'ready'
               AND (e.language, e.time_zone) > (l.language, l.time_zone)
             ORDER BY e.language, e.time_zone, e.priority DESC, e.due_at, e.id LIMIT 1) n
    ), pressing AS (
        SELECT l.language::text, l.time_zone::text, row_number() OVER (
               ORDER BY l.due_at > a_at, l.priority DESC, l.due_at, l.id) AS turn FROM lane l
    )
    SELECT (SELECT c.id FROM calls_call c WHERE c.agent_id = a_agent AND c.state NOT IN ('done', 'released')),
           EXISTS (SELECT FROM calls_pause p WHERE p.agent_id = a_agent AND p.ended_at IS NULL),
           (SELECT g.status::text FROM campaigns_campaign g WHERE g.id = a_campaign),
           (SELECT array_agg(p.language ORDER BY p.turn) FROM pressing p),
           (SELECT array_agg(p.time_zone ORDER BY p.turn) FROM pressing p),
           courtois_trusted_criteria(a_campaign);
END $$;
COMMENT ON FUNCTION courtois_agent_at_claim IS
    'What a claim looks at first: the agent''s open call and pause, the status of the campaign, and the languages and time '
    'zones of its ready entries, the ones to be served first at the top; criteria as courtois_trusted_criteria gives them.';
"""

# Callbacks that are due come before fresh records. What another claim holds is passed over, never waited for. The
# limits are constants, so that the kept plan walks the index of the claim.
CANDIDATES = """
CREATE FUNCTION courtois_claim_candidates(a_campaign bigint, a_agent bigint, a_languages text[], a_zones text[],
                                          a_spoken text[], a_at timestamptz, a_passed bigint[], a_many boolean)
RETURNS TABLE (entry bigint, prospect bigint, number text, state text, language text, time_zone text, exact boolean,
               free boolean, busy boolean)
LANGUAGE plpgsql SET plan_cache_mode TO force_generic_plan AS $$
DECLARE taken campaigns_listentry[]; more campaigns_listentry[]; lane record;
BEGIN
    IF a_many THEN
        SELECT array_agg(k ORDER BY k.due_at, k.id) INTO taken FROM (
            SELECT * FROM campaigns_listentry e
             WHERE e.campaign_id = a_campaign AND e.state = 'callback' AND e.due_at <= a_at
               AND (e.owner_id IS NULL OR e.owner_id = a_agent) AND e.language = ANY(a_spoken)
               AND e.id <> ALL(a_passed)
             ORDER BY e.due_at, e.id LIMIT 50 FOR UPDATE SKIP LOCKED) k;
    ELSE
        SELECT array_agg(k) INTO taken FROM (
            SELECT * FROM campaigns_listentry e
             WHERE e.campaign_id = a_campaign AND e.state = 'callback' AND e.due_at <= a_at
               AND (e.owner_id IS NULL OR e.owner_id = a_agent) AND e.language = ANY(a_spoken)
               AND e.id <> ALL(a_passed)
             ORDER BY e.due_at, e.id LIMIT 1 FOR UPDATE SKIP LOCKED) k;
    END IF;
    IF taken IS NULL THEN
        FOR lane IN SELECT l.language, l.time_zone
                      FROM unnest(a_languages, a_zones) WITH ORDINALITY AS l(language, time_zone, ord) ORDER BY l.ord
        LOOP
            IF a_many THEN
                SELECT array_agg(k ORDER BY k.priority DESC, k.due_at, k.id) INTO more FROM (
                    SELECT * FROM campaigns_listentry e
                     WHERE e.campaign_id = a_campaign AND e.state = 'ready' AND e.language = lane.language
                       AND e.time_zone = lane.time_zone AND e.due_at <= a_at AND e.id <> ALL(a_passed)
                     ORDER BY e.priority DESC, e.due_at, e.id LIMIT 50 FOR UPDATE SKIP LOCKED) k;
            ELSE
                SELECT array_agg(k) INTO more FROM (
                    SELECT * FROM campaigns_listentry e
                     WHERE e.campaign_id = a_campaign AND e.state = 'ready' AND e.language = lane.language
                       AND e.time_zone = lane.time_zone AND e.due_at <= a_at AND e.id <> ALL(a_passed)
                     ORDER BY e.priority DESC, e.due_at, e.id LIMIT 1 FOR UPDATE SKIP LOCKED) k;
            END IF;
            taken := coalesce(taken, '{}') || coalesce(more, '{}');
            EXIT WHEN cardinality(taken) >= CASE WHEN a_many THEN 50 ELSE 1 END;
        END LOOP;
    END IF;
    RETURN QUERY
        SELECT k.id, k.prospect_id, k.number::text, k.state::text, k.language::text, k.time_zone::text, k.exact,
               courtois_try_bars(k.number, k.prospect_id),
               EXISTS (SELECT FROM calls_call c WHERE c.number = k.number AND c.state NOT IN ('done', 'released'))
               OR EXISTS (SELECT FROM calls_call c
                           WHERE c.prospect_id = k.prospect_id AND c.state NOT IN ('done', 'released'))
          FROM unnest(taken) AS k;
END $$;
COMMENT ON FUNCTION courtois_claim_candidates IS
    'Locks and returns the next entries to serve: one, or some fifty when a_many. free: no bar on it is being written; '
    'busy: its number or person is in an open call.';
"""

# Call, entry and both histories stand or fall together. No row comes back when somebody else was faster.
TAKE = """
CREATE FUNCTION courtois_take_entry(a_entry bigint, a_agent bigint, a_at timestamptz, a_lease timestamptz)
RETURNS bigint LANGUAGE plpgsql SET plan_cache_mode TO force_generic_plan AS $$
DECLARE e campaigns_listentry; c campaigns_campaign; made bigint;
BEGIN
    SELECT * INTO STRICT e FROM campaigns_listentry WHERE id = a_entry;
    SELECT * INTO STRICT c FROM campaigns_campaign WHERE id = e.campaign_id;
    INSERT INTO calls_call (campaign_id, prospect_id, entry_id, number, agent_id, state, mode, entry_was, language,
                            lease_until, started_at, answered_by, respondent, closing_kind, goodbyes, end_allowed_by,
                            hung_up_by, evidence, cause, release_reason)
    VALUES (e.campaign_id, e.prospect_id, e.id, e.number, a_agent, 'claimed', 'queue', e.state,
            coalesce(nullif(e.language, ''), c.language), a_lease, a_at, '', 0, '', 0, '', '', '', '', '')
    ON CONFLICT DO NOTHING RETURNING id INTO made;
    IF made IS NULL THEN RETURN NULL; END IF;
    UPDATE campaigns_listentry SET state = 'claimed', verdict_gate = '', verdict_reason = '', verdict_until = NULL,
           updated_at = a_at WHERE id = e.id;
    INSERT INTO calls_callevent (call_id, kind, at, by_id, data) VALUES (made, 'claimed', a_at, a_agent, '{}');
    INSERT INTO crm_prospectevent (prospect_id, sponsor_id, at, by_id, kind, call_ref, data)
    SELECT e.prospect_id, p.sponsor_id, a_at, a_agent, 'claimed', made,
           jsonb_build_object('event', 'claimed', 'campaign', e.campaign_id)
      FROM campaigns_programme p WHERE p.id = c.programme_id;
    RETURN made;
END $$;
COMMENT ON FUNCTION courtois_take_entry IS
    'Makes the claimed call of a locked entry, with its histories. Null when agent, number or person got an open call.';
"""


class Migration(migrations.Migration):
    """Three functions for one verb."""

    dependencies = [("calls", "0005_load_playbooks"), ("campaigns", "0003_bars")]

    operations = [
        migrations.RunSQL(MINE, "DROP FUNCTION courtois_agent_at_claim;"),
        migrations.RunSQL(CANDIDATES, "DROP FUNCTION courtois_claim_candidates;"),
        migrations.RunSQL(TAKE, "DROP FUNCTION courtois_take_entry;"),
    ]
