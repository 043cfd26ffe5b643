"""The pages in English: every text has its translation, compiled, and the pages show it. French stays as written."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from gettext import GNUTranslations
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext, override, pgettext
from django.utils.translation.template import templatize

from calls.models import Situation
from calls.selectors.history import lines_of
from campaigns.models import Disposition
from crm.enums import EventKind
from crm.models import ProspectEvent
from tests.paging import text_of
from tests.test_call_screen import STATES, Story
from tests.test_url_matrix import MATRIX, OK, World, world  # noqa: F401

CODE = ("calls", "campaigns", "config", "crm")
#: Functions that take a text, with the places of its forms among their arguments.
MARKS = {
    "_": (0,),
    "gettext": (0,),
    "gettext_lazy": (0,),
    "gettext_noop": (0,),
    "pgettext": (1,),
    "pgettext_lazy": (1,),
    "ngettext": (0, 1),
    "ngettext_lazy": (0, 1),
}
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sd]")
LITERAL = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
MARKED = re.compile(rf"\b(n?)gettext\(({LITERAL})(?:,\s*({LITERAL}))?")
UNDERSCORED = re.compile(rf"\b_\(({LITERAL})\)")


@dataclass
class Entry:
    """A text of a catalogue: `msgid`, `msgid_plural` and `msgctxt` where it has them, `msgstr` or `msgstr[n]`."""

    fuzzy: bool = False
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(self.fields[name] for name in ("msgid", "msgid_plural") if name in self.fields)

    @property
    def translations(self) -> tuple[str, ...]:
        return tuple(value for name, value in self.fields.items() if name.startswith("msgstr"))


def entries_of(language: str) -> list[Entry]:
    """Read a .po file without its header. It knows what gettext's own tools write, no more."""
    found = [Entry()]
    name = ""
    path = Path(settings.BASE_DIR, "locale", language, "LC_MESSAGES", "django.po")
    for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
        if not line:
            found.append(Entry())
        elif line.startswith("#"):
            found[-1].fuzzy |= line.startswith("#,") and "fuzzy" in line
        else:
            if not line.startswith('"'):
                name, _separator, line = line.partition(" ")
            found[-1].fields[name] = found[-1].fields.get(name, "") + ast.literal_eval(line)
    return [entry for entry in found if entry.fields.get("msgid")]


def compiled(language: str) -> GNUTranslations:
    """Read a .mo file."""
    with Path(settings.BASE_DIR, "locale", language, "LC_MESSAGES", "django.mo").open("rb") as file:
        return GNUTranslations(file)


def texts_of_code(source: str) -> Iterator[str]:
    """Yield every text that Python code marks for translation."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        for place in MARKS.get(name, ()):
            argument = node.args[place] if place < len(node.args) else None
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value


def texts_of_template(source: str) -> Iterator[str]:
    """Yield every text that a template marks for translation."""
    code = templatize(source)
    for plural, first, second in MARKED.findall(code):
        yield ast.literal_eval(first)
        if plural and second:
            yield ast.literal_eval(second)
    yield from map(ast.literal_eval, UNDERSCORED.findall(code))


def marked_texts() -> dict[str, str]:
    """Return every text of the product with a file that has it."""
    root = Path(settings.BASE_DIR)
    found: dict[str, str] = {}
    for path in (
        path for app in CODE for path in (root / app).rglob("*.py") if "migrations" not in path.parts
    ):
        found |= dict.fromkeys(texts_of_code(path.read_text(encoding="utf-8")), str(path.relative_to(root)))
    for path in (root / "templates").rglob("*.html"):
        source = path.read_text(encoding="utf-8")
        found |= dict.fromkeys(texts_of_template(source), str(path.relative_to(root)))
    return {text: path for text, path in found.items() if text}


def test_no_text_is_missing_from_the_catalogue() -> None:
    known = {text for entry in entries_of("en") for text in entry.texts}

    missing = {text: path for text, path in marked_texts().items() if text not in known}

    assert not missing, "Run `make messages`, translate what is new, and run it again."


def test_every_text_has_an_english_translation() -> None:
    open_ones = [entry.fields for entry in entries_of("en") if entry.fuzzy or not all(entry.translations)]

    assert open_ones == []


def test_translations_keep_the_placeholders() -> None:
    changed = [
        (text, translation)
        for entry in entries_of("en")
        for text, translation in zip(entry.texts, entry.translations, strict=True)
        if sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(translation))
    ]

    assert changed == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_compiled_catalogue_says_what_its_source_says(language: str) -> None:
    catalogue = compiled(language)
    stale = []
    for entry in entries_of(language):
        text, context = entry.texts[0], entry.fields.get("msgctxt")
        if len(entry.texts) == 2:
            said = tuple(catalogue.ngettext(*entry.texts, number) for number in (1, 2))
        else:
            said = (catalogue.pgettext(context, text) if context else catalogue.gettext(text),)
        if said != entry.translations:
            stale.append((text, said))

    assert stale == []


def test_french_is_shown_as_it_is_written_but_for_hard_spaces() -> None:
    """Django's own French has some of our words too, in other senses: ours must win."""
    with override("fr"):
        said = {text: _said(entry) for entry in entries_of("en") for text in entry.texts[-1:]}

    assert {text: shown for text, shown in said.items() if shown.replace("\xa0", " ") != text} == {}
    assert [shown for shown in said.values() if re.search(r" [:;?!»]|« ", shown)] == []


def _said(entry: Entry) -> str:
    context = entry.fields.get("msgctxt")
    if len(entry.texts) == 2:
        return ngettext(*entry.texts, 2)
    return pgettext(context, entry.texts[0]) if context else gettext(entry.texts[0])


@pytest.mark.parametrize(("number", "french", "english"), [(0, 0, 1), (1, 0, 0), (2, 1, 1)])
def test_zero_is_singular_in_french_and_plural_in_english(number: int, french: int, english: int) -> None:
    forms = ("%(number)s fiche appelable maintenant", "%(number)s fiches appelables maintenant")

    with override("fr"):
        assert ngettext(*forms, number) == forms[french]
    with override("en"):
        expected = ("%(number)s record callable now", "%(number)s records callable now")
        assert ngettext(*forms, number) == expected[english]


def french_left(html: str) -> list[str]:
    """Return the texts of the catalogue that a page still shows in French."""
    # What a screen reader is told of a call quotes the sentence to say, in the person's own language.
    foreign = r'<input[^>]* lang="fr"[^>]*>|<(\w+)[^>]* lang="fr".*?</\1>| data-announce="[^"]*"'
    names_of_factories = r"\w+ \d+"
    shown = re.sub(names_of_factories, "", unescape(re.sub(foreign, "", html, flags=re.DOTALL)))
    return [
        text
        for text in french_texts()
        if text in shown and re.search(rf"(?<!\w){re.escape(text)}(?!\w)", shown)
    ]


@cache
def french_texts() -> list[str]:
    """Return the texts that cannot be taken for English: those of several words, or with an accent."""
    found = {
        text
        for entry in entries_of("en")
        for text, translation in zip(entry.texts, entry.translations, strict=True)
        if text.lower() != translation.lower() and not PLACEHOLDER.search(text) and len(text) > 5
    }
    # The name of an island is written alike in both languages, and is French for a meeting.
    english = {translation for entry in entries_of("en") for translation in entry.translations}
    return sorted(text for text in found - english if " " in text or not text.isascii())


def in_english(client: Client) -> Client:
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


@pytest.mark.django_db
def test_the_button_of_the_language_turns_the_login_to_english(client: Client) -> None:
    address = reverse("login")
    assert "Se connecter" in text_of(client.get(address))

    client.post(reverse("language"), {"language": "en", "next": address})

    response = client.get(address)
    assert "Log in" in text_of(response)
    assert '<html lang="en"' in response.content.decode()
    assert french_left(response.content.decode()) == []


def readable_pages() -> Iterable[str]:
    return sorted({line.name for line in MATRIX if line.method == "get" and OK in (line.manager, line.agent)})


@pytest.mark.parametrize("name", readable_pages())
def test_a_page_in_english_has_no_french_left(name: str, world: World) -> None:  # noqa: F811
    role = "agent" if name == "call" else "manager"
    client = in_english(Client())
    client.force_login(world.users[role])

    response = client.get(reverse(name, kwargs=world.arguments.get(name)))

    assert response.status_code == OK
    header_of_the_imported_file = "Téléphone"
    html = response.getvalue().decode().replace(header_of_the_imported_file, "")
    assert french_left(html) == []


@pytest.mark.django_db
@pytest.mark.parametrize("state", [state for state, _shown in STATES])
def test_the_call_screen_in_english_has_no_french_left(state: str, client: Client) -> None:
    story = Story().go(state)
    client.force_login(story.agent)

    response = in_english(client).get(story.url())

    assert response.status_code == OK
    assert french_left(response.content.decode()) == []


@pytest.mark.django_db
def test_dispositions_and_situations_have_english_labels() -> None:
    rows: list[Disposition | Situation] = [*Disposition.objects.all(), *Situation.objects.all()]
    assert rows

    with override("en"):
        assert [row.code for row in rows if row.shown_label != row.label_en or not row.label_en] == []
    with override("fr"):
        assert [row.code for row in rows if row.shown_label != row.label] == []


@pytest.mark.django_db
def test_the_history_tells_dispositions_in_the_language_of_the_page() -> None:
    busy = Disposition.objects.get(code="busy")
    event = ProspectEvent(kind=EventKind.DISPOSITION, data={"label": busy.label}, at=timezone.now())

    with override("en"):
        assert lines_of([event])[0].text.endswith(busy.label_en)
    with override("fr"):
        assert lines_of([event])[0].text.endswith(busy.label)


def test_english_dates_put_the_day_before_the_month() -> None:
    moment = datetime(2026, 3, 4, 14, 30, tzinfo=timezone.get_current_timezone())

    with override("en"):
        assert date_format(moment, "SHORT_DATETIME_FORMAT") == "04/03/2026 14:30"
        assert date_format(moment, gettext("j F à H:i")) == "4 March at 14:30"
