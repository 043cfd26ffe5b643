"""Managers write the playbooks: every version is kept, and none loosens where a call may end."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from calls.models import Situation, SituationVersion, Stage
from calls.rules.playbooks.content import Content, checked
from calls.selectors.playbook_pages import content_of
from calls.services.errors import Invalid, domain_errors
from calls.services.held import require_manager
from crm.models import User
from crm.rules.errors import StaleRecord

STALE = _("Quelqu'un a changé ce scénario entre-temps : relisez-le avant d'enregistrer.")


def save_playbook(
    *, situation: Situation | None, content: Content, by: User, at: datetime, expected_version: int | None
) -> Situation:
    """Write a playbook, a new one where `situation` is null, and keep the version; the same content again is none.

    Calls whose stage is taken out go on: their screen offers the palette. Raises Forbidden for all but managers,
    StaleRecord when `expected_version` is not the stored one, Invalid (fields as in `calls.rules.playbooks.content`)
    for what cannot be said, has no French sentence, or would end a call where that is never allowed.
    """
    require_manager(by)
    with domain_errors(), transaction.atomic():
        if situation is None:
            return _created(checked(content), by=by, at=at)
        current = Situation.objects.select_for_update().get(pk=situation.pk)
        if current.version != expected_version:
            raise StaleRecord(STALE, extra={"version": current.version})
        wanted = checked(replace(content, code=current.code))
        before = content_of(current)
        if wanted == before:
            return current
        _keep_what_was(current, before, at)
        return _written(current, wanted, by=by, at=at)


def restore_version(
    *, situation: Situation, version: int, by: User, at: datetime, expected_version: int | None
) -> Situation:
    """Save what a kept version held, as a new version. Raises Invalid for an unknown one, and as `save_playbook`."""
    kept = SituationVersion.objects.filter(situation=situation, version=version).first()
    if kept is None:
        raise Invalid.field("version", _("Cette version n'existe pas."))
    return save_playbook(
        situation=situation,
        content=Content.of_json(kept.content),
        by=by,
        at=at,
        expected_version=expected_version,
    )


def _created(content: Content, *, by: User, at: datetime) -> Situation:
    if not content.code:
        raise Invalid.field("code", _("Donnez un code à la situation."))
    if Situation.objects.filter(code=content.code).exists():
        raise Invalid.field("code", _("Une situation a déjà ce code."))
    return _written(Situation(code=content.code, version=0), content, by=by, at=at)


def _keep_what_was(situation: Situation, content: Content, at: datetime) -> None:
    """Keep what was delivered, before the first edition of it replaces it."""
    SituationVersion.objects.get_or_create(
        situation=situation,
        version=situation.version,
        defaults={"content": content.as_json(), "at": at, "by": None},
    )


def _written(situation: Situation, content: Content, *, by: User, at: datetime) -> Situation:
    if situation.pk:
        # Stages go first: the database refuses an end of the call under an effect that does not allow it.
        situation.stages.all().delete()
    for name in ("label", "label_en", "keywords", "effect", "active", "position"):
        setattr(situation, name, getattr(content, name))
    situation.version += 1
    situation.edited_at = at
    situation.save()
    Stage.objects.bulk_create(
        Stage(situation=situation, position=number, **_columns(stage))
        for number, stage in enumerate(content.stages, start=1)
    )
    SituationVersion.objects.create(
        situation=situation, version=situation.version, content=content.as_json(), at=at, by=by
    )
    return situation


def _columns(stage: Any) -> dict[str, Any]:
    names = ("title", "title_en", "opens", "opens_en", "do", "do_en", "may_end")
    return {"say": dict(stage.say), **{name: getattr(stage, name) for name in names}}
