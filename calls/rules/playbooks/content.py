"""A playbook as managers write it: what it may hold, and what is refused. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from calls.enums import SituationEffect
from calls.rules.playbooks.words import PLACEHOLDERS
from campaigns.rules.texts import check_text
from crm.rules.errors import Invalid

#: Only these situations may let the agent end a call: abuse after its warning, and somebody who is driving.
MAY_END_A_CALL = frozenset({SituationEffect.ABUSE, SituationEffect.DRIVING})
#: Of one language; more cannot be read at a glance while talking.
SENTENCES = 4
SENTENCE_LENGTH = 200
STAGES = 9
#: Words of an address of the pages, which no situation is called by.
RESERVED_CODES = frozenset({"new"})

NO_END = _("Cette situation ne permet jamais de mettre fin à l'appel : la personne raccroche.")


@dataclass(frozen=True, slots=True)
class StageContent:
    """One stage as it is written; `say` has sentences by ISO 639-1 code."""

    title: str = ""
    title_en: str = ""
    opens: str = ""
    opens_en: str = ""
    say: Mapping[str, Sequence[str]] = field(default_factory=dict)
    do: str = ""
    do_en: str = ""
    may_end: bool = False

    @property
    def said(self) -> list[tuple[str, Sequence[str]]]:
        """The sentences by language, French first: a version comes back from the database in the order of its codes."""
        return sorted(self.say.items(), key=lambda pair: (pair[0] != "fr", pair[0]))


@dataclass(frozen=True, slots=True)
class Content:
    """A whole playbook as it is written. `code` is fixed once it exists."""

    code: str
    label: str
    label_en: str = ""
    keywords: str = ""
    effect: str = ""
    active: bool = True
    position: int = 0
    stages: tuple[StageContent, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as a version keeps it."""
        told = asdict(self)
        told["stages"] = [{**stage, "say": dict(stage["say"])} for stage in told["stages"]]
        return told

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> "Content":
        """Return what a version kept; anything else in there is ignored."""
        stages = tuple(StageContent(**_known(StageContent, stage)) for stage in kept.get("stages", []))
        return cls(**{**_known(cls, kept), "stages": stages})


def _known(kind: type[Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kept.items() if name in kind.__dataclass_fields__}


def checked(content: Content) -> Content:
    """Return the playbook without blanks; raise Invalid with what is missing or refused, and where.

    Fields of a stage are named `stages-<index>-<field>`, its sentences `stages-<index>-say_<language>`.
    """
    wrong: dict[str, list[Any]] = {}
    if not content.label.strip():
        wrong["label"] = [_("Donnez un libellé à la situation.")]
    if content.code in RESERVED_CODES:
        wrong["code"] = [_("Ce code est réservé.")]
    if content.effect and content.effect not in SituationEffect.values:
        wrong["effect"] = [_("Effet inconnu.")]
    if not content.stages:
        wrong["stages"] = [_("Ajoutez au moins une étape, avec une phrase à dire.")]
    if len(content.stages) > STAGES:
        wrong["stages"] = [_("Neuf étapes au plus : l'agent les parcourt en parlant.")]
    stages = [_checked(stage, index, content.effect, wrong) for index, stage in enumerate(content.stages)]
    if wrong:
        raise Invalid(fields=wrong)
    return replace(content, label=content.label.strip(), stages=tuple(stages))


def _checked(stage: StageContent, index: int, effect: str, wrong: dict[str, list[Any]]) -> StageContent:
    def refuse(name: str, message: Any) -> None:
        wrong.setdefault(f"stages-{index}-{name}", []).append(message)

    say = {language: kept for language, told in stage.say.items() if (kept := _sentences(told))}
    if not say.get("fr"):
        refuse("say_fr", _("Écrivez au moins une phrase en français."))
    for language, sentences in say.items():
        name = f"say_{language}" if language in ("fr", "en") else "say_other"
        _check_sentences(sentences, lambda message, name=name: refuse(name, message))
    if stage.may_end and effect not in MAY_END_A_CALL:
        refuse("may_end", NO_END)
    return replace(stage, say=say)


def _sentences(told: Sequence[str]) -> list[str]:
    return [kept for sentence in told if (kept := " ".join(sentence.split()))]


def _check_sentences(sentences: Sequence[str], refuse: Any) -> None:
    if len(sentences) > SENTENCES:
        refuse(_("Quatre phrases au plus par langue : l'agent choisit d'un coup d'œil."))
    for sentence in sentences:
        try:
            check_text(sentence, maximum=SENTENCE_LENGTH, more=PLACEHOLDERS)
        except Invalid as error:
            refuse(error.message)


@dataclass(frozen=True, slots=True)
class Difference:
    """What was and what is: `stage` is its number, 0 for the playbook itself; `name` the field."""

    stage: int
    name: str
    before: str
    after: str


def differences(old: Content | None, new: Content) -> list[Difference]:
    """Return what a version changed of the one before it, in the order of the page."""
    before, after = _told(old) if old else {}, _told(new)
    keys = sorted({*before, *after}, key=lambda key: (key[0], ORDER.index(key[1])))
    return [
        Difference(*key, before.get(key, ""), after.get(key, ""))
        for key in keys
        if before.get(key, "") != after.get(key, "")
    ]


#: Fields in the order in which a change of them is told.
ORDER = (
    *("label", "label_en", "keywords", "effect", "active", "position"),
    *("title", "title_en", "opens", "opens_en", "say", "do", "do_en", "may_end"),
)


def _told(content: Content) -> dict[tuple[int, str], str]:
    told = {(0, name): _word(getattr(content, name)) for name in ORDER[:6]}
    for number, stage in enumerate(content.stages, start=1):
        told |= {(number, name): _word(getattr(stage, name)) for name in ORDER[6:]}
    return told


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "✓" if value else ""
    if isinstance(value, Mapping):
        return " · ".join(
            f"{language} : {' / '.join(sentences)}"
            for language, sentences in sorted(value.items())
            if sentences
        )
    return str(value)
