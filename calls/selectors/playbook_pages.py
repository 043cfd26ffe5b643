"""What the pages that write the playbooks show: the list, one as it is written, its versions and what they changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calls.enums import SituationEffect
from calls.models import Situation, SituationVersion
from calls.rules.playbooks.content import Content, Difference, StageContent, differences

#: How a changed field is called.
FIELDS: dict[str, Any] = {
    "label": gettext_lazy("Libellé"),
    "label_en": gettext_lazy("Libellé anglais"),
    "keywords": gettext_lazy("Mots de recherche"),
    "effect": gettext_lazy("Effet"),
    "active": gettext_lazy("Proposée aux agents"),
    "position": gettext_lazy("Ordre"),
    "title": gettext_lazy("Titre"),
    "title_en": gettext_lazy("Titre anglais"),
    "opens": gettext_lazy("S'ouvre sur"),
    "opens_en": gettext_lazy("S'ouvre sur, en anglais"),
    "say": gettext_lazy("Phrases"),
    "do": gettext_lazy("À faire"),
    "do_en": gettext_lazy("À faire, en anglais"),
    "may_end": gettext_lazy("Permet de mettre fin à l'appel"),
}


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A kept version: its number, who saved it ("" when it was delivered), when, and what it changed."""

    version: int
    who: str
    at: datetime
    is_now: bool
    details: Sequence[tuple[str, str, str]]


def situations_listed() -> QuerySet[Situation]:
    """Return all playbooks in their order, each with its `stages_count`, of which a call may end in `ends_count`."""
    return Situation.objects.annotate(
        stages_count=Count("stages"), ends_count=Count("stages", filter=Q(stages__may_end=True))
    ).order_by("position", "code")


def content_of(situation: Situation) -> Content:
    """Return a playbook as it is written now. One query."""
    stages = [
        StageContent(
            title=row.title,
            title_en=row.title_en,
            opens=row.opens,
            opens_en=row.opens_en,
            say=row.say,
            do=row.do,
            do_en=row.do_en,
            may_end=row.may_end,
        )
        for row in situation.stages.order_by("position")
    ]
    names = ("code", "label", "label_en", "keywords", "effect", "active", "position")
    return Content(**{name: getattr(situation, name) for name in names}, stages=tuple(stages))


def versions_of(situation: Situation) -> list[VersionLine]:
    """Return the kept versions, newest first, each with what it changed of the one before. One query."""
    rows = list(SituationVersion.objects.filter(situation=situation).select_related("by").order_by("version"))
    lines: list[VersionLine] = []
    before: Content | None = None
    for row in rows:
        content = Content.of_json(row.content)
        details = [told(change) for change in differences(before, content)] if before else []
        who = (row.by.get_full_name() or row.by.get_username()) if row.by else ""
        lines.append(VersionLine(row.version, who, row.at, row.version == situation.version, details))
        before = content
    return lines[::-1]


def told(change: Difference) -> tuple[str, str, str]:
    """Return a change in words: where, what was, what is."""
    name = str(FIELDS[change.name])
    where = (
        _("Étape %(number)s, %(field)s") % {"number": change.stage, "field": name} if change.stage else name
    )
    return where, _shown(change.name, change.before), _shown(change.name, change.after)


def _shown(name: str, value: str) -> str:
    if name in ("active", "may_end"):
        return str(_("oui") if value else _("non"))
    if name == "effect":
        return str(SituationEffect(value).label) if value in SituationEffect.values else str(_("aucun"))
    return value
