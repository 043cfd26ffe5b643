"""Sentences with placeholders: `{organisation}`. Plain replacement: no format language, no attribute, no template.

A placeholder is a known word in braces; a literal brace is doubled (`{{`, `}}`). Values are put in as they are and
never read again, so that a value with braces stays a value. A missing value becomes a neutral phrase, so that the
sentence can still be said.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from crm.rules.errors import Invalid

#: What each placeholder stands for, shown where texts are written.
PLACEHOLDERS = {
    "organisation": _("l'organisation appelée"),
    "person": _("la personne voulue"),
    "subject": _("le sujet de la démarche, tel qu'on le dit"),
    "reason": _("pourquoi cet appel n'était pas le bon, en quelques mots"),
    "expected": _("ce que la démarche cherche : « une banque »"),
    "agent": _("le nom de l'agent"),
    "sponsor": _("le donneur d'ordre"),
    "campaign": _("la campagne"),
    "city": _("la ville"),
    "number": _("le numéro appelé"),
    "origin": _("d'où viennent les coordonnées"),
}

#: Said in the place of a value that is missing.
NEUTRAL: dict[str, dict[str, str]] = {
    "fr": {
        "organisation": "votre organisation",
        "person": "Madame, Monsieur",
        "subject": "ce sujet",
        "reason": "notre appel ne s'adressait pas à vous",
        "expected": "un autre interlocuteur",
        "agent": "votre interlocuteur",
        "sponsor": "notre client",
        "campaign": "cette campagne",
        "city": "votre ville",
        "number": "ce numéro",
        "origin": "un fichier professionnel",
    },
    "en": {
        "organisation": "your organisation",
        "person": "Sir or Madam",
        "subject": "this subject",
        "reason": "our call was not meant for you",
        "expected": "somebody else",
        "agent": "your caller",
        "sponsor": "our client",
        "campaign": "this campaign",
        "city": "your town",
        "number": "this number",
        "origin": "a professional list",
    },
}

_REASON = {"fr": "notre appel s'adresse à {}", "en": "our call is meant for {}"}

_TOKEN = re.compile(r"\{\{|\}\}|\{([a-z_]*)\}|[{}]")
#: Words that have a capital only because a sentence begins with them. Articles may begin a name.
_OPENS_SENTENCE = re.compile(r"(?:Votre|Vos|Vous|Notre|Nos|Nous|Your|You|Our|We)\b")
_BEFORE_VOWEL = re.compile(r"\b([dD]|[qQ]u)e \{([a-z_]+)\}")
#: An h may be aspirated, a y may be a consonant; before « onze » and « oui » nothing is shortened.
_VOWEL = re.compile(r"(?!onze\b|oui\b)[aeiou]", re.IGNORECASE)
_TAG = re.compile(r"<\s*[/!?a-zA-Z]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def check_text(
    text: str, *, maximum: int = 600, field: str = "text", more: Mapping[str, Any] | None = None
) -> str:
    """Return the text without outer blanks; raise Invalid (on `field`) for what could not be said or filled.

    `more` are placeholders that are known there beside `PLACEHOLDERS`.
    """
    known = {**PLACEHOLDERS, **(more or {})}
    text = text.strip()
    if not text:
        raise Invalid.field(field, _("Ce texte est vide."))
    if len(text) > maximum:
        raise Invalid.field(field, _("Ce texte est trop long."))
    if _TAG.search(text) or _CONTROL.search(text):
        raise Invalid.field(field, _("Ce texte est lu à voix haute : ni balise, ni caractère de commande."))
    for match in _TOKEN.finditer(text):
        token, name = match[0], match[1]
        if name in known or token in ("{{", "}}"):
            continue
        if name is None:
            raise Invalid.field(field, _("Une accolade est seule ; pour la dire, doublez-la."))
        message = _("Repère inconnu : %(name)s. Connus : %(known)s.")
        raise Invalid.field(
            field, message % {"name": token, "known": ", ".join(f"{{{key}}}" for key in known)}
        )
    return text


def render(
    text: str, values: Mapping[str, str], language: str, *, more: Mapping[str, str] | None = None
) -> str:
    """Return the sentence with its placeholders filled from `values`; blank or missing ones by a neutral phrase.

    `more` are further placeholders that this text may have, each with its neutral phrase. What is not a placeholder, a
    lone brace included, is left as it is. The result is plain text: escape it in HTML.
    """
    neutral = {**NEUTRAL.get(language[:2].lower(), NEUTRAL["fr"]), **(more or {})}

    def fill(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if match[1] not in neutral:
            return match[0]
        value = " ".join(str(values.get(match[1]) or "").split()) or neutral[match[1]]
        return _fitted(value, text[: match.start()], text[match.end() :])

    return _TOKEN.sub(fill, _elided(text, values) if language[:2].lower() == "fr" else text)


def _elided(text: str, values: Mapping[str, str]) -> str:
    """Return the text with « de » and « que » shortened before values that begin with a vowel: « d'une enquête »."""

    def shorten(match: re.Match[str]) -> str:
        value = unicodedata.normalize("NFKD", str(values.get(match[2]) or "").strip())
        return f"{match[1]}'{{{match[2]}}}" if _VOWEL.match(value) else match[0]

    return _BEFORE_VOWEL.sub(shorten, text)


def _fitted(value: str, before: str, after: str) -> str:
    """Return a value as it reads between two parts of a sentence: some are sentences of their own."""
    if before.rstrip().endswith(":") and _OPENS_SENTENCE.match(value):
        value = value[0].lower() + value[1:]
    return re.sub(r"\s*[.!?]$", "", value) if after.startswith(".") else value


def placeholders_of(text: str) -> list[str]:
    """Return the known placeholders of a text, each once, in their order."""
    names = (match[1] for match in _TOKEN.finditer(text) if match[1])
    return [name for name in dict.fromkeys(names) if name in PLACEHOLDERS]


#: Words a minute of a text read to somebody: what publishers of recorded books ask of their readers is 150 to 160
#: (W. R. Williams, "Guidelines for the use of multimedia in instruction", HFES 1998), the upper end of calm speech.
WORDS_A_MINUTE = 150
#: Seconds after which a sentence of a closing keeps a person who wants to hang up.
POLITE_SECONDS = 12


def words_in(said: str) -> int:
    """Count the words of a filled sentence; an elided one ("l'appareil") is said in one breath and counts once."""
    return len(said.split())


def seconds_aloud(said: str) -> int:
    """Return how many seconds a filled sentence takes when it is read aloud calmly; 0 for nothing."""
    return round(words_in(said) * 60 / WORDS_A_MINUTE)


#: What a sentence is expected to say, by where it is said: any one of the placeholders is enough.
EXPECTED: dict[str, tuple[tuple[tuple[str, ...], Any], ...]] = {
    "opening": (
        (("agent",), _("Elle ne dit pas qui appelle : {agent}.")),
        (("sponsor",), _("Elle ne dit pas pour qui l'on appelle : {sponsor}.")),
        (("subject", "campaign"), _("Elle ne dit pas de quoi l'on parle : {subject}.")),
    ),
    "mismatch-apologise": (
        (("reason", "expected"), _("Elle ne dit pas pourquoi l'appel n'était pas le bon : {reason}.")),
    ),
    "mismatch-thank": (
        (
            ("subject", "campaign"),
            _("Elle ne dit pas pour quoi la personne ne sera plus appelée : {subject}."),
        ),
    ),
}


def advice(text: str, said: str, *, where: str) -> list[str]:
    """Return what a text that can be said still lacks, in sentences: what it should name, and its length.

    `where` is "opening", "body" or "<kind>-<step>"; `said` is the text filled with values.
    """
    if not text.strip():
        return []
    names = placeholders_of(text)
    found = [str(words) for wanted, words in EXPECTED.get(where, ()) if not set(wanted) & set(names)]
    seconds = seconds_aloud(said)
    if where != "body" and seconds > POLITE_SECONDS:
        found.append(
            _("Longue : %(seconds)s secondes. Au-delà de %(limit)s, elle retient la personne.")
            % {"seconds": seconds, "limit": POLITE_SECONDS}
        )
    return found


def missing_values(text: str, values: Mapping[str, str], language: str) -> list[tuple[str, str]]:
    """Return the placeholders of a text that have no value, each with the neutral phrase said instead."""
    neutral = NEUTRAL.get(language[:2].lower(), NEUTRAL["fr"])
    return [
        (name, neutral[name]) for name in placeholders_of(text) if not str(values.get(name) or "").strip()
    ]


def reason_clause(expected: str, language: str) -> str:
    """Return the clause for `{reason}`: whom the call is meant for, from a criterion's `expected` ("une banque")."""
    code = language[:2].lower()
    expected = " ".join(expected.split())
    if not expected:
        return NEUTRAL.get(code, NEUTRAL["fr"])["reason"]
    return _REASON.get(code, _REASON["fr"]).replace("{}", expected)
