"""Templates of columns: saved, changed, removed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import MappingTemplate
from campaigns.rules.mapping import checked_target
from crm.models import Sponsor, User
from crm.rules.errors import Invalid
from crm.rules.phones import is_region


def save_template(
    *,
    sponsor: Sponsor,
    name: str,
    mapping: Mapping[str, str],
    options: Mapping[str, Any] | None = None,
    region: str = "FR",
    by: User,
    at: datetime,
) -> MappingTemplate:
    """Save what columns mean (`{header: target}`) under a name; the principal's template of that name is replaced.
    Raises Invalid (fields `name`, `mapping`, `region`), `UnknownField`."""
    name = " ".join(name.split())
    if not 0 < len(name) <= 120:
        raise Invalid.field("name", _("Donnez au modèle un nom de 120 caractères au plus."))
    if not mapping:
        raise Invalid.field("mapping", _("Un modèle a au moins une colonne."))
    if not is_region(region.upper()):
        raise Invalid.field("region", _("Pays inconnu : donnez ses deux lettres, comme FR."))
    values = {
        "mapping": {header: checked_target(target, header) for header, target in mapping.items()},
        "options": dict(options or {}),
        "region": region.upper(),
        "updated_at": at,
    }
    with transaction.atomic():
        template, _created = MappingTemplate.objects.update_or_create(
            sponsor=sponsor,
            name=name,
            defaults=values,
            create_defaults={**values, "created_by": by, "created_at": at},
        )
    return template


def delete_template(*, template: MappingTemplate, by: User, at: datetime) -> None:
    """Remove a template; the imports that used it keep what their columns meant. Twice is once."""
    MappingTemplate.objects.filter(pk=template.pk).delete()
