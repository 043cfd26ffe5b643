"""The words of a record are made with half the work: each text is made plain once, and what French letters need is
done in one pass. What comes out is the same, so that nothing has to be filled anew."""

from django.db import migrations

PLAIN = r"""
CREATE OR REPLACE FUNCTION courtois_plain(a text) RETURNS text
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
"""

FILL = r"""
CREATE OR REPLACE FUNCTION courtois_fill_words() RETURNS trigger LANGUAGE plpgsql AS $$
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


def _former() -> str:
    from importlib import import_module

    functions: str = import_module("crm.migrations.0005_find_prospects_by_words").FUNCTIONS
    return functions


class Migration(migrations.Migration):
    dependencies = [("crm", "0006_remember_the_language_of_the_pages")]
    operations = [migrations.RunSQL(PLAIN + FILL, _former())]
