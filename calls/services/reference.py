"""Reference rows of this app: the playbooks of delicate situations."""

from typing import Any

from calls.models import Situation, Stage
from calls.rules.playbooks import PLAYBOOKS


def load_playbooks(*, situation: type[Any] = Situation, stage: type[Any] = Stage) -> int:
    """Add the playbooks that are missing, each with its stages; return how many.

    One that is there is left as somebody made it, so that it can be run at any time. A migration gives its own models.
    """
    added = 0
    for position, playbook in enumerate(PLAYBOOKS, start=1):
        row, created = situation.objects.get_or_create(
            code=playbook.code,
            defaults={
                "label": playbook.label,
                "label_en": playbook.label_en,
                "keywords": playbook.keywords,
                "position": position * 10,
            },
        )
        if not created:
            continue
        added += 1
        stage.objects.bulk_create(
            stage(
                situation=row,
                position=number,
                say={"fr": list(text.fr), "en": list(text.en)},
                do=text.do,
                may_end=text.may_end,
            )
            for number, text in enumerate(playbook.stages, start=1)
        )
    return added
