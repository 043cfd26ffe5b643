"""Small plain functions that make the rows a test needs. Numbers are fictitious, times are fixed, names are counted."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from campaigns.enums import CampaignStatus, EntryState, ExclusionReason, Operator, Purpose, Scope
from campaigns.models import Campaign, Criterion, CriterionVersion, Exclusion, ListEntry, Programme
from crm.enums import NumberKind, ProspectKind, Role, Validity
from crm.models import Prospect, ProspectNumber, Source, Sponsor, User

#: A Wednesday, 11:00 in Paris: inside the default window.
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
PASSWORD = "a-long-enough-password"

_serial = count(1)


def next_number() -> str:
    """Return an unused fictitious E.164 number (+33 1 99 00 xx xx)."""
    return f"+3319900{next(_serial) % 10_000:04d}"


def make_user(role: str = Role.AGENT, username: str = "", **fields: Any) -> User:
    """Make a user of a role whose password is `PASSWORD`; `sponsors` narrows what it sees."""
    sponsors = fields.pop("sponsors", [])
    user = User.objects.create_user(
        username=username or f"{role}{next(_serial)}", password=PASSWORD, role=role, **fields
    )
    user.sponsors.set(sponsors)
    return user


def make_sponsor(name: str = "") -> Sponsor:
    """Make a principal."""
    return Sponsor.objects.create(name=name or f"Donneur {next(_serial)}")


def make_source(sponsor: Sponsor | None = None, **fields: Any) -> Source:
    """Make a supplier of records, everybody's unless a sponsor owns it."""
    serial = next(_serial)
    return Source.objects.create(
        **{"name": f"Fichier {serial}", "slug": f"fichier-{serial}", "sponsor": sponsor, **fields}
    )


def make_programme(sponsor: Sponsor | None = None, **fields: Any) -> Programme:
    """Make a démarche."""
    return Programme.objects.create(
        **{
            "name": f"Démarche {next(_serial)}",
            "sponsor": sponsor or make_sponsor(),
            "subject": "une enquête sur les services bancaires",
            **fields,
        }
    )


def make_campaign(programme: Programme | None = None, **fields: Any) -> Campaign:
    """Make a running campaign without window nor cap (`calling_rule` "none"), unless told otherwise."""
    serial = next(_serial)
    return Campaign.objects.create(
        **{
            "slug": f"campagne-{serial}",
            "name": f"Campagne {serial}",
            "programme": programme or make_programme(),
            "purpose": Purpose.SURVEY,
            "calling_rule": "none",
            "status": CampaignStatus.RUNNING,
            **fields,
        }
    )


def make_criterion(programme: Programme, **fields: Any) -> Criterion:
    """Make a blocking criterion ("a bank": sector starts with 64) with its first version row."""
    criterion = Criterion.objects.create(
        **{
            "programme": programme,
            "field": "sector",
            "operator": Operator.STARTS_WITH,
            "value": "64",
            "question": "Êtes-vous bien une banque ?",
            "expected": "une banque",
            **fields,
        }
    )
    copied = ("field", "operator", "value", "question", "expected", "blocking", "trust_file")
    CriterionVersion.objects.create(
        criterion=criterion, version=1, at=NOW, **{name: getattr(criterion, name) for name in copied}
    )
    return criterion


def make_prospect(
    number: str | None = None,
    *,
    numbers: list[str] | None = None,
    source: Source | None = None,
    **fields: Any,
) -> Prospect:
    """Make a record with one fictitious number, the given `number` or `numbers` ([] for none)."""
    serial = next(_serial)
    prospect = Prospect.objects.create(
        **{
            "source": source or make_source(),
            "external_id": f"x{serial}",
            "kind": ProspectKind.ORGANISATION,
            "organisation": f"Organisation {serial}",
            "time_zone": "Europe/Paris",
            "created_at": NOW,
            "updated_at": NOW,
            **fields,
        }
    )
    if numbers is None:
        numbers = [number or next_number()]
    for position, text in enumerate(numbers):
        make_number(prospect, text, position=position)
    return prospect


def make_number(prospect: Prospect, number: str, **fields: Any) -> ProspectNumber:
    """Give a record one more E.164 number."""
    return ProspectNumber.objects.create(
        **{
            "prospect": prospect,
            "number": number,
            "raw": number,
            "kind": NumberKind.LANDLINE,
            "validity": Validity.VALID,
            **fields,
        }
    )


def make_entry(
    campaign: Campaign | None = None, prospect: Prospect | None = None, **fields: Any
) -> ListEntry:
    """Queue a record in a campaign, ready and due, on its first number."""
    prospect = prospect or make_prospect()
    phone = prospect.phones.first()
    return ListEntry.objects.create(
        **{
            "campaign": campaign or make_campaign(),
            "prospect": prospect,
            "number": phone.number if phone else "",
            "state": EntryState.READY,
            "due_at": NOW,
            "time_zone": prospect.time_zone or "Europe/Paris",
            "language": prospect.language,
            "created_at": NOW,
            "updated_at": NOW,
            **fields,
        }
    )


def make_exclusion(
    *,
    programme: Programme | None = None,
    sponsor: Sponsor | None = None,
    campaign: Campaign | None = None,
    **fields: Any,
) -> Exclusion:
    """Bar a number and/or a prospect in the narrowest scope that is given, everywhere when none is."""
    scope = Scope.EVERYWHERE
    for given, name in ((sponsor, Scope.SPONSOR), (programme, Scope.PROGRAMME), (campaign, Scope.CAMPAIGN)):
        scope = name if given is not None else scope
    return Exclusion.objects.create(
        **{
            "scope": scope,
            "sponsor": sponsor if scope == Scope.SPONSOR else None,
            "programme": programme if scope == Scope.PROGRAMME else None,
            "campaign": campaign if scope == Scope.CAMPAIGN else None,
            "reason": ExclusionReason.OPPOSITION,
            "since": NOW,
            **fields,
        }
    )
