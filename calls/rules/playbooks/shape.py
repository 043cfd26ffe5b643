"""What a playbook is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class StageText:
    """One stage: its sentences in French and English, what the agent does, whether the call may be ended there.

    `opens` names what is heard when the playbook opens here, "" where it is only reached from the stage before.
    `say_other` has sentences of further languages, by ISO 639-1 code: what can be said to somebody who speaks no other.
    """

    fr: tuple[str, ...]
    en: tuple[str, ...]
    do: str = ""
    do_en: str = ""
    title: str = ""
    title_en: str = ""
    opens: str = ""
    opens_en: str = ""
    may_end: bool = False
    say_other: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def say(self) -> dict[str, list[str]]:
        """Its sentences by language, French first."""
        spoken = {"fr": self.fr, "en": self.en, **self.say_other}
        return {language: list(sentences) for language, sentences in spoken.items()}


@dataclass(frozen=True, slots=True)
class Playbook:
    """A delicate situation and its stages, in order.

    `keywords` are what an agent types to find it, in both languages; `effect` is what it does beside the words
    (`calls.enums.SituationEffect`).
    """

    code: str
    label: str
    label_en: str
    keywords: str
    stages: tuple[StageText, ...]
    effect: str = ""
