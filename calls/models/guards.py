"""What a new exclusion does to calls and callbacks; the table itself belongs to campaigns."""

import pgtrigger

from campaigns.models import Exclusion
from crm.models.triggers import Trigger

#: Claimed calls that the new bars cover are taken off the agents' screens; nobody was disturbed yet.
RELEASE = """
    WITH hit AS (
        SELECT c.id FROM new_rows x JOIN calls_call c ON c.number = x.number WHERE c.state = 'claimed'
        UNION
        SELECT c.id FROM new_rows x JOIN calls_call c ON c.prospect_id = x.prospect_id WHERE c.state = 'claimed'
        UNION
        SELECT c.id FROM new_rows x JOIN crm_prospectnumber n ON n.prospect_id = x.prospect_id
          JOIN calls_call c ON c.number = n.number WHERE c.state = 'claimed' AND c.prospect_id IS NULL
    ), locked AS (
        SELECT c.id FROM calls_call c WHERE c.id IN (SELECT id FROM hit) AND c.state = 'claimed'
         ORDER BY c.id FOR UPDATE
    ), gone AS (
        UPDATE calls_call c SET state = 'released', release_reason = 'excluded', done_at = clock_timestamp()
          FROM locked WHERE c.id = locked.id
           AND courtois_covering_exclusion(c.number, c.prospect_id, c.campaign_id) IS NOT NULL
        RETURNING c.id, c.entry_id, c.entry_was
    ), told AS (
        INSERT INTO calls_callevent (call_id, kind, at, data)
        SELECT id, 'released', clock_timestamp(), '{"reason": "excluded"}' FROM gone
    )
    UPDATE campaigns_listentry e SET state = coalesce(nullif(g.entry_was, ''), 'ready'), updated_at = clock_timestamp()
      FROM gone g WHERE e.id = g.entry_id AND e.state = 'claimed';
    RETURN NULL;
"""

#: A callback stands no longer when no number of its prospect may be dialled, wherever its entry is by now.
CALLBACKS = """
    UPDATE calls_callback b SET state = 'excluded', closed_at = clock_timestamp()
      FROM campaigns_listentry e
     WHERE b.entry_id = e.id AND b.state = 'open'
       AND courtois_callable_number(e.prospect_id, e.campaign_id) IS NULL
       AND courtois_covering_exclusion(e.number, e.prospect_id, e.campaign_id) IS NOT NULL
       AND (e.prospect_id IN (SELECT prospect_id FROM new_rows WHERE prospect_id IS NOT NULL)
            OR e.prospect_id IN (SELECT n.prospect_id FROM new_rows x
                                   JOIN crm_prospectnumber n ON n.number = x.number));
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
