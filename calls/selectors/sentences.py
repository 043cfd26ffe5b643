"""The sentences of a call, filled in: opening, script, closing, in the prospect's language when there is one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import override

from calls.models import Call
from campaigns.enums import STEPS_OF, ScriptKind
from campaigns.models import ClosingStep, Script
from campaigns.rules.catalogue import OPENINGS
from campaigns.rules.texts import reason_clause, render
from crm.selectors.composed import ask

#: Said first to somebody who was already called by mistake.
APOLOGIES = {
    "fr": "Avant tout, toutes mes excuses : nous vous avions déjà dérangé par erreur le {date}.",
    "en": "First of all, I apologise: we already disturbed you by mistake on {date}.",
}
#: Said to somebody whom another system called although they are excluded: an apology, and nothing is asked of them.
BARRED_OPENINGS = {
    "fr": (
        "Bonjour, {agent} à l'appareil, pour {sponsor}. Toutes mes excuses : nous n'aurions pas dû vous appeler, "
        "et je ne vous dérange pas plus longtemps."
    ),
    "en": (
        "Hello, this is {agent}, for {sponsor}. I apologise: we should not have called you, "
        "and I will not disturb you any longer."
    ),
}
#: Said first to somebody who calls us: the moment is theirs, so none is asked for.
INBOUND_OPENINGS = {
    "fr": (
        "Bonjour, {agent} à l'appareil, pour {sponsor}. Merci de votre appel. "
        "Il s'agit sans doute de ceci : {subject}. Je vous écoute."
    ),
    "en": (
        "Hello, this is {agent}, for {sponsor}. Thank you for calling: you are probably calling about {subject}. "
        "How can I help you?"
    ),
}
#: Read when a campaign has words neither in the prospect's language nor in its own.
LAST_LANGUAGE = "fr"
#: A text as it is read: its campaign (null: a default), language, kind, step, words.
Text = tuple[int | None, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Words:
    """Every text of a call's campaign that may be said on it, not yet filled in: (kind, step) → text.

    A script has its kind and an empty step. `language` is the one chosen for this call.
    """

    language: str
    texts: Mapping[tuple[str, str], str]

    def filled(self, kind: str, step: str, values: Mapping[str, str]) -> str:
        """Return one text with its placeholders filled, "" when there is none."""
        text = self.texts.get((kind, step), "")
        return render(text, values, self.language) if text else ""

    def closing(self, kind: str, values: Mapping[str, str]) -> dict[str, str]:
        """Return the sentences of a closing by step, in order."""
        return {str(step): self.filled(kind, step, values) for step in STEPS_OF[kind]}


def words_of(call: Call) -> Words:
    """Return the words for this call. One query.

    A campaign's own text comes before the default of the same language; the prospect's language before the campaign's.
    """
    languages = tuple(_languages(call))
    return _chosen(languages, ask(_texts, campaign=call.campaign_id, languages=languages))


def words_of_each(calls: Sequence[Call]) -> dict[int, Words]:
    """Return the words of each call by its id, as `words_of` has them. One query, none without calls."""
    if not calls:
        return {}
    languages = {call.pk: tuple(_languages(call)) for call in calls}
    campaigns = {call.campaign_id for call in calls}
    rows = list(_texts_of(campaigns, {code for codes in languages.values() for code in codes}))
    return {
        call.pk: _chosen(languages[call.pk], [row for row in rows if row[0] in (None, call.campaign_id)])
        for call in calls
    }


def _chosen(languages: Sequence[str], rows: Sequence[Text]) -> Words:
    found: dict[tuple[str, str, str], str] = {}
    for own, language, kind, step, text in rows:
        if language in languages and (own or (language, kind, step) not in found):
            found[language, kind, step] = text
    language = next((code for code in languages if any(key[0] == code for key in found)), LAST_LANGUAGE)
    chosen = {key[1:]: text for key, text in found.items() if key[0] == language}
    chosen.setdefault((ScriptKind.OPENING, ""), OPENINGS.get(language, OPENINGS[LAST_LANGUAGE]))
    return Words(language, chosen)


def _texts(*, campaign: int, languages: tuple[str, ...]) -> QuerySet[Any, Any]:
    return _texts_of([campaign], languages)


def _texts_of(campaigns: Collection[int], languages: Collection[str]) -> QuerySet[Any, Any]:
    step_rows = (
        ClosingStep.objects.filter(Q(campaign__in=campaigns) | Q(campaign=None), language__in=languages)
        .annotate(said=Cast("text", CharField()))
        .values_list("campaign_id", "language", "kind", "step", "said")
        .order_by()
    )
    scripts = (
        Script.objects.filter(campaign__in=campaigns, language__in=languages)
        .annotate(nothing=Value("", output_field=CharField()), said=Cast("text", CharField()))
        .values_list("campaign_id", "language", "kind", "nothing", "said")
        .order_by()
    )
    return step_rows.union(scripts, all=True)


def _languages(call: Call) -> list[str]:
    wanted = [
        call.prospect.language if call.prospect else "",
        call.language,
        call.campaign.language,
        LAST_LANGUAGE,
    ]
    return list(dict.fromkeys(code[:2].lower() for code in wanted if code))


def values_of(call: Call, language: str, expected: str = "") -> dict[str, str]:
    """Return what each placeholder stands for on this call; `expected` is what the failed criterion asks for.

    The programme's phrases are written in the campaign's language: in a sentence of another one they count as missing,
    since "about une enquête" cannot be said.
    """
    programme = call.campaign.programme
    prospect = call.prospect
    same = language[:2].lower() == call.campaign.language[:2].lower()
    if not same and not (prospect and expected == prospect.organisation):
        expected = ""
    values = {
        "subject": programme.subject if same else "",
        "sponsor": programme.sponsor.name,
        "campaign": call.campaign.name,
        "agent": call.agent.get_full_name() or call.agent.get_username(),
        "number": call.number,
        "expected": expected,
        "reason": reason_clause(expected, language),
    }
    if prospect is not None:
        values |= {
            "organisation": prospect.organisation,
            "person": prospect.person_name,
            "city": prospect.city,
            "origin": prospect.source.spoken_origin if same else "",
        }
    return values


def inbound_opening(call: Call, language: str) -> str:
    """Return what is said first to somebody who calls us, filled in."""
    code = language[:2] if language[:2] in INBOUND_OPENINGS else LAST_LANGUAGE
    return render(INBOUND_OPENINGS[code], values_of(call, code), code)


def barred_opening(call: Call, language: str) -> str:
    """Return what is said to an excluded person whom another system called, filled in."""
    code = language[:2] if language[:2] in BARRED_OPENINGS else LAST_LANGUAGE
    return render(BARRED_OPENINGS[code], values_of(call, code), code)


def apology_of(disturbed: Sequence[datetime], language: str) -> str:
    """Return the sentence that apologises for an earlier call by mistake, newest first; "" when there was none."""
    if not disturbed:
        return ""
    code = language[:2] if language[:2] in APOLOGIES else LAST_LANGUAGE
    with override(code):
        day = date_format(localtime(disturbed[0]), "j F Y" if code == "en" else "j F")
    return APOLOGIES[code].replace("{date}", day)
