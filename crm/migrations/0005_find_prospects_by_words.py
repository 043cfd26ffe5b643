"""What people say of a prospect, kept as words to search by and keys to sort by.

No contrib extension is needed. On a big table nothing here holds a lock for long: columns are added empty, filled ten
thousand rows at a time, and every index is built CONCURRENTLY, so the migration is not atomic and may be run again
after an interruption.
"""

from typing import Any

from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations

#: Rows that are filled in one transaction.
BATCH = 10_000

FUNCTIONS = r"""
CREATE OR REPLACE FUNCTION courtois_plain(a text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 20 AS $$
DECLARE t text;
BEGIN
    IF octet_length(a) = char_length(a) THEN
        t := lower(a COLLATE "C");
    ELSE
        t := lower(a);
        t := replace(replace(replace(replace(t, 'œ', 'oe'), 'Œ', 'oe'), 'æ', 'ae'), 'Æ', 'ae');
        t := replace(replace(replace(replace(t, 'ø', 'o'), 'Ø', 'o'), 'ł', 'l'), 'Ł', 'l');
        t := replace(replace(replace(t, 'đ', 'd'), 'Đ', 'd'), 'ß', 'ss');
        -- Once more: a database of the locale C lowers nothing but ASCII, which the letters are only now.
        t := lower(regexp_replace(normalize(t, NFKD), '[\u0300-\u036f]+', '', 'g') COLLATE "C");
    END IF;
    -- "S.A." and "64.19Z" are one word each; every other mark parts words.
    RETURN btrim(regexp_replace(replace(t, '.', ''), '[\u0001-/:-@\[-`{-\u00bf\u2000-\u206f\u3000-\u303f]+', ' ', 'g'));
END $$;
COMMENT ON FUNCTION courtois_plain IS
    'A text as it is searched and sorted: lower case, no accents, no ligatures, words parted by one space.';

CREATE OR REPLACE FUNCTION courtois_search(a text) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 100 AS $$
DECLARE
    t text := courtois_plain(a);
    found tsquery;
BEGIN
    SELECT string_agg('''' || w || CASE WHEN char_length(w) > 1 OR n = last THEN ''':*' ELSE '''' END, ' & ')::tsquery
      INTO found
      FROM (SELECT w, max(n) AS n, max(max(n)) OVER () AS last FROM unnest(string_to_array(t, ' ')) WITH ORDINALITY u(w, n)
             WHERE w <> '' GROUP BY w ORDER BY min(n) LIMIT 8) q;
    -- An identifier that is read out in groups: "123 456 789 00012".
    IF t ~ '^[0-9]+( [0-9]+)+$' AND char_length(t) >= 6 THEN
        found := found || ('''' || replace(t, ' ', '') || ''':*')::tsquery;
    END IF;
    RETURN found;
END $$;
COMMENT ON FUNCTION courtois_search IS
    'What somebody typed, as a query of crm_prospect.words: each word by its beginning, a single letter as it is unless it is the last; null when it has no word.';

CREATE OR REPLACE FUNCTION courtois_fill_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.sort_name := left(courtois_plain(coalesce(
        nullif(NEW.organisation, ''), nullif(concat_ws(' ', NEW.last_name, NEW.first_name), ' '), '')), 120);
    NEW.sort_city := courtois_plain(NEW.city);
    NEW.words := array_to_tsvector(array_remove(string_to_array(
        courtois_plain(concat_ws(' ', NEW.organisation, NEW.first_name, NEW.last_name, NEW.sector, NEW.email,
            NEW.external_id, NEW.postal_code, NEW.attributes ->> 'siret', NEW.attributes ->> 'SIRET'))
        || ' ' || NEW.sort_city || ' ' || replace(courtois_plain(NEW.external_id), ' ', ''), ' '), ''));
    RETURN NEW;
END $$;
"""

# ALWAYS: rows that come by replication, or past the other triggers, are found as well.
COLUMNS = """
ALTER TABLE crm_prospect
    ADD COLUMN IF NOT EXISTS words tsvector,
    ADD COLUMN IF NOT EXISTS sort_name text COLLATE "C",
    ADD COLUMN IF NOT EXISTS sort_city text COLLATE "C";
DROP TRIGGER IF EXISTS prospect_words ON crm_prospect;
CREATE TRIGGER prospect_words BEFORE INSERT OR UPDATE ON crm_prospect
    FOR EACH ROW EXECUTE FUNCTION courtois_fill_words();
ALTER TABLE crm_prospect ENABLE ALWAYS TRIGGER prospect_words;
"""
BACK = """
DROP TRIGGER prospect_words ON crm_prospect;
ALTER TABLE crm_prospect DROP COLUMN words, DROP COLUMN sort_name, DROP COLUMN sort_city;
DROP FUNCTION courtois_fill_words();
DROP FUNCTION courtois_search(text);
DROP FUNCTION courtois_plain(text);
"""

FILL = "UPDATE crm_prospect SET words = NULL WHERE id >= %s AND id < %s AND words IS NULL"

#: Name, and what it is on. Search by words; the pages by name, by city and by sector; the filter by sector.
INDEXES = {
    "prospect_words": "USING gin (words)",
    "prospect_by_name": "(sort_name, id) WHERE erased_at IS NULL",
    "prospect_by_city": "(sort_city, id) WHERE erased_at IS NULL",
    "prospect_by_sector": '((sector COLLATE "C"), id) WHERE erased_at IS NULL',
}


def fill(apps: Any, schema_editor: Any) -> None:
    """Give the rows that are there already their words, a transaction a batch."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(min(id), 1), coalesce(max(id), 0) FROM crm_prospect")
        first, last = cursor.fetchone()
        for start in range(first, last + 1, BATCH):
            cursor.execute(FILL, [start, start + BATCH])


def build(apps: Any, schema_editor: Any) -> None:
    """Build each index without a lock on writers; one that an interrupted run left invalid is built anew."""
    for name, columns in INDEXES.items():
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        schema_editor.execute(f"CREATE INDEX CONCURRENTLY {name} ON crm_prospect {columns}")


def drop(apps: Any, schema_editor: Any) -> None:
    """Drop them."""
    for name in INDEXES:
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


class Migration(migrations.Migration):
    """Words, sort keys and their indexes; those by the beginning of a name go."""

    atomic = False
    dependencies = [("crm", "0004_teams_and_accounts")]

    operations = [
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
        migrations.RunSQL(COLUMNS, BACK),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(build, drop),
        RemoveIndexConcurrently(model_name="prospect", name="prospect_organisation"),
        RemoveIndexConcurrently(model_name="prospect", name="prospect_last_name"),
    ]
