"""Reference rows of this app: the playbooks of delicate situations."""

from typing import Any

from calls.models import Situation, Stage
from calls.rules.playbooks import PLAYBOOKS, Playbook


def load_playbooks(*, situation: type[Any] = Situation, stage: type[Any] = Stage) -> int:
    """Bring the delivered playbooks up to date; return how many were added or renewed.

    One that somebody edited is left as they made it, so that it can be run at any time. A migration gives its own
    models: those of its moment, which may lack later columns.
    """
    return sum(
        _load(playbook, position * 10, situation, stage)
        for position, playbook in enumerate(PLAYBOOKS, start=1)
    )


def _load(playbook: Playbook, position: int, situation: type[Any], stage: type[Any]) -> bool:
    told = {
        "label": playbook.label,
        "label_en": playbook.label_en,
        "keywords": playbook.keywords,
        "effect": playbook.effect,
        "position": position,
    }
    row, created = situation.objects.get_or_create(code=playbook.code, defaults=_columns(situation, told))
    if not created and getattr(row, "edited_at", None) is not None:
        return False
    delivered = [_columns(stage, columns) for columns in _stages(playbook)]
    if not created and _is_as_delivered(row, _columns(situation, told), delivered):
        return False
    # Stages go first: the database refuses an end of the call under an effect that does not allow it.
    row.stages.all().delete()
    situation.objects.filter(pk=row.pk).update(**_columns(situation, told))
    stage.objects.bulk_create(stage(situation=row, **columns) for columns in delivered)
    return True


def _stages(playbook: Playbook) -> list[dict[str, Any]]:
    return [
        {
            "position": number,
            "title": text.title,
            "title_en": text.title_en,
            "opens": text.opens,
            "opens_en": text.opens_en,
            "say": text.say,
            "do": text.do,
            "do_en": text.do_en,
            "may_end": text.may_end,
        }
        for number, text in enumerate(playbook.stages, start=1)
    ]


def _is_as_delivered(row: Any, told: dict[str, Any], delivered: list[dict[str, Any]]) -> bool:
    if any(getattr(row, name) != value for name, value in told.items()):
        return False
    names = list(delivered[0])
    return list(row.stages.order_by("position").values(*names)) == delivered


def _columns(model: type[Any], told: dict[str, Any]) -> dict[str, Any]:
    """Keep what this model has."""
    names = {column.name for column in model._meta.get_fields()}
    return {name: value for name, value in told.items() if name in names}
