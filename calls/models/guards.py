"""What a new exclusion does to calls and callbacks; the table itself belongs to campaigns."""

import pgtrigger

from campaigns.models import Exclusion
from crm.models.triggers import Trigger

#: Claimed calls that the new bars cover are taken off the agents' screens; nobody was disturbed yet.
#: Planned at each run, as what follows it: see the closing of entries in `campaigns.models.exclusions`.
RELEASE = """
    EXECUTE $sql$
    WITH hit AS (
        SELECT c.id FROM new_rows x JOIN calls_call c ON c.number = x.number WHERE c.state = 'claimed'
        UNION
        SELECT c.id FROM new_rows x JOIN calls_call c ON c.prospect_id = x.prospect_id WHERE c.state = 'claimed'
        UNION
        SELECT c.id FROM new_rows x JOIN crm_prospectnumber n ON n.prospect_id = x.prospect_id
          JOIN calls_call c ON c.number = n.number WHERE c.state = 'claimed' AND c.prospect_id IS NULL
    ), locked AS (
        SELECT c.id, c.number, c.prospect_id, c.campaign_id FROM calls_call c
         WHERE c.id IN (SELECT id FROM hit) AND c.state = 'claimed' ORDER BY c.id FOR UPDATE
    ), barred AS MATERIALIZED (
        SELECT l.id FROM locked l
         WHERE courtois_covering_exclusion(l.number, l.prospect_id, l.campaign_id) IS NOT NULL
    ), gone AS (
        UPDATE calls_call c SET state = 'released', release_reason = 'excluded', done_at = clock_timestamp()
          FROM barred WHERE c.id = barred.id
        RETURNING c.id, c.entry_id, c.entry_was
    ), told AS (
        INSERT INTO calls_callevent (call_id, kind, at, data)
        SELECT id, 'released', clock_timestamp(), '{"reason": "excluded"}' FROM gone
    )
    UPDATE campaigns_listentry e SET state = coalesce(nullif(g.entry_was, ''), 'ready'), updated_at = clock_timestamp()
      FROM gone g WHERE e.id = g.entry_id AND e.state = 'claimed'
    $sql$;
    RETURN NULL;
"""

#: A callback stands no longer when no number of its prospect may be dialled, wherever its entry is by now.
CALLBACKS = """
    EXECUTE $sql$
    WITH hit AS MATERIALIZED (
        SELECT b.id, e.number, e.prospect_id, e.campaign_id
          FROM calls_callback b JOIN campaigns_listentry e ON e.id = b.entry_id
         WHERE b.state = 'open' AND e.prospect_id IN (
               SELECT prospect_id FROM new_rows WHERE prospect_id IS NOT NULL
                UNION ALL
               SELECT n.prospect_id FROM new_rows x JOIN crm_prospectnumber n ON n.number = x.number)
    ), barred AS MATERIALIZED (
        SELECT h.id FROM hit h
         WHERE courtois_callable_number(h.prospect_id, h.campaign_id) IS NULL
           AND courtois_covering_exclusion(h.number, h.prospect_id, h.campaign_id) IS NOT NULL
    )
    UPDATE calls_callback b SET state = 'excluded', closed_at = clock_timestamp()
      FROM barred WHERE b.id = barred.id AND b.state = 'open'
    $sql$;
    RETURN NULL;
"""


class GuardedExclusion(Exclusion):
    """The exclusion as calls see it: a proxy that carries the triggers on calls and callbacks."""

    class Meta:
        proxy = True
        triggers = [
            Trigger(
                name="exclusion_2_release",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_rows"),
                func=RELEASE,
            ),
            Trigger(
                name="exclusion_4_callbacks",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_rows"),
                func=CALLBACKS,
            ),
        ]
