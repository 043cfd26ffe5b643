"""Sponsors and sources: for whom we call, and who delivered the records."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from crm.models import Source, Sponsor, User
from crm.rules.errors import Forbidden, Invalid
from crm.selectors.scopes import sees_every_sponsor

#: Columns of a source that its editor fills.
SOURCE_FIELDS = ("name", "slug", "sponsor", "spoken_origin", "obtained_at", "rights_contact")


def create_sponsor(*, name: str, by: User, at: datetime) -> Sponsor:
    """Create a sponsor; refuses a blank name and one that is taken. `by` must see every sponsor."""
    _require_every_sponsor(by)
    return _named(Sponsor(), name)


def edit_sponsor(*, sponsor: Sponsor, name: str, by: User, at: datetime) -> Sponsor:
    """Rename a sponsor; refuses a blank name and one that is taken."""
    return _named(sponsor, name)


def create_source(*, data: Mapping[str, Any], by: User, at: datetime) -> Source:
    """Create a source from `data` (`SOURCE_FIELDS`, as model values); without slug, one is made from the name."""
    if data.get("sponsor") is None:
        _require_every_sponsor(by)
    return edit_source(source=Source(), data=data, by=by, at=at)


def edit_source(*, source: Source, data: Mapping[str, Any], by: User, at: datetime) -> Source:
    """Write the fields of `data` on a source.

    Refuses a blank name, a slug that is taken, and another sponsor once it has records: they would change walls.
    One that every sponsor shares is for those who see them all.
    """
    if source.pk and (source.sponsor_id is None or data.get("sponsor", source.sponsor_id) is None):
        _require_every_sponsor(by)
    moved = "sponsor" in data and source.pk and data["sponsor"] != source.sponsor
    if moved and source.prospects.exists():
        raise Invalid.field(
            "sponsor", _("Ce fournisseur a déjà des fiches : son donneur d'ordre ne change plus.")
        )
    for field in SOURCE_FIELDS:
        if field in data:
            setattr(source, field, data[field])
    source.name = source.name.strip()
    if not source.name:
        raise Invalid.field("name", _("Donnez un nom."))
    source.slug = source.slug or free_slug(source.name)
    try:
        with transaction.atomic():
            source.save()
    except IntegrityError as error:
        raise Invalid.field("slug", _("Cet identifiant est déjà pris.")) from error
    return source


def _named(sponsor: Sponsor, name: str) -> Sponsor:
    sponsor.name = name.strip()
    if not sponsor.name:
        raise Invalid.field("name", _("Donnez un nom."))
    try:
        with transaction.atomic():
            sponsor.save()
    except IntegrityError as error:
        raise Invalid.field("name", _("Un donneur d'ordre porte déjà ce nom.")) from error
    return sponsor


def _require_every_sponsor(by: User) -> None:
    """A user kept inside some sponsors writes nothing outside of them; a program always is."""
    if not sees_every_sponsor(by):
        raise Forbidden(_("Votre compte est limité à certains donneurs d'ordre."))


def free_slug(name: str) -> str:
    """Return a slug of at most 80 characters for `name` that no source has yet."""
    base = slugify(name)[:70] or "source"
    taken = set(Source.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(
        slug
        for number in range(1, len(taken) + 2)
        if (slug := base if number == 1 else f"{base}-{number}") not in taken
    )
