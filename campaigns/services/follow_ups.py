"""The e-mails that a campaign may send after a call: written by managers, with their history."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from campaigns.enums import ChangeKind
from campaigns.models import Campaign, FollowUpTemplate
from campaigns.models.follow_ups import BODY_LENGTH, SUBJECT_LENGTH
from campaigns.rules.texts import NEUTRAL, check_text
from campaigns.services.changes import changed_between, record_change
from crm.models import User
from crm.rules.errors import Forbidden, Invalid

#: Columns that a manager fills.
TEMPLATE_FIELDS = ("name", "language", "subject", "body", "active")


@transaction.atomic
def save_follow_up_template(
    *,
    campaign: Campaign,
    data: Mapping[str, Any],
    by: User,
    at: datetime,
    template: FollowUpTemplate | None = None,
) -> FollowUpTemplate:
    """Create a template of a campaign from `data` (`TEMPLATE_FIELDS`), or change one; what changed is history.

    Raises Forbidden unless a manager asks, Invalid by field for a name that is taken, an unknown language, a text that
    is empty, too long, or has unknown placeholders.
    """
    if not by.is_managing:
        raise Forbidden
    row = template or FollowUpTemplate(campaign=campaign)
    before = {name: getattr(row, name) for name in TEMPLATE_FIELDS} if row.pk else {}
    after = _checked({**{name: getattr(row, name) for name in TEMPLATE_FIELDS}, **data})
    for name, value in after.items():
        setattr(row, name, value)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Invalid.field("name", _("Un modèle de cette campagne porte déjà ce nom.")) from error
    was, now = changed_between({name: before.get(name, "") for name in after}, after)
    if now:
        facts = {"name": row.name}
        record_change(
            ChangeKind.WORDS, by=by, at=at, campaign=campaign, before={**facts, **was}, after={**facts, **now}
        )
    return row


def _checked(data: Mapping[str, Any]) -> dict[str, Any]:
    name = " ".join(str(data["name"]).split())[:80]
    if not name:
        raise Invalid.field("name", _("Donnez un nom au modèle."))
    if data["language"] not in NEUTRAL:
        raise Invalid.field("language", _("Langue inconnue : %(known)s.") % {"known": ", ".join(NEUTRAL)})
    subject = check_text(" ".join(str(data["subject"]).split()), maximum=SUBJECT_LENGTH, field="subject")
    body = check_text(str(data["body"]).replace("\r\n", "\n"), maximum=BODY_LENGTH, field="body")
    return {
        "name": name,
        "language": data["language"],
        "subject": subject,
        "body": body,
        "active": bool(data["active"]),
    }
