"""The demo's logins, as data: what the sign-in page offers on one's own desk. Pure."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from crm.enums import Role

#: The password of every user of the demo in development. No production has users with it: see `manage.py demo`.
DEMO_PASSWORD = "demo"


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """A person of the demo: login, role, name, languages, and one sentence saying what they do and what to try."""

    username: str
    role: Role
    first_name: str
    last_name: str
    languages: tuple[str, ...]
    sentence: Any


DEMO_LOGINS = (
    DemoLogin(
        "agent",
        Role.AGENT,
        "Alex",
        "Moreau",
        ("fr", "en"),
        _("Alex appelle, cinquante fois par jour. Essayez : Espace, Entrée, puis « non » au critère."),
    ),
    DemoLogin(
        "agent2",
        Role.AGENT,
        "Sacha",
        "Petit",
        ("fr",),
        _("Sacha appelle aussi. Essayez en même temps qu'Alex : jamais la même fiche."),
    ),
    DemoLogin(
        "supervisor",
        Role.SUPERVISOR,
        "Dominique",
        "Roux",
        ("fr", "en"),
        _("Dominique aide et décide. Essayez : les questions qui attendent, une touche pour chacune."),
    ),
    DemoLogin(
        "manager",
        Role.MANAGER,
        "Camille",
        "Girard",
        ("fr",),
        _("Camille prépare listes, critères et phrases. Essayez : la vague d'automne et son entonnoir."),
    ),
)
