"""Programmes as their pages show them: counts, criteria with their versions, what an edit would change in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.enums import EntryState
from campaigns.models import Campaign, Criterion, CriterionVersion, ListEntry, Programme
from campaigns.rules.consequences import words
from campaigns.rules.wording import condition_words
from campaigns.selectors.criteria import Counts
from campaigns.selectors.judged import criteria_counted
from crm.access import sponsors_of
from crm.models import User

#: What is told of a version of a criterion.
VERSION = ("version", "field", "operator", "value", "question", "expected", "blocking", "trust_file", "at")


@dataclass(frozen=True, slots=True)
class VersionTold:
    """One version of a criterion: what it said, since when, by whom, and what changed from the one before."""

    version: int
    at: datetime
    who: str
    condition: str
    question: str
    details: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class CriterionTold:
    """A criterion with its condition in words, its counts (null once retired) and its versions, newest first."""

    criterion: Criterion
    condition: str
    counts: Counts | None
    versions: tuple[VersionTold, ...]


def programmes_found(user: User, text: str = "") -> QuerySet[Any]:
    """Return the programmes that the user sees, by name, with `asked` criteria and their campaigns.

    `text` is looked for in name, subject and sponsor.
    """
    rows = Programme.objects.filter(sponsor__in=sponsors_of(user))
    if text:
        rows = rows.filter(
            Q(name__icontains=text) | Q(subject__icontains=text) | Q(sponsor__name__icontains=text)
        )
    criteria = (
        Criterion.objects.filter(programme=OuterRef("pk"), retired_at__isnull=True)
        .order_by()
        .values("programme")
        .annotate(n=Count("pk"))
        .values("n")
    )
    asked = Coalesce(Subquery(criteria, output_field=IntegerField()), 0)
    rows = rows.annotate(asked=asked).select_related("sponsor").prefetch_related("campaigns")
    return rows.order_by("name", "id")


def criteria_told(
    programme: Programme, campaigns: Sequence["CampaignCounted"]
) -> tuple[list[CriterionTold], list[CriterionTold], bool]:
    """Return the criteria that are asked, each with its counts over these lists of the programme, and its versions.

    Then those that are asked no more, the last retired first, and whether the counts are estimates. Two queries.
    """
    rows = list(_with_versions(programme.criteria.order_by("position", "id")))
    asked = [row for row in rows if row.retired_at is None]
    retired = [row for row in rows if row.retired_at is not None]
    retired.sort(key=attrgetter("retired_at"), reverse=True)
    sizes = {row.campaign.pk: row.total for row in campaigns}
    counts, estimated = criteria_counted(programme, asked, sizes)
    return _told(asked, counts), _told(retired, {}), estimated


def versions_told(criterion: Criterion) -> tuple[VersionTold, ...]:
    """Return the versions of a criterion, newest first."""
    return _told(list(_with_versions(Criterion.objects.filter(pk=criterion.pk))), {})[0].versions


def _with_versions(criteria: QuerySet[Criterion]) -> QuerySet[Any]:
    """Add what is told of the versions of each, oldest first, as JSON."""
    names = (*VERSION, "by__username", "by__first_name", "by__last_name")
    versions = CriterionVersion.objects.filter(criterion=OuterRef("pk")).order_by("version")
    return criteria.annotate(
        shown_versions=ArraySubquery(versions.values(json=JSONObject(**dict(zip(names, names, strict=True)))))
    )


def _told(criteria: Sequence[Any], counts: dict[int, Counts]) -> list[CriterionTold]:
    return [
        CriterionTold(
            item,
            condition_words(item.field, item.operator, item.value),
            counts.get(item.pk),
            _versions([_version(row) for row in item.shown_versions]),
        )
        for item in criteria
    ]


def _version(row: dict[str, Any]) -> CriterionVersion:
    names = {name: row[f"by__{name}"] for name in ("username", "first_name", "last_name")}
    by = User(**names) if names["username"] is not None else None
    kept = {name: row[name] for name in VERSION} | {"at": datetime.fromisoformat(row["at"])}
    return CriterionVersion(**kept, by=by)


def _versions(rows: list[CriterionVersion]) -> tuple[VersionTold, ...]:
    before: list[CriterionVersion | None] = [None, *rows[:-1]] if rows else []
    told = [
        VersionTold(
            version=row.version,
            at=row.at,
            who=(row.by.get_full_name() or row.by.get_username()) if row.by else "",
            condition=condition_words(row.field, row.operator, row.value),
            question=row.question,
            details=tuple(differences(old, row)) if old is not None else (),
        )
        for old, row in zip(before, rows, strict=True)
    ]
    return tuple(reversed(told))


def differences(
    before: Criterion | CriterionVersion | None, after: Criterion | CriterionVersion | None
) -> list[tuple[str, str, str]]:
    """Return what differs between two states of a criterion, as (label, before, after); null stands for none."""
    was, now = _facts(before), _facts(after)
    return [
        (label, was.get(label, ""), now.get(label, ""))
        for label in (was | now)
        if was.get(label, "") != now.get(label, "")
    ]


def _facts(row: Criterion | CriterionVersion | None) -> dict[str, str]:
    if row is None:
        return {}
    facts = {
        _("Condition"): condition_words(row.field, row.operator, row.value),
        _("Question à poser"): row.question,
        _("Ce qu'on attend"): row.expected,
        _("Éliminatoire"): _("oui") if row.blocking else _("non"),
        _("Se fier au fichier"): _("oui") if row.trust_file else _("non"),
    }
    if isinstance(row, Criterion):
        facts[_("Ordre")] = str(row.position)
    return facts


@dataclass(frozen=True, slots=True)
class CampaignCounted:
    """A campaign of a programme with the counts of its list."""

    campaign: Campaign
    total: int
    waiting: int
    screened_out: int


def campaigns_counted(programme: Programme) -> list[CampaignCounted]:
    """Return the campaigns of a programme by name, each with the counts of its list, read from an index. One query."""
    states = (
        ListEntry.objects.filter(campaign=OuterRef("pk")).order_by().values("state").annotate(n=Count("pk"))
    )
    counted = ArraySubquery(states.values(json=JSONObject(state="state", n="n")))
    rows: QuerySet[Any] = programme.campaigns.annotate(shown_states=counted).order_by("name")
    return [
        CampaignCounted(
            campaign,
            sum(of.values()),
            of.get(EntryState.READY, 0) + of.get(EntryState.CALLBACK, 0),
            of.get(EntryState.SCREENED_OUT, 0),
        )
        for campaign in rows
        for of in [{row["state"]: row["n"] for row in campaign.shown_states}]
    ]


def effect_title(effect: str, count: int) -> str:
    """Return what the page of these records is called."""
    if effect == "asked_now":
        return ngettext("Fiche chez un agent", "Fiches chez des agents", count)
    text = words(effect, count)
    return text[:1].upper() + text[1:]
