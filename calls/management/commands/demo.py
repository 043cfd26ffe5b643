"""`manage.py demo`: a small centre to try Courtois on, with fictitious numbers only. Safe to run again."""

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from calls.rules.demo import demo_prospects
from campaigns.enums import CampaignStatus, Operator, Purpose
from campaigns.models import Campaign, Criterion, Programme
from campaigns.services.entries import add_prospects
from campaigns.services.programmes import add_criterion
from crm.enums import EventKind, NumberKind, Role, Validity
from crm.models import Prospect, ProspectEvent, ProspectNumber, Source, Sponsor, User

PASSWORD = "demo"

USERS = (
    ("agent", Role.AGENT, "Alex", "Moreau", ["fr", "en"]),
    ("agent2", Role.AGENT, "Sacha", "Petit", ["fr"]),
    ("supervisor", Role.SUPERVISOR, "Dominique", "Roux", ["fr", "en"]),
    ("manager", Role.MANAGER, "Camille", "Girard", ["fr"]),
)


class Command(BaseCommand):
    """Load the demo: 2 sponsors, 3 programmes, 4 campaigns, 4 users, about 1,000 prospects."""

    help = "Load the demo data (fictitious numbers only). Running it again changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load what is missing and print the logins."""
        with transaction.atomic():
            load_demo(at=timezone.now())
        self.stdout.write("Demo ready. Logins (password: demo): " + ", ".join(name for name, *_ in USERS))


def load_demo(*, at: datetime) -> None:
    """Create what the demo lacks; nothing that exists is touched."""
    users = {name: _user(name, role, first, last, spoken) for name, role, first, last, spoken in USERS}
    manager = users["manager"]
    finance, _ = Sponsor.objects.get_or_create(name="Observatoire des services financiers")
    crafts, _ = Sponsor.objects.get_or_create(name="Fédération des artisans du goût")
    survey = _programme(
        finance, "Enquête sur les services bancaires", "une enquête sur les services bancaires"
    )
    meetings = _programme(finance, "Rendez-vous trésorerie", "un rendez-vous sur la gestion de trésorerie")
    training = _programme(crafts, "Formation à l'hygiène", "une formation gratuite à l'hygiène alimentaire")
    _criterion(
        survey, manager, at, "sector", Operator.STARTS_WITH, "64", "Êtes-vous bien une banque ?", "une banque"
    )
    _criterion(
        survey, manager, at, "attributes.effectif", Operator.BETWEEN, ["1", "250"],
        "Votre établissement compte-t-il moins de 250 personnes ?", "moins de 250 personnes", blocking=False,
    )  # fmt: skip
    _criterion(training, manager, at, "sector", Operator.STARTS_WITH, "10.71",
               "Fabriquez-vous du pain sur place ?", "une boulangerie")  # fmt: skip
    autumn = _campaign(survey, "banques-automne", "Banques, vague d'automne", Purpose.SURVEY)
    winter = _campaign(survey, "banques-hiver", "Banques, vague d'hiver", Purpose.SURVEY)
    treasury = _campaign(meetings, "tresorerie", "Trésorerie des agences", Purpose.APPOINTMENT)
    hygiene = _campaign(training, "boulangers", "Boulangers d'Orléans et d'ailleurs", Purpose.INFORMATION)
    directory = _source("annuaire-demo", "Annuaire public (démo)", None,
                        "Votre numéro figure dans l'annuaire public des entreprises.")  # fmt: skip
    members = _source("adherents-demo", "Fichier des adhérents (démo)", crafts,
                      "Votre fédération nous a transmis vos coordonnées.")  # fmt: skip
    banks = _prospects(directory, "banks", 600, 0, manager, at)
    bakeries = _prospects(members, "bakeries", 400, 1, manager, at)
    for campaign, prospects in (
        (autumn, banks[:400]),
        (winter, banks[300:]),
        (treasury, banks[:150]),
        (hygiene, bakeries),
    ):
        if prospects:
            add_prospects(
                campaign=campaign, prospects=Prospect.objects.filter(pk__in=prospects), by=manager, at=at
            )


def _user(name: str, role: str, first: str, last: str, spoken: list[str]) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        user = User.objects.create_user(
            username=name, password=PASSWORD, role=role, first_name=first, last_name=last, languages=spoken
        )
    return user


def _programme(sponsor: Sponsor, name: str, subject: str) -> Programme:
    return Programme.objects.get_or_create(sponsor=sponsor, name=name, defaults={"subject": subject})[0]


def _criterion(
    programme: Programme, by: User, at: datetime, field: str, operator: str, value: Any, question: str, expected: str,
    *, blocking: bool = True,
) -> None:  # fmt: skip
    if not Criterion.objects.filter(programme=programme, field=field).exists():
        add_criterion(
            programme=programme,
            data={
                "field": field, "operator": operator, "value": value, "question": question, "expected": expected,
                "blocking": blocking,
            },
            by=by,
            at=at,
        )  # fmt: skip


def _campaign(programme: Programme, slug: str, name: str, purpose: str) -> Campaign:
    return Campaign.objects.get_or_create(
        slug=slug,
        defaults={
            "programme": programme,
            "name": name,
            "purpose": purpose,
            # No window and no cap, and shown as such: the demo can be called at any hour.
            "calling_rule": "none",
            "status": CampaignStatus.RUNNING,
        },
    )[0]


def _source(slug: str, name: str, sponsor: Sponsor | None, spoken: str) -> Source:
    defaults = {"name": name, "sponsor": sponsor, "spoken_origin": spoken}
    return Source.objects.get_or_create(slug=slug, defaults=defaults)[0]


def _prospects(source: Source, trade: str, count: int, block: int, by: User, at: datetime) -> list[int]:
    """Create the missing records of a demo list; returns the ids of the new ones, in order."""
    present = set(Prospect.objects.filter(source=source).values_list("external_id", flat=True))
    missing = [
        item for item in demo_prospects(trade, count=count, block=block) if item.external_id not in present
    ]
    prospects = Prospect.objects.bulk_create(
        Prospect(
            source=source, external_id=item.external_id, attributes=item.attributes, time_zone="Europe/Paris",
            created_at=at, updated_at=at, **item.fields,
        )
        for item in missing
    )  # fmt: skip
    ProspectNumber.objects.bulk_create(
        ProspectNumber(
            prospect=prospect, number=number, raw=number, kind=NumberKind.LANDLINE, validity=Validity.VALID,
            position=position,
        )
        for prospect, item in zip(prospects, missing, strict=True)
        for position, number in enumerate(item.numbers)
    )  # fmt: skip
    ProspectEvent.objects.bulk_create(
        ProspectEvent(prospect=prospect, at=at, by=by, kind=EventKind.CREATED, data={"source": source.slug})
        for prospect in prospects
    )
    return [prospect.pk for prospect in prospects]
