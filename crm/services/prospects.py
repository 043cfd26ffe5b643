"""Prospect records: created, corrected, erased. Each change is a line of the timeline in the same transaction."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.enums import Channel, EventKind, ProspectKind
from crm.models import (
    IdempotentRequest,
    Prospect,
    ProspectEvent,
    ProspectLook,
    ProspectNumber,
    Source,
    Sponsor,
    User,
)
from crm.models.prospects import EDITABLE as EDITABLE
from crm.rules.errors import Invalid, InvalidTransition, StaleRecord
from crm.rules.phones import ParsedNumber, normalise, region_for, time_zone_for
from crm.rules.time_zones import is_time_zone
from crm.services.hooks import prospects_changed

#: Columns that say who somebody is: an erasure empties them.
PERSONAL = tuple(name for name in EDITABLE if name not in ("kind", "attributes", "confidential"))
#: Columns that tell the time zone, with the first number.
LOCATING = frozenset({"postal_code", "country"})
MAX_NUMBERS = 20
#: The end of the address whose stored answers tell of many people.
BULK_PATH = "/prospects/bulk/"
MAX_ATTRIBUTES = 300

REASONS = {
    "premium_number": _("numéro surtaxé : il n'est jamais composé"),
    "short_number": _("numéro court ou d'urgence : il n'est jamais composé"),
    "damaged_by_spreadsheet": _("abîmé par un tableur"),
    "no_number": _("aucun numéro"),
    "invalid_number": _("numéro invalide"),
}


@dataclass(frozen=True, slots=True)
class PhoneInput:
    """A number as somebody wrote it: `raw` in any spelling of `region` (ISO 3166 alpha-2; "" = the record's own)."""

    raw: str
    region: str = ""
    extension: str = ""
    note: str = ""


def add_event(
    *,
    prospect: Prospect,
    kind: str,
    at: datetime,
    by: User | None,
    sponsor: Sponsor | None = None,
    call_ref: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> ProspectEvent:
    """Write a line of a prospect's timeline; with a sponsor it is shown inside that sponsor only."""
    return ProspectEvent.objects.create(
        prospect=prospect, kind=kind, at=at, by=by, sponsor=sponsor, call_ref=call_ref, data=dict(data or {})
    )


@transaction.atomic
def create_prospect(
    *, source: Source, data: Mapping[str, Any], phones: Sequence[PhoneInput], by: User | None, at: datetime
) -> Prospect:
    """Create a record of `source` from columns (`EDITABLE`) and numbers in any spelling; version 1.

    The time zone is told from the numbers and the postal code unless it is given. Raises Invalid, by field.
    """
    prospect = Prospect(source=source, created_at=at, updated_at=at)
    _fill(prospect, data)
    numbers = _read(phones, prospect)
    prospect.time_zone = prospect.time_zone or _zone(prospect, numbers)
    _save(prospect)
    _write_numbers(prospect, numbers)
    add_event(prospect=prospect, kind=EventKind.CREATED, at=at, by=by, data={"source": source.pk})
    return prospect


@transaction.atomic
def edit_prospect(
    *,
    prospect: Prospect,
    data: Mapping[str, Any],
    phones: Sequence[PhoneInput] | None,
    by: User | None,
    at: datetime,
    expected_version: int | None = None,
    check: Callable[[Prospect], object] | None = None,
    call_ref: int | None = None,
    answered_by: str = "",
) -> Prospect:
    """Correct columns of a record, and replace its numbers unless `phones` is None; return it with its next version.

    Lists follow in the same transaction (criteria, number to dial); no exclusion is ever loosened by it. `check` is
    given the record once its columns are stored, and may refuse it before anything else follows. `call_ref` and
    `answered_by` tell on which call, and who at the other end, said so: they stand in the timeline beside the old and
    the new value. Raises StaleRecord when `expected_version` is not the stored one, InvalidTransition once erased,
    Invalid by field.
    """
    current = (
        Prospect.objects.select_for_update(of=("self",), no_key=True)
        .select_related("source")
        .get(pk=prospect.pk)
    )
    if current.erased_at is not None:
        raise InvalidTransition(_("Cette fiche a été effacée."))
    if expected_version is not None and expected_version != current.version:
        raise StaleRecord(extra={"version": current.version})
    before = {name: getattr(current, name) for name in EDITABLE}
    moves = "time_zone" not in data and (
        phones is not None or not LOCATING.isdisjoint(data) or not current.time_zone
    )
    known = _known_numbers(current) if moves else []
    derived = not current.time_zone or current.time_zone == _zone(current, known)
    _fill(current, data)
    numbers = None if phones is None else _read(phones, current)
    if moves and derived:
        current.time_zone = _zone(current, known if numbers is None else numbers)
    changes: dict[str, Any] = {
        name: [before[name], getattr(current, name)]
        for name in EDITABLE
        if before[name] != getattr(current, name)
    }
    if numbers is not None and (moved := _replace_numbers(current, numbers)):
        changes["phones"] = moved
    if changes:
        current.version += 1
        current.updated_at = at
        _save(current)
    if check is not None:
        check(current)
    if not changes:
        return current
    told = {"changes": changes, **({"answered_by": answered_by} if answered_by else {})}
    add_event(prospect=current, kind=EventKind.EDITED, at=at, by=by, call_ref=call_ref, data=told)
    prospects_changed([current.pk], at)
    return current


@transaction.atomic
def erase_prospect_record(*, prospect: Prospect, by: User | None, at: datetime, reason: str = "") -> Prospect:
    """Blank the person: columns, numbers and the words of the timeline. Its exclusions stay, on the numbers too.

    `erased_external_id` keeps the digest by which the bars are found when the supplier delivers it again. A second
    erasure changes nothing.
    """
    current = Prospect.objects.select_for_update(of=("self",), no_key=True).get(pk=prospect.pk)
    if current.erased_at is not None:
        return current
    if current.external_id:
        current.erased_external_id = hashlib.sha256(current.external_id.encode()).hexdigest()
    for name in PERSONAL:
        setattr(current, name, "")
    current.attributes, current.confidential = {}, False
    current.erased_at = current.updated_at = at
    current.version += 1
    # The database writes the bars on the numbers, and only then removes these.
    current.save()
    ProspectEvent.objects.filter(prospect=current).exclude(data={}).update(data={})
    ProspectLook.objects.filter(prospect=current).exclude(why="").update(why="")
    _forget_answers(current.pk)
    _forget_results(current.pk)
    add_event(prospect=current, kind=EventKind.ERASED, at=at, by=by, data={"why": reason} if reason else None)
    prospects_changed([current.pk], at)
    return current


def _forget_answers(pk: int) -> None:
    """Keep of the API's stored answers about a person only the id: a request that is sent again still happens once."""
    about = Q(body__data__id=pk, path__endswith="/prospects/") | Q(body__data__prospect=pk)
    # Those of bulk requests are long, and are looked into by themselves.
    for answer in IdempotentRequest.objects.exclude(path__endswith=BULK_PATH).filter(about):
        kept: dict[str, Any] = answer.body or {}
        answer.body = {"data": {"id": kept["data"]["id"]}, "headers": {}}
        answer.save(update_fields=["body"])


def _forget_results(pk: int) -> None:
    """Keep of a person in the stored answers of bulk requests only what became of it, by id."""
    about = IdempotentRequest.objects.filter(
        path__endswith=BULK_PATH, body__data__results__contains=[{"id": pk}]
    )
    for answer in about:
        kept: dict[str, Any] = answer.body or {}
        for result in kept["data"]["results"]:
            if result["id"] == pk:
                result["external_id"] = ""
        answer.save(update_fields=["body"])


def _fill(prospect: Prospect, data: Mapping[str, Any]) -> None:
    unknown = sorted(set(data) - set(EDITABLE))
    if unknown:
        raise Invalid(fields={name: [_("Champ inconnu.")] for name in unknown})
    wrong: dict[str, list[Any]] = {}
    for name, value in data.items():
        try:
            setattr(prospect, name, _clean(name, value))
        except Invalid as refusal:
            wrong.update(refusal.fields)
    if wrong:
        raise Invalid(fields=wrong)


def _clean(name: str, value: Any) -> Any:
    if name == "attributes":
        return _attributes(value)
    if name == "confidential":
        if not isinstance(value, bool):
            raise Invalid.field(name, _("Vrai ou faux."))
        return value
    if value is None:
        value = ""
    if not isinstance(value, str) or "\x00" in value:
        raise Invalid.field(name, _("Un texte est attendu."))
    value = value.strip()
    choices = {"kind": ProspectKind.values, "preferred_channel": ["", *Channel.values]}.get(name)
    if choices is not None and value not in choices:
        raise Invalid.field(name, _("Valeur inconnue : %(value)s.") % {"value": value[:40]})
    if name == "time_zone" and value and not is_time_zone(value):
        raise Invalid.field(name, _("Ce fuseau horaire n'existe pas."))
    return value.upper() if name == "country" else value


def _attributes(value: Any) -> dict[str, Any]:
    message = _("Les autres champs sont des textes, des nombres ou vrai/faux, par nom.")
    if not isinstance(value, dict) or len(value) > MAX_ATTRIBUTES:
        raise Invalid.field("attributes", message)
    for key, item in value.items():
        plain = item is None or isinstance(item, str | int | float | bool)
        if (
            not isinstance(key, str)
            or not key.strip()
            or len(key) > 200
            or not plain
            or "\x00" in f"{key}{item}"
        ):
            raise Invalid.field("attributes", message)
    return value


def _save(prospect: Prospect) -> None:
    try:
        prospect.full_clean(validate_unique=False, validate_constraints=False, exclude=["source"])
        with transaction.atomic():
            prospect.save()
    except ValidationError as error:
        raise Invalid(fields={name: list(words) for name, words in error.message_dict.items()}) from error
    except IntegrityError as error:
        if (
            getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
            != "prospect_external_id_once_per_source"
        ):
            raise
        message = _("Ce fournisseur a déjà une fiche avec cet identifiant.")
        raise Invalid.field("external_id", message) from error


def _read(phones: Sequence[PhoneInput], prospect: Prospect) -> list[ParsedNumber]:
    """Read the numbers in their order, each once; raise Invalid (field `phones`), one message per unreadable one."""
    if len(phones) > MAX_NUMBERS:
        raise Invalid.field("phones", _("Au plus %(count)d numéros.") % {"count": MAX_NUMBERS})
    found: dict[str, ParsedNumber] = {}
    wrong = []
    for phone in phones:
        region = region_for(prospect.postal_code, prospect.country, phone.region or "FR")
        parsed = normalise(phone.raw, phone.region if phone.region not in ("", "FR") else region)
        if not parsed.numbers:
            reason = REASONS.get(parsed.reason, REASONS["invalid_number"])
            wrong.append(_("« %(raw)s » : %(reason)s.") % {"raw": phone.raw[:60], "reason": reason})
        for number in parsed.numbers:
            kept = ParsedNumber(
                number.number,
                number.kind,
                number.validity,
                (phone.extension or number.extension)[:20],
                (phone.note or number.note)[:200],
                number.raw or phone.raw,
            )
            found.setdefault(number.number, kept)
    if wrong:
        raise Invalid(fields={"phones": wrong})
    return list(found.values())


def _known_numbers(prospect: Prospect) -> list[ParsedNumber]:
    return [
        ParsedNumber(phone.number, phone.kind, phone.validity)  # type: ignore[arg-type]
        for phone in prospect.phones.all()
    ]


def _zone(prospect: Prospect, numbers: Sequence[ParsedNumber]) -> str:
    number = numbers[0].number if numbers else ""
    return time_zone_for(number, prospect.postal_code, prospect.country)


def _write_numbers(prospect: Prospect, numbers: Sequence[ParsedNumber]) -> None:
    ProspectNumber.objects.bulk_create(
        ProspectNumber(
            prospect=prospect,
            number=number.number,
            raw=number.raw[:200],
            kind=number.kind,
            validity=number.validity,
            extension=number.extension,
            note=number.note,
            position=position,
        )
        for position, number in enumerate(numbers)
    )


def _replace_numbers(prospect: Prospect, numbers: Sequence[ParsedNumber]) -> list[list[str]]:
    """Make the record's numbers these, in this order; return [before, after], or [] when nothing changed."""
    stored = list(prospect.phones.all())
    before = [(row.number, row.extension, row.note) for row in stored]
    after = [(number.number, number.extension, number.note) for number in numbers]
    if before == after:
        return []
    prospect.phones.all().delete()
    _write_numbers(prospect, numbers)
    return [[row[0] for row in before], [row[0] for row in after]]
