"""The palette of situations: its groups, and how what is typed finds a row. Pure."""

import re
import unicodedata
from typing import Any

from django.utils.translation import gettext_lazy as _

from calls.enums import SituationEffect

#: Groups in the order of the palette: who may be in danger comes first.
GROUPS: tuple[tuple[Any, frozenset[str]], ...] = (
    (
        _("Prendre soin"),
        frozenset(
            {
                SituationEffect.DANGER,
                SituationEffect.VULNERABLE,
                SituationEffect.MINOR,
                SituationEffect.BEREAVEMENT,
                SituationEffect.DRIVING,
            }
        ),
    ),
    (_("Paroles blessantes"), frozenset({SituationEffect.ABUSE})),
    (
        _("Demandes et objections"),
        frozenset(
            {
                SituationEffect.POLICY,
                SituationEffect.LEARNER,
                SituationEffect.ANGER,
                SituationEffect.COMPLAINT,
                SituationEffect.BOSS,
                SituationEffect.ORIGIN,
                SituationEffect.OPT_OUT,
            }
        ),
    ),
    (
        _("Se comprendre"),
        frozenset(
            {
                SituationEffect.LANGUAGE,
                SituationEffect.CHANNEL,
                SituationEffect.LOST,
                SituationEffect.CONFIDENTIAL,
            }
        ),
    ),
    (_("Autres"), frozenset({""})),
)

_NO_WORD = re.compile(r"[^0-9a-z]+")


def group_of(effect: str) -> int:
    """Return the place of the group that a situation of this effect stands in."""
    return next(
        (place for place, (_title, effects) in enumerate(GROUPS) if effect in effects), len(GROUPS) - 1
    )


def folded(text: str) -> str:
    """Return the words of a text without accents, capitals and signs, as `static/js/palette.js` folds what is typed."""
    plain = unicodedata.normalize("NFD", text.lower().replace("œ", "oe").replace("æ", "ae"))
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return _NO_WORD.sub(" ", bare).strip()


def finds(typed: str, words: str) -> bool:
    """Whether each typed word begins one of the folded `words`."""
    return all(f" {word}" in f" {words}" for word in folded(typed).split())
