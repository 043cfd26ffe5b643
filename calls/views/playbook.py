"""The playbook over the call: its palette, or the card of the stage that was entered."""

from datetime import datetime
from itertools import count
from typing import Any

from django.utils.translation import gettext as _

from calls.selectors.call_screen import CallScreen
from calls.selectors.playbooks import Group, palette, stage_of
from calls.views.situation import effect_card

#: Rows that a digit chooses.
DIGITS = 9


def over(facts: CallScreen, *, asked: bool, typed: str, at: datetime) -> dict[str, Any]:
    """Return what lies over the call's centre: the palette where it is `asked` for, else the stage of now, if any.

    A stage that was taken out of its playbook meanwhile leaves the palette, from which the call is taken up again.
    """
    stage = None if asked else stage_of(facts)
    if stage is not None:
        said = [sentence.text for sentence in stage.say[:1]]
        return {
            "stage": stage,
            "effect": effect_card(facts, stage.effect, at),
            "announcement": " ".join([f"{stage.label}. {stage.title}.", *said]),
        }
    if not asked and facts.stage is None:
        return {}
    groups = palette(typed)
    return {
        "stage": {
            "groups": _keyed(groups),
            "is_empty": not groups and not typed,
            "typed": typed,
            "is_gone": not asked,
        },
        "announcement": _("Que se passe-t-il ? Tapez un mot, ou choisissez une situation."),
    }


def _keyed(groups: list[Group]) -> list[dict[str, Any]]:
    """Give the first rows a digit each, in the order in which they stand."""
    numbers = count(1)
    keyed = []
    for group in groups:
        keys = [
            str(number) if number <= DIGITS else ""
            for _entry, number in zip(group.entries, numbers, strict=False)
        ]
        keyed.append({"title": group.title, "rows": list(zip(group.entries, keys, strict=True))})
    return keyed
