"""Sentences with placeholders: filled by plain replacement, refused when they could not be said."""

import pytest

from campaigns.rules.catalogue import CLOSING_STEPS, OPENINGS
from campaigns.rules.texts import NEUTRAL, PLACEHOLDERS, check_text, reason_clause, render
from crm.rules.errors import Invalid


def test_placeholders_are_filled_with_what_the_fiche_says() -> None:
    said = render(
        "Bonjour {person}, de {organisation} ?", {"person": "Mme Le Gall", "organisation": "Banque X"}, "fr"
    )

    assert said == "Bonjour Mme Le Gall, de Banque X ?"


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
