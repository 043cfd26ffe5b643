"""`manage.py demo`: a small centre to try Courtois on, with fictitious numbers only. Safe to run again."""

from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from django.utils import timezone

from calls.management.demo_past import Past
from calls.rules.demo import demo_prospects
from calls.rules.demo_past import AUTUMN, BAKERS, TREASURY, WINTER, working_days
from campaigns.enums import CampaignStatus, Operator, Purpose
from campaigns.models import Campaign, Programme
from campaigns.services.campaigns import start_campaign
from campaigns.services.entries import add_prospects
from campaigns.services.follow_ups import save_follow_up_template
from campaigns.services.programmes import add_criterion
from crm.enums import EventKind, NumberKind, Validity
from crm.models import Prospect, ProspectEvent, ProspectNumber, Source, Sponsor, User
from crm.rules.demo import DEMO_LOGINS, DEMO_PASSWORD, DemoLogin
from crm.services.sponsors import create_sponsor
from crm.services.teams import create_team

#: What every agent of the demo may settle alone, and the e-mail that may follow a call.
MANDATE = {
    "may_decide": "Déplacer un rendez-vous, corriger la fiche.",
    "may_promise": "Un rappel à l'heure qui convient, une réponse du superviseur dans la journée.",
    "may_offer": "Le résumé de l'enquête, par e-mail.",
}
FOLLOW_UP = {
    "name": "Le lien promis",
    "language": "fr",
    "subject": "Suite à notre appel",
    "body": "Bonjour,\n\nVous m'avez demandé de vous écrire au sujet de {subject}. Voici ce qu'il faut en savoir, "
    "à lire quand cela vous conviendra.\n\nBien à vous,\n{agent}",
    "active": True,
}


class Command(BaseCommand):
    """Load the demo: 2 sponsors, 3 programmes, 4 campaigns, 4 users, about 1,000 prospects, and a recent past."""

    help = "Load the demo data (fictitious numbers only). Running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare `--password`."""
        parser.add_argument(
            "--password", default=DEMO_PASSWORD, help="the password of every demo user (default: %(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Load the demo unless it is there, and print the logins."""
        with transaction.atomic():
            loaded = load_demo(at=timezone.now(), password=options["password"])
        if loaded:
            names = ", ".join(login.username for login in DEMO_LOGINS)
            self.stdout.write(f"Demo ready. Logins (password: {options['password']}): {names}")
        else:
            self.stdout.write("The demo is loaded already: nothing changed.")


def load_demo(*, at: datetime, password: str = DEMO_PASSWORD) -> bool:
    """Load the demo as if it had been used until shortly before `at`; False, and nothing changes, when it is there.

    Raises CommandError when a login of the demo is somebody's who has another role.
    """
    if Campaign.objects.filter(slug__in=[AUTUMN, WINTER, TREASURY, BAKERS]).exists():
        return False
    # Argon2 is slow on purpose: once for the four of them.
    hashed = make_password(password)
    users = {login.username: _user(login, hashed) for login in DEMO_LOGINS}
    begin = working_days(at)[0].replace(hour=8, minute=30)
    manager = users["manager"]
    _team(users, begin)
    finance = create_sponsor(name="Observatoire des services financiers", by=manager, at=begin)
    crafts = create_sponsor(name="Fédération des artisans du goût", by=manager, at=begin)
    campaigns = _campaigns(finance, crafts, manager, begin)
    directory = _source("annuaire-demo", "Annuaire public (démo)", None,
                        "Votre numéro figure dans l'annuaire public des entreprises.")  # fmt: skip
    members = _source("adherents-demo", "Fichier des adhérents (démo)", crafts,
                      "Votre fédération nous a transmis vos coordonnées.")  # fmt: skip
    fair = _source("salon-demo", "Salon de la boulangerie (démo)", crafts,
                   "Vous nous avez laissé vos coordonnées au salon de la boulangerie.")  # fmt: skip
    banks = _prospects(directory, "banks", 600, 0, manager, begin)
    bakeries = _prospects(members, "bakeries", 400, 1, manager, begin)
    # All is one transaction, whose rows no autovacuum sees: without this the planner may take its tables for empty.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE crm_prospect, crm_prospectnumber, campaigns_listentry")
    for slug, prospects in (
        (AUTUMN, banks[:400]),
        (WINTER, banks[300:]),
        (TREASURY, banks[60:210]),
        (BAKERS, bakeries),
    ):
        add_prospects(campaign=campaigns[slug], prospects=prospects, by=manager, at=begin)
    Past(users=users, campaigns=campaigns, fair=fair, at=at).play()
    return True


def _team(users: dict[str, User], at: datetime) -> None:
    """Put the two agents into a team that the supervisor looks after, who is reached at an extension."""
    team = create_team(name="Équipe Loire", supervisors=[users["supervisor"]], by=users["manager"], at=at)
    for name, extension in (("agent", "31"), ("agent2", "32")):
        users[name].team, users[name].extension = team, extension
        users[name].save(update_fields=["team", "extension"])
    users["supervisor"].extension = "21"
    users["supervisor"].save(update_fields=["extension"])


def _campaigns(finance: Sponsor, crafts: Sponsor, manager: User, at: datetime) -> dict[str, Campaign]:
    """Make the programmes with their criteria, and the campaigns, started; returns them by slug."""
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
    made = (
        _campaign(survey, AUTUMN, "Banques, vague d'automne", Purpose.SURVEY),
        _campaign(survey, WINTER, "Banques, vague d'hiver", Purpose.SURVEY),
        _campaign(meetings, TREASURY, "Trésorerie des agences", Purpose.APPOINTMENT),
        _campaign(training, BAKERS, "Boulangers d'Orléans et d'ailleurs", Purpose.INFORMATION),
    )
    for campaign in made:
        save_follow_up_template(campaign=campaign, data=FOLLOW_UP, by=manager, at=at)
    return {
        campaign.slug: start_campaign(campaign=campaign, by=manager, at=at, reason="Liste prête.")
        for campaign in made
    }


def _user(login: DemoLogin, password: str) -> User:
    user = User.objects.filter(username__iexact=login.username).first()
    if user is None:
        return User.objects.create(
            username=login.username, password=password, role=login.role, first_name=login.first_name,
            last_name=login.last_name, languages=list(login.languages),
        )  # fmt: skip
    if user.role != login.role:
        raise CommandError(
            f"{login.username} is somebody's login here, with another role: the demo was not loaded."
        )
    return user


def _programme(sponsor: Sponsor, name: str, subject: str) -> Programme:
    return Programme.objects.create(sponsor=sponsor, name=name, subject=subject)


def _criterion(
    programme: Programme, by: User, at: datetime, field: str, operator: str, value: Any, question: str, expected: str,
    *, blocking: bool = True,
) -> None:  # fmt: skip
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
    # No window and no cap, and shown as such: the demo can be called at any hour.
    return Campaign.objects.create(
        programme=programme,
        slug=slug,
        name=name,
        purpose=purpose,
        calling_rule="none",
        status=CampaignStatus.DRAFT,
        **MANDATE,
    )


def _source(slug: str, name: str, sponsor: Sponsor | None, spoken: str) -> Source:
    defaults = {"name": name, "sponsor": sponsor, "spoken_origin": spoken}
    return Source.objects.get_or_create(slug=slug, defaults=defaults)[0]


def _prospects(source: Source, trade: str, count: int, block: int, by: User, at: datetime) -> list[int]:
    """Create the records of a demo list; returns their ids, in order."""
    missing = list(demo_prospects(trade, count=count, block=block))
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
