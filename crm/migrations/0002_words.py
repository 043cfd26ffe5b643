"""What people say of a prospect, kept as words to search by and keys to sort by; no contrib extension is needed.

The row of the feed of changes says which cluster, database and table its positions belong to.
"""

from django.db import migrations

PLAIN = r"""
CREATE FUNCTION courtois_plain(a text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 20 AS $$
DECLARE t text;
BEGIN
    IF octet_length(a) = char_length(a) THEN
        t := lower(a COLLATE "C");
    ELSE
        -- What most texts that are not ASCII hold; marks part words, as below.
        t := translate(a, 'éèêëÉÈÊËàâäÀÂÄçÇôöÔÖîïÎÏùûüÙÛÜ’«»' || U&'\00A0', 'eeeeeeeeaaaaaaccooooiiiiuuuuuu    ');
        IF octet_length(t) = char_length(t) THEN
            t := lower(t COLLATE "C");
        ELSE
            t := lower(a);
            t := replace(replace(replace(replace(t, 'œ', 'oe'), 'Œ', 'oe'), 'æ', 'ae'), 'Æ', 'ae');
            t := replace(replace(replace(replace(t, 'ø', 'o'), 'Ø', 'o'), 'ł', 'l'), 'Ł', 'l');
            t := replace(replace(replace(t, 'đ', 'd'), 'Đ', 'd'), 'ß', 'ss');
            -- Once more: a database of the locale C lowers nothing but ASCII, which the letters are only now.
            t := lower(regexp_replace(normalize(t, NFKD), '[\u0300-\u036f]+', '', 'g') COLLATE "C");
        END IF;
    END IF;
    -- "S.A." and "64.19Z" are one word each; every other mark parts words.
    RETURN btrim(regexp_replace(replace(t, '.', ''), '[\u0001-/:-@\[-`{-\u00bf\u2000-\u206f\u3000-\u303f]+', ' ', 'g'));
END $$;
COMMENT ON FUNCTION courtois_plain IS
    'A text as it is searched and sorted: lower case, no accents, no ligatures, words parted by one space.';
"""

SEARCH = """
CREATE FUNCTION courtois_search(a text) RETURNS tsquery
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
"""

FILL = """
CREATE FUNCTION courtois_fill_words() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    person text := concat_ws(' ', nullif(NEW.last_name, ''), nullif(NEW.first_name, ''));
    name text := courtois_plain(CASE WHEN NEW.organisation <> '' THEN NEW.organisation ELSE person END);
    id text := courtois_plain(NEW.external_id);
BEGIN
    NEW.sort_name := left(name, 120);
    NEW.sort_city := courtois_plain(NEW.city);
    NEW.words := array_to_tsvector(array_remove(string_to_array(concat_ws(' ', name, NEW.sort_city, id,
        CASE WHEN id LIKE '% %' THEN replace(id, ' ', '') END,
        courtois_plain(concat_ws(' ', CASE WHEN NEW.organisation <> '' THEN person END, NEW.sector, NEW.email,
            NEW.postal_code, NEW.attributes ->> 'siret', NEW.attributes ->> 'SIRET'))), ' '), ''));
    RETURN NEW;
END $$;
"""

# ALWAYS: rows that come by replication, or past the other triggers, are found as well.
COLUMNS = """
ALTER TABLE crm_prospect
    ADD COLUMN words tsvector,
    ADD COLUMN sort_name text COLLATE "C",
    ADD COLUMN sort_city text COLLATE "C";
CREATE TRIGGER prospect_words BEFORE INSERT OR UPDATE ON crm_prospect
    FOR EACH ROW EXECUTE FUNCTION courtois_fill_words();
ALTER TABLE crm_prospect ENABLE ALWAYS TRIGGER prospect_words;
"""
NO_COLUMNS = """
DROP TRIGGER prospect_words ON crm_prospect;
ALTER TABLE crm_prospect DROP COLUMN words, DROP COLUMN sort_name, DROP COLUMN sort_city;
"""

# Search by words; the pages by name, by city and by sector; the filter by sector.
INDEXES = """
CREATE INDEX prospect_words ON crm_prospect USING gin (words);
CREATE INDEX prospect_by_name ON crm_prospect (sort_name, id) WHERE erased_at IS NULL;
CREATE INDEX prospect_by_city ON crm_prospect (sort_city, id) WHERE erased_at IS NULL;
CREATE INDEX prospect_by_sector ON crm_prospect ((sector COLLATE "C"), id) WHERE erased_at IS NULL;
"""
NO_INDEXES = "DROP INDEX prospect_words, prospect_by_name, prospect_by_city, prospect_by_sector;"

FEED = """
INSERT INTO crm_feedstate (id, cluster, epoch, floor)
SELECT 1, concat_ws('/', system_identifier, timeline_id, d.oid, 'crm_recordchange'::regclass::oid), 1, '0'
  FROM pg_control_system(), pg_control_checkpoint(), pg_database d WHERE datname = current_database();
"""


class Migration(migrations.Migration):
    """Words, sort keys and their indexes; the state of the feed."""

    replaces = [
        ("crm", "0005_find_prospects_by_words"),
        ("crm", "0007_plain_words_sooner"),
    ]
    dependencies = [("crm", "0001_tables")]

    operations = [
        migrations.RunSQL(PLAIN, "DROP FUNCTION courtois_plain;"),
        migrations.RunSQL(SEARCH, "DROP FUNCTION courtois_search;"),
        migrations.RunSQL(FILL, "DROP FUNCTION courtois_fill_words;"),
        migrations.RunSQL(COLUMNS, NO_COLUMNS),
        migrations.RunSQL(INDEXES, NO_INDEXES),
        migrations.RunSQL(FEED, "DELETE FROM crm_feedstate;"),
    ]
