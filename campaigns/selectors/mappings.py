"""What headers meant before: in a supplier's last imports, and in saved templates."""

from collections.abc import Sequence

from django.db.models import QuerySet

from campaigns.models import ImportJob, MappingTemplate
from campaigns.rules.headers import fold, is_unnamed
from crm.models import Source, Sponsor

#: How many imports back a header is looked for.
LOOKED_BACK = 20


def remembered_mapping(source: Source) -> dict[str, str]:
    """What the headers of this supplier's files meant when they were last imported: `{folded header: target}`, the
    newest import that was started wins for each header."""
    started = ImportJob.objects.filter(source=source, started_at__isnull=False)
    known: dict[str, str] = {}
    for mapping in started.order_by("-started_at", "-pk").values_list("mapping", flat=True)[:LOOKED_BACK]:
        for header, target in mapping.items():
            known.setdefault(fold(header), target)
    return known


def templates_of(sponsor: Sponsor) -> QuerySet[MappingTemplate]:
    """The templates of a principal, by name."""
    return MappingTemplate.objects.filter(sponsor=sponsor).order_by("name", "pk")


def fitting_template(sponsor: Sponsor, headers: Sequence[str]) -> MappingTemplate | None:
    """The principal's template whose headers are all in the file, most headers first, then the last saved. One of
    columns without names fits only a file of just as many: their places mean nothing elsewhere."""
    there = {fold(header) for header in headers}
    fitting = [template for template in templates_of(sponsor) if _fits(template, there)]
    return max(fitting, key=lambda template: (len(template.mapping), template.updated_at), default=None)


def _fits(template: MappingTemplate, there: set[str]) -> bool:
    known = {fold(header) for header in template.mapping}
    if any(map(is_unnamed, known)):
        return known == there
    return bool(known) and known <= there
