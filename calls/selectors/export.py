"""All that is kept about one person, as far as its reader may see it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Model, Q, QuerySet

from calls.models import Call
from calls.rules.export import BARS, LEGEND, PARTS, Part
from campaigns.models import Exclusion
from crm.models import Prospect, Sponsor
from crm.selectors.prospects import IDENTITY


def export_of(prospect: Prospect, *, sponsors: QuerySet[Sponsor], at: datetime) -> dict[str, Any]:
    """Return what is kept about a person, codes in words, JSON but for its moments: nothing of other people on the same
    numbers, and nothing behind the wall of a sponsor that is not among `sponsors`.

    `legend` says what each part is. Of somebody who was erased it is what remains. A query a part.
    """
    legend = LEGEND | {part.name: part.legend for part in PARTS}
    return {
        "exported_at": at,
        "legend": {name: str(text) for name, text in legend.items()},
        "record": _record(prospect),
        "origin": _origin(prospect),
        **{part.name: _rows(part, prospect, sponsors) for part in PARTS},
    }


def _record(prospect: Prospect) -> dict[str, Any]:
    columns = ("id", *IDENTITY, "attributes", "confidential", "version")
    moments = ("created_at", "updated_at", "erased_at")
    return {name: getattr(prospect, name) for name in (*columns, *moments)}


def _origin(prospect: Prospect) -> dict[str, Any]:
    names = ("name", "spoken_origin", "obtained_at", "rights_contact")
    return {name: getattr(prospect.source, name) for name in names}


def _rows(part: Part, prospect: Prospect, sponsors: QuerySet[Sponsor]) -> list[dict[str, Any]]:
    model = apps.get_model(part.model)
    columns = part.columns
    labels = [_labels(model, path) for path in columns.values()]
    rows = model._default_manager.filter(_about(part, prospect), _inside(part, sponsors)).order_by("pk")
    told = [
        {
            name: str(words.get(value, value)) if words else value
            for name, words, value in zip(columns, labels, row, strict=True)
        }
        for row in rows.values_list(*columns.values())
    ]
    return _own_words(told, prospect) if part.name == BARS else told


def _labels(model: type[Model], path: str) -> dict[Any, Any]:
    """The words for the codes of a field, by its look-up."""
    field: Any = None
    for name in path.split("__"):
        field = model._meta.get_field(name.removesuffix("_id") if name.endswith("_id") else name)
        model = field.related_model or model
    return dict(getattr(field, "flatchoices", ()))


def _about(part: Part, prospect: Prospect) -> Q:
    about = Q()
    for path in part.about:
        about |= Q(**{path: [prospect.pk] if path.endswith("__contains") else prospect.pk})
    if part.name == BARS:
        numbers = list(prospect.phones.values_list("number", flat=True))
        about |= Q(number__in=numbers, prospect__isnull=True)
    return about


def _inside(part: Part, sponsors: QuerySet[Sponsor]) -> Q:
    if not part.inside:
        return Q()
    return Q(**{f"{part.inside}__in": sponsors}) | Q(**{f"{part.inside}__isnull": True})


def _own_words(bars: Sequence[dict[str, Any]], prospect: Prospect) -> list[dict[str, Any]]:
    """Leave out what was said of somebody else: a bar on a shared number that another person's call brought about."""
    ids = [bar["id"] for bar in bars]
    told = Exclusion.objects.filter(pk__in=ids, call_ref__isnull=False)
    own = Call.objects.filter(prospect=prospect).values("pk")
    foreign = set(told.exclude(call_ref__in=own).values_list("pk", flat=True))
    return [bar | {"note": "", "lift_reason": ""} if bar["id"] in foreign else bar for bar in bars]
