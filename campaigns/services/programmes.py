"""Programmes and their criteria. A changed criterion is a new version, and every list is read again by it."""

from collections.abc import Mapping
from copy import copy
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from campaigns.enums import ChangeKind
from campaigns.models import Criterion, CriterionVersion, Programme
from campaigns.rules.criteria import check_field, check_value
from campaigns.services.changes import record_change
from campaigns.services.entries import screen
from crm.models import Sponsor, User
from crm.rules.errors import Invalid, InvalidTransition

#: Columns of a criterion that people fill. All but `position` belong to its version.
CRITERION_FIELDS = (
    "field",
    "operator",
    "value",
    "question",
    "expected",
    "blocking",
    "trust_file",
    "position",
)
VERSIONED = CRITERION_FIELDS[:-1]
#: What makes two criteria of a programme the same one.
CONDITION = ("field", "operator", "value", "expected")


def create_programme(*, name: str, sponsor: Sponsor, subject: str = "", by: User, at: datetime) -> Programme:
    """Create a programme of a sponsor. Raises Invalid for a blank name, or one that the sponsor has already."""
    return _saved(Programme(sponsor=sponsor), name, subject)


def edit_programme(
    *, programme: Programme, name: str, subject: str, by: User, at: datetime, sponsor: Sponsor | None = None
) -> Programme:
    """Change name and subject. The sponsor never changes: bars and history are inside its walls."""
    if sponsor is not None and sponsor.pk != programme.sponsor_id:
        raise Invalid.field("sponsor", _("Une démarche ne change pas de donneur d'ordre."))
    return _saved(programme, name, subject)


def _saved(programme: Programme, name: str, subject: str) -> Programme:
    name, subject = name.strip(), subject.strip()
    if not name or len(name) > 200:
        raise Invalid.field("name", _("Donnez un nom."))
    if len(subject) > 200 or not f"{name}{subject}".isprintable():
        raise Invalid.field("subject", _("Le sujet tient en une courte phrase."))
    programme.name, programme.subject = name, subject
    try:
        with transaction.atomic():
            programme.save()
    except IntegrityError as error:
        raise Invalid.field("name", _("Ce donneur d'ordre a déjà une démarche de ce nom.")) from error
    return programme


def draft_criterion(
    *, programme: Programme, criterion: Criterion | None, data: Mapping[str, Any]
) -> Criterion:
    """Return a criterion as it would be once added or edited, unsaved. Raises Invalid, by field."""
    draft = copy(criterion) if criterion is not None else Criterion(programme=programme, version=1)
    _fill(draft, data)
    _check_is_new(draft)
    return draft


def draft_condition(
    *, programme: Programme, criterion: Criterion | None, data: Mapping[str, Any]
) -> Criterion:
    """Return a criterion as far as its condition is written, before its words are. Raises Invalid, by field."""
    draft = copy(criterion) if criterion is not None else Criterion(programme=programme, version=1)
    _fill(draft, {"question": draft.question or "…", **data})
    return draft


@transaction.atomic
def add_criterion(
    *, programme: Programme, data: Mapping[str, Any], by: User, at: datetime, reason: str = ""
) -> Criterion:
    """Add a criterion from `data` (`CRITERION_FIELDS`) as version 1, and screen the lists.

    Raises Invalid, by field; of the same condition sent twice, at the same instant even, the second is refused.
    """
    criterion = Criterion(programme=programme, version=1)
    _fill(criterion, data)
    _take_turn(programme.pk)
    _check_is_new(criterion)
    criterion.save()
    _keep_version(criterion, by, at)
    _apply(ChangeKind.CRITERION_ADDED, criterion, after=_facts(criterion), reason=reason, by=by, at=at)
    return criterion


@transaction.atomic
def edit_criterion(
    *, criterion: Criterion, data: Mapping[str, Any], by: User, at: datetime, reason: str = ""
) -> Criterion:
    """Change a criterion: a new version, and the lists are screened again. Another position alone is no new version.

    What was answered under an earlier version keeps it. Raises Invalid by field, InvalidTransition once retired.
    """
    current = _locked(criterion)
    before = _facts(current)
    _fill(current, data)
    changed = _facts(current) != before
    if changed:
        _take_turn(current.programme_id)
        _check_is_new(current)
    current.version += changed
    current.save()
    if changed:
        _keep_version(current, by, at)
        after = _facts(current)
        _apply(ChangeKind.CRITERION_EDITED, current, before=before, after=after, reason=reason, by=by, at=at)
    return current


@transaction.atomic
def retire_criterion(*, criterion: Criterion, by: User, at: datetime, reason: str = "") -> Criterion:
    """Stop asking a criterion. Records that it alone kept out on paper come back; bars from calls stay."""
    current = _locked(criterion)
    current.retired_at = at
    current.save(update_fields=["retired_at"])
    _apply(ChangeKind.CRITERION_RETIRED, current, before=_facts(current), reason=reason, by=by, at=at)
    return current


def _apply(
    kind: ChangeKind,
    criterion: Criterion,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str,
    by: User,
    at: datetime,
) -> None:
    """Read the lists of the programme again, and keep what that moved."""
    programme = criterion.programme
    moved = screen(programme=programme, at=at)
    record_change(
        kind,
        by=by,
        at=at,
        reason=reason,
        programme=programme,
        before={} if before is None else {"criterion": criterion.pk, **before},
        after={} if after is None else {"criterion": criterion.pk, **after},
        touched=moved.counts(),
    )


def _facts(criterion: Criterion) -> dict[str, Any]:
    return {name: getattr(criterion, name) for name in VERSIONED}


def _locked(criterion: Criterion) -> Criterion:
    rows = Criterion.objects.select_for_update(of=("self",), no_key=True).select_related("programme")
    current = rows.get(pk=criterion.pk)
    if current.retired_at is not None:
        raise InvalidTransition(_("Ce critère est retiré."))
    return current


def _take_turn(programme_id: int) -> None:
    """Wait for whoever is adding a criterion to the programme: each then sees those of the others."""
    list(Programme.objects.select_for_update(no_key=True).filter(pk=programme_id).values_list("pk"))


def _check_is_new(criterion: Criterion) -> None:
    """Raise Invalid when another criterion in force asks the same."""
    others = Criterion.objects.filter(programme=criterion.programme_id, retired_at__isnull=True)
    known = others.exclude(pk=criterion.pk).values_list(*CONDITION)
    # In Python, where JSON's null and none at all are one.
    if tuple(getattr(criterion, name) for name in CONDITION) in list(known):
        raise Invalid.field("field", _("Ce critère est déjà dans la démarche."))


def _fill(criterion: Criterion, data: Mapping[str, Any]) -> None:
    unknown = sorted(set(data) - set(CRITERION_FIELDS))
    if unknown:
        raise Invalid(fields={name: [_("Champ inconnu.")] for name in unknown})
    for name, value in data.items():
        setattr(criterion, name, value)
    criterion.field = check_field(str(criterion.field or ""))
    criterion.value = check_value(criterion.operator, criterion.value, field=criterion.field)
    criterion.question = _sentence("question", criterion.question, 300)
    criterion.expected = _sentence("expected", criterion.expected, 150, blank=True)
    for name in ("blocking", "trust_file"):
        if not isinstance(getattr(criterion, name), bool):
            raise Invalid.field(name, _("Vrai ou faux."))
    if type(criterion.position) is not int or not 0 <= criterion.position <= 999:
        raise Invalid.field("position", _("L'ordre va de 0 à 999."))


def _sentence(name: str, value: Any, maximum: int, *, blank: bool = False) -> str:
    text = " ".join(str(value or "").split())
    if not text and not blank:
        raise Invalid.field(name, _("Écrivez la question à poser."))
    if len(text) > maximum or not text.isprintable():
        raise Invalid.field(name, _("Ce texte est trop long."))
    return text


def _keep_version(criterion: Criterion, by: User, at: datetime) -> None:
    CriterionVersion.objects.create(
        criterion=criterion, version=criterion.version, at=at, by=by, **_facts(criterion)
    )
