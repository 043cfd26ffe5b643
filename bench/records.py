"""A queue of fictitious records of any length, written by set-based SQL, and the agents that work on it."""

from bench.place import connect, told

REFERENCE = """
INSERT INTO crm_sponsor (name, created_at) VALUES ('Bench', now());
INSERT INTO crm_source (name, slug, sponsor_id, spoken_origin, rights_contact, created_at)
SELECT 'Bench', 'bench', id, '', '', now() FROM crm_sponsor;
INSERT INTO campaigns_programme (name, sponsor_id, subject, created_at) SELECT 'Bench', id, '', now() FROM crm_sponsor;
"""

# A real rule set, so that the gate's caps are asked, with hours that are always open.
CAMPAIGN = """
INSERT INTO campaigns_campaign (slug, name, programme_id, purpose, calling_rule, hours, max_attempts, lease_seconds,
    talk_lease_seconds, dead_line_seconds, patience_seconds, language, status, created_at, updated_at)
SELECT 'bench', 'Bench', id, 'survey', 'default', '[{"days": [1,2,3,4,5,6,7], "from": "00:00", "to": "24:00"}]', 4, 60,
       900, 20, 45, 'fr', 'running', now(), now() FROM campaigns_programme RETURNING id
"""
CRITERION = """
INSERT INTO campaigns_criterion (programme_id, field, operator, value, question, expected, blocking, trust_file,
    position, version) SELECT id, 'sector', 'starts_with', '"64"', 'Une banque ?', 'une banque', true, true, 0, 1
  FROM campaigns_programme
"""

RECORDS = """
WITH made AS (
    INSERT INTO crm_prospect (source_id, external_id, erased_external_id, kind, civility, first_name, last_name,
        organisation, job_title, sector, email, address, postal_code, city, country, language, time_zone, attributes,
        confidential, preferred_channel, version, created_at, updated_at)
    SELECT s.id, 'b' || n, '', 'organisation', '', '', '', 'Banque ' || n, '', '6419Z', '', '', '69001', 'Lyon', 'FR',
           '', 'Europe/Paris', '{{}}', false, '', 1, now(), now()
      FROM crm_source s, generate_series({first}, {last}) n
    RETURNING id, external_id
), numbered AS (
    INSERT INTO crm_prospectnumber (prospect_id, number, raw, kind, validity, extension, note, position)
    SELECT id, '+3346571' || lpad(substr(external_id, 2), 7, '0'), '', 'landline', 'valid', '', '', 0 FROM made
    RETURNING prospect_id, number
)
INSERT INTO campaigns_listentry (campaign_id, prospect_id, number, state, priority, due_at, exact, language, time_zone,
    attempts, verdict_gate, verdict_reason, created_at, updated_at)
SELECT c.id, prospect_id, number, 'ready', 0, now() - interval '1 day', false, '', 'Europe/Paris', 0, '', '', now(),
       now()
  FROM numbered, campaigns_campaign c
"""
CHUNK = 50_000


def make_campaign() -> int:
    """Write sponsor, programme with a criterion, and a running campaign; return the campaign's id."""
    with connect() as connection:
        connection.execute(REFERENCE)
        row = connection.execute(CAMPAIGN).fetchone()
        connection.execute(CRITERION)
        assert row is not None
        return int(str(row[0]))


def grow(first: int, last: int) -> None:
    """Add records number `first` to `last` - 1, each queued and ready, and settle the server's statistics."""
    with told(f"{last:,} ready entries"), connect() as connection:
        # The rows are right by construction: their checks against each other would only take time.
        connection.execute("SET session_replication_role = replica")
        for begin in range(first, last, CHUNK):
            connection.execute(RECORDS.format(first=begin, last=min(begin + CHUNK, last) - 1))
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")


def ready_again() -> None:
    """Put every entry back to the state it was made in, its place in the index included."""
    with connect() as connection:
        connection.execute(
            "UPDATE campaigns_listentry SET state = 'ready', due_at = created_at - interval '1 day'"
            " WHERE state <> 'ready' OR due_at <> created_at - interval '1 day'"
        )
        connection.execute("VACUUM campaigns_listentry")
        connection.execute("CHECKPOINT")
