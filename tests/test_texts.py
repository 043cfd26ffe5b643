"""Sentences with placeholders: filled by plain replacement, refused when they could not be said."""

import pytest

from campaigns.rules.catalogue import CLOSING_STEPS, OPENINGS
from campaigns.rules.texts import (
    NEUTRAL,
    PLACEHOLDERS,
    advice,
    check_text,
    missing_values,
    reason_clause,
    render,
    seconds_aloud,
)
from crm.rules.errors import Invalid


def test_placeholders_are_filled_with_what_the_fiche_says() -> None:
    said = render(
        "Bonjour {person}, de {organisation} ?", {"person": "Mme Le Gall", "organisation": "Banque X"}, "fr"
    )

    assert said == "Bonjour Mme Le Gall, de Banque X ?"


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        (
            "Votre numéro figure dans l'annuaire.",
            "Elles viennent de là : votre numéro figure dans l'annuaire.",
        ),
        ("Vous étiez au salon !", "Elles viennent de là : vous étiez au salon."),
        ("l'annuaire public", "Elles viennent de là : l'annuaire public."),
        ("La Poste", "Elles viennent de là : La Poste."),
        ("Durand S.A.", "Elles viennent de là : Durand S.A."),
    ],
)
def test_a_value_that_is_a_sentence_reads_well_inside_another(origin: str, said: str) -> None:
    assert render("Elles viennent de là : {origin}.", {"origin": origin}, "fr") == said


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("une enquête", "au sujet d'une enquête"),
        ("écologie", "au sujet d'écologie"),
        ("votre contrat", "au sujet de votre contrat"),
        ("onze questions", "au sujet de onze questions"),
        ("", "au sujet de ce sujet"),
    ],
)
def test_a_small_word_is_shortened_before_a_vowel_as_it_is_said(subject: str, said: str) -> None:
    assert render("au sujet de {subject}", {"subject": subject}, "fr") == said
    assert render("de {subject}", {"subject": "an offer"}, "en") == "de an offer"


@pytest.mark.parametrize("language", ["fr", "en", "en-GB", "xx"])
def test_a_missing_value_becomes_a_neutral_phrase_that_can_be_said(language: str) -> None:
    for name in PLACEHOLDERS:
        for values in ({}, {name: ""}, {name: "   "}):
            said = render(f"« {{{name}}} »", values, language)
            assert said == f"« {NEUTRAL.get(language[:2], NEUTRAL['fr'])[name]} »"


HOSTILE = [
    "{agent}",
    "{agent.__class__}",
    "{0}",
    "%(agent)s",
    "{{ settings.SECRET_KEY }}",
    "{% include 'x' %}",
    "<script>alert(1)</script>",
    "}{",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_is_never_read_again(value: str) -> None:
    assert render("{organisation}", {"organisation": value, "agent": "Alex"}, "fr") == value


def test_a_doubled_brace_is_a_brace() -> None:
    text = check_text("Le code {{A}} de {organisation}")

    assert render(text, {"organisation": "X"}, "fr") == "Le code {A} de X"


REFUSED = [
    "",
    "   ",
    "Bonjour {nom}",
    "Bonjour {}",
    "Bonjour {person.password}",
    "Bonjour {person!r}",
    "Bonjour {person:>1000000}",
    "Bonjour {person",
    "Bonjour person}",
    "Bonjour {{person}",
    "Bonjour {Person}",
    "<script>alert(1)</script>",
    "Bonjour <b>vous</b>",
    "Bonjour <!-- x -->",
    "Bonjour \x00",
    "Bonjour \x1b[31m",
    "a" * 601,
]


@pytest.mark.parametrize("text", REFUSED)
def test_a_text_that_could_not_be_said_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_text(text)

    assert list(refusal.value.fields) == ["text"]
    assert str(refusal.value)


def test_less_than_in_prose_is_no_tag() -> None:
    assert check_text("Moins de 10 salariés (< 10) ?") == "Moins de 10 salariés (< 10) ?"


def test_an_unknown_placeholder_is_named_with_the_known_ones() -> None:
    with pytest.raises(Invalid, match=r"\{nom\}.*\{organisation\}"):
        check_text("Bonjour {nom}")


def test_the_default_sentences_pass_their_own_check_and_say_what_they_must() -> None:
    for text in (*CLOSING_STEPS.values(), *OPENINGS.values()):
        assert check_text(text) == text
    for language, words in (("fr", ("excuses", "dérangement")), ("en", ("apologise", "disturbance"))):
        apology = CLOSING_STEPS[language, "mismatch", "apologise"]
        assert "{reason}" in apology
        assert all(word in apology for word in words)
        assert "{subject}" in CLOSING_STEPS[language, "mismatch", "thank"]


def test_the_reason_is_a_clause_in_the_language_of_the_sentence() -> None:
    assert reason_clause("une banque", "fr") == "notre appel s'adresse à une banque"
    assert reason_clause("a bank", "en") == "our call is meant for a bank"
    assert reason_clause("", "fr") == NEUTRAL["fr"]["reason"]
    assert reason_clause("{agent} {0}", "fr").endswith("{agent} {0}")


def test_a_text_is_timed_as_it_is_read_aloud() -> None:
    assert seconds_aloud("") == 0
    assert seconds_aloud("Merci et au revoir.") == 2
    assert seconds_aloud(" ".join(["mot"] * 150)) == 60


@pytest.mark.parametrize(
    ("where", "text", "expected"),
    [
        ("opening", "Bonjour, {agent} pour {sponsor}, à propos de {subject}.", []),
        ("opening", "Bonjour, {agent} pour {sponsor}.", ["de quoi l'on parle"]),
        ("mismatch-apologise", "Toutes mes excuses.", ["pourquoi l'appel n'était pas le bon"]),
        ("mismatch-apologise", "Toutes mes excuses : {reason}.", []),
        ("mismatch-goodbye", "Au revoir.", []),
        ("mismatch-goodbye", "Au revoir " * 16, ["Longue\N{NO-BREAK SPACE}: 13 secondes"]),
        ("body", "mot " * 500, []),
        ("ordinary-thank", "", []),
    ],
)
def test_a_text_says_what_it_lacks(where: str, text: str, expected: list[str]) -> None:
    found = advice(text, text, where=where)

    assert len(found) == len(expected)
    assert all(words in line for words, line in zip(expected, found, strict=True))


def test_a_value_that_the_fiche_lacks_is_named_with_what_is_said_instead() -> None:
    text = "{person}, de {organisation}, au revoir {{x}}."

    assert missing_values(text, {"organisation": "Banque Une", "person": " "}, "fr") == [
        ("person", "Madame, Monsieur")
    ]
