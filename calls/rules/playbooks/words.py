"""What a sentence of a playbook may name, and its filling on a call. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from campaigns.rules.texts import render

#: Beside those of every sentence (`campaigns.rules.texts.PLACEHOLDERS`): what only a playbook knows.
PLACEHOLDERS: dict[str, Any] = {
    "supervisor": _("le nom du superviseur de l'équipe"),
    "supervisor_number": _("son numéro"),
    "complaints": _("où adresser une réclamation ou une demande sur ses données"),
}
#: Said in the place of a value that is missing: the sentence can still be said.
NEUTRAL: dict[str, dict[str, str]] = {
    "fr": {
        "supervisor": "la personne qui encadre notre équipe",
        "supervisor_number": "je vous le donne dans un instant",
        "complaints": "le service des réclamations, dont je vous donne l'adresse dans un instant",
    },
    "en": {
        "supervisor": "the person in charge of our team",
        "supervisor_number": "I will give it to you in a moment",
        "complaints": "the complaints department, whose address I will give you in a moment",
    },
}
#: Languages by their own name: what an agent who does not speak them recognises.
LANGUAGES = {
    "fr": "français",
    "en": "English",
    "es": "español",
    "de": "Deutsch",
    "it": "italiano",
    "pt": "português",
    "ar": "العربية",
    "nl": "Nederlands",
    "pl": "polski",
    "ro": "română",
    "ru": "русский",
    "tr": "Türkçe",
    "uk": "українська",
    "zh": "中文",
}
#: Written from right to left.
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})

#: What stands before the number of an extension.
EXTENSIONS = {"fr": "poste", "en": "extension"}

_BEFORE = re.compile(r" (?=[:;?!»])")
_AFTER = re.compile(r"(?<=«) ")


def filled(text: str, values: Mapping[str, str], language: str) -> str:
    """Return a sentence of a playbook with its placeholders filled, set as its language is: no sign begins a line."""
    said = render(text, values, language, more=NEUTRAL.get(language[:2].lower(), NEUTRAL["fr"]))
    return _AFTER.sub("\u00a0", _BEFORE.sub("\u00a0", said)) if language[:2].lower() == "fr" else said


def extension_said(number: str, language: str) -> str:
    """Return an extension of a switchboard as a sentence in French or English names it, bare in other languages."""
    return f"{EXTENSIONS.get(language[:2].lower(), '')} {number}".strip()


def language_name(code: str) -> str:
    """Return a language by its own name, its code where that is not known here."""
    return LANGUAGES.get(code, code)
