"""Sentences with placeholders: `{organisation}`. Plain replacement: no format language, no attribute, no template.

A placeholder is a known word in braces; a literal brace is doubled (`{{`, `}}`). Values are put in as they are and
never read again, so that a value with braces stays a value. A missing value becomes a neutral phrase, so that the
sentence can still be said.
"""

import re
from collections.abc import Mapping

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
_TAG = re.compile(r"<\s*[/!?a-zA-Z]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def check_text(text: str, *, maximum: int = 600, field: str = "text") -> str:
    """Return the text without outer blanks; raise Invalid (on `field`) for what could not be said or filled."""
    text = text.strip()
    if not text:
        raise Invalid.field(field, _("Ce texte est vide."))
    if len(text) > maximum:
        raise Invalid.field(field, _("Ce texte est trop long."))
    if _TAG.search(text) or _CONTROL.search(text):
        raise Invalid.field(field, _("Ce texte est lu à voix haute : ni balise, ni caractère de commande."))
    for match in _TOKEN.finditer(text):
        token, name = match[0], match[1]
        if name in PLACEHOLDERS or token in ("{{", "}}"):
            continue
        if name is None:
            raise Invalid.field(field, _("Une accolade est seule ; pour la dire, doublez-la."))
        message = _("Repère inconnu : %(name)s. Connus : %(known)s.")
        raise Invalid.field(
            field, message % {"name": token, "known": ", ".join(f"{{{key}}}" for key in PLACEHOLDERS)}
        )
    return text


def render(text: str, values: Mapping[str, str], language: str) -> str:
    """Return the sentence with its placeholders filled from `values`; blank or missing ones by a neutral phrase.

    What is not a placeholder, a lone brace included, is left as it is. The result is plain text: escape it in HTML.
    """
    neutral = NEUTRAL.get(language[:2].lower(), NEUTRAL["fr"])

    def fill(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if match[1] not in PLACEHOLDERS:
            return match[0]
        return " ".join(str(values.get(match[1]) or "").split()) or neutral[match[1]]

    return _TOKEN.sub(fill, text)


def reason_clause(expected: str, language: str) -> str:
    """Return the clause for `{reason}`: whom the call is meant for, from a criterion's `expected` ("une banque")."""
    code = language[:2].lower()
    expected = " ".join(expected.split())
    if not expected:
        return NEUTRAL.get(code, NEUTRAL["fr"])["reason"]
    return _REASON.get(code, _REASON["fr"]).replace("{}", expected)
