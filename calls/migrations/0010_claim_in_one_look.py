"""A claim looks once: at the agent, the campaign, the lanes of its queue and the next candidates."""

from importlib import import_module

from django.db import migrations

FORMER = import_module("calls.migrations.0006_claim_functions")

# The lanes of the queue, as (language, time zone), are found by one probe each, however many entries a lane holds: its head
# comes first in the index of the claim. Hours are judged by the caller, who says which zones are open; a zone that it did
# not judge ends the look before anything is locked. Callbacks that are due come before fresh records. What another claim
# holds is passed over, never waited for. The limits are constants, so that the kept plan walks the index of the claim.
LOOK = """
CREATE FUNCTION courtois_claim_look(a_campaign bigint, a_agent bigint, a_spoken text[], a_open text[], a_shut text[],
                                    a_at timestamptz, a_passed bigint[], a_many boolean)
RETURNS TABLE (open_call bigint, paused boolean, status text, zones text[], entry bigint, prospect bigint, number text,
               state text, language text, time_zone text, exact boolean, free boolean, busy boolean)
LANGUAGE plpgsql SET plan_cache_mode TO force_generic_plan AS $$
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


class Migration(migrations.Migration):
    """One function instead of two."""

    dependencies = [("calls", "0009_drop_agent_sessions")]

    operations = [
        migrations.RunSQL("DROP FUNCTION courtois_agent_at_claim;", FORMER.MINE),
        migrations.RunSQL("DROP FUNCTION courtois_claim_candidates;", FORMER.CANDIDATES),
        migrations.RunSQL(LOOK, "DROP FUNCTION courtois_claim_look;"),
    ]
