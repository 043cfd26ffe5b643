"""The claim's statements as functions: their plans are kept by the connection, and a claim is few round trips."""

from django.db import migrations

# force_generic_plan: the planner guesses ten rows where there is one, and would plan anew at each call. ROWS 1: of a
# thousand rows, which it guesses of a function, the statement around it would be planned anew each time, too.

# The lanes of the queue, as (language, time zone), are found by one probe each, however many entries a lane holds: its
# head comes first in the index of the claim. Hours are judged by the caller, who says which zones are open; a zone that
# it did not judge ends the look before anything is locked. Callbacks that are due come before fresh records. What
# another claim holds is passed over, never waited for. The limits are constants, so that the kept plan walks the index
# of the claim.
LOOK = """
CREATE FUNCTION courtois_claim_look(a_campaign bigint, a_agent bigint, a_spoken text[], a_open text[], a_shut text[],
                                    a_at timestamptz, a_passed bigint[], a_many boolean)
RETURNS TABLE (open_call bigint, paused boolean, status text, zones text[], entry bigint, prospect bigint, number text,
               state text, language text, time_zone text, exact boolean, free boolean, busy boolean)
LANGUAGE plpgsql ROWS 1 SET plan_cache_mode TO force_generic_plan AS $$
#variable_conflict use_column
DECLARE head campaigns_listentry; lanes campaigns_listentry[]; lane campaigns_listentry; taken campaigns_listentry[];
        more campaigns_listentry[];
BEGIN
    SELECT (SELECT c.id FROM calls_call c WHERE c.agent_id = a_agent AND c.state NOT IN ('done', 'released')),
           EXISTS (SELECT FROM calls_pause p WHERE p.agent_id = a_agent AND p.ended_at IS NULL),
           coalesce((SELECT g.status::text FROM campaigns_campaign g WHERE g.id = a_campaign), '')
      INTO open_call, paused, status;
    IF open_call IS NOT NULL OR paused OR status <> 'running' THEN RETURN NEXT; RETURN; END IF;

    SELECT * INTO head FROM campaigns_listentry e
     WHERE e.campaign_id = a_campaign AND e.state = 'ready'
     ORDER BY e.language, e.time_zone, e.priority DESC, e.due_at, e.id LIMIT 1;
    WHILE head.id IS NOT NULL LOOP
        IF head.language = ANY (a_spoken) AND head.time_zone <> ALL (a_shut) THEN
            lanes := lanes || head;
            IF head.time_zone <> ALL (a_open) THEN zones := zones || head.time_zone::text; END IF;
        END IF;
        SELECT * INTO head FROM campaigns_listentry e
         WHERE e.campaign_id = a_campaign AND e.state = 'ready'
           AND (e.language, e.time_zone) > (head.language, head.time_zone)
         ORDER BY e.language, e.time_zone, e.priority DESC, e.due_at, e.id LIMIT 1;
    END LOOP;
    IF zones IS NOT NULL THEN RETURN NEXT; RETURN; END IF;
    IF cardinality(lanes) > 1 THEN
        SELECT array_agg(l ORDER BY l.due_at > a_at, l.priority DESC, l.due_at, l.id) INTO lanes FROM unnest(lanes) l;
    END IF;

    IF a_many THEN
        SELECT array_agg(k ORDER BY k.due_at, k.id) INTO taken FROM (
            SELECT * FROM campaigns_listentry e
             WHERE e.campaign_id = a_campaign AND e.state = 'callback' AND e.due_at <= a_at
               AND (e.owner_id IS NULL OR e.owner_id = a_agent) AND e.language = ANY (a_spoken)
               AND e.id <> ALL (a_passed)
             ORDER BY e.due_at, e.id LIMIT 50 FOR UPDATE SKIP LOCKED) k;
    ELSE
        SELECT array_agg(k) INTO taken FROM (
            SELECT * FROM campaigns_listentry e
             WHERE e.campaign_id = a_campaign AND e.state = 'callback' AND e.due_at <= a_at
               AND (e.owner_id IS NULL OR e.owner_id = a_agent) AND e.language = ANY (a_spoken)
               AND e.id <> ALL (a_passed)
             ORDER BY e.due_at, e.id LIMIT 1 FOR UPDATE SKIP LOCKED) k;
    END IF;
    IF taken IS NULL THEN
        FOREACH lane IN ARRAY coalesce(lanes, '{}') LOOP
            IF a_many THEN
                SELECT array_agg(k ORDER BY k.priority DESC, k.due_at, k.id) INTO more FROM (
                    SELECT * FROM campaigns_listentry e
                     WHERE e.campaign_id = a_campaign AND e.state = 'ready' AND e.language = lane.language
                       AND e.time_zone = lane.time_zone AND e.due_at <= a_at AND e.id <> ALL (a_passed)
                     ORDER BY e.priority DESC, e.due_at, e.id LIMIT 50 FOR UPDATE SKIP LOCKED) k;
            ELSE
                SELECT array_agg(k) INTO more FROM (
                    SELECT * FROM campaigns_listentry e
                     WHERE e.campaign_id = a_campaign AND e.state = 'ready' AND e.language = lane.language
                       AND e.time_zone = lane.time_zone AND e.due_at <= a_at AND e.id <> ALL (a_passed)
                     ORDER BY e.priority DESC, e.due_at, e.id LIMIT 1 FOR UPDATE SKIP LOCKED) k;
            END IF;
            taken := coalesce(taken, '{}') || coalesce(more, '{}');
            EXIT WHEN cardinality(taken) >= CASE WHEN a_many THEN 50 ELSE 1 END;
        END LOOP;
    END IF;
    IF coalesce(cardinality(taken), 0) = 0 THEN RETURN NEXT; RETURN; END IF;
    FOREACH lane IN ARRAY taken LOOP
        entry := lane.id;
        prospect := lane.prospect_id;
        number := lane.number;
        state := lane.state;
        language := lane.language;
        time_zone := lane.time_zone;
        exact := lane.exact;
        free := courtois_try_bars(lane.number, lane.prospect_id);
        busy := EXISTS (SELECT FROM calls_call c WHERE c.number = lane.number AND c.state NOT IN ('done', 'released'))
                OR EXISTS (SELECT FROM calls_call c
                            WHERE c.prospect_id = lane.prospect_id AND c.state NOT IN ('done', 'released'));
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION courtois_claim_look IS
    'What a claim looks at: the agent''s open call and pause, the status of the campaign, and the next entries to serve, locked: one, or '
    'some fifty when a_many. At least one row. zones: those of its lanes that the caller must first judge as open or shut, and '
    'then nothing is locked. free: no bar on the entry is being written; busy: its number or person is in an open call.';
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
    """Two functions for one verb."""

    replaces = [
        ("calls", "0006_claim_functions"),
        ("calls", "0010_claim_in_one_look"),
        ("calls", "0015_look_at_one_row"),
    ]
    dependencies = [("calls", "0001_tables"), ("campaigns", "0002_bars_and_gate")]

    operations = [
        migrations.RunSQL(LOOK, "DROP FUNCTION courtois_claim_look;"),
        migrations.RunSQL(TAKE, "DROP FUNCTION courtois_take_entry;"),
    ]
