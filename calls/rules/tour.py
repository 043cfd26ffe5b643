"""The tour of the demo as data: who does what, what to press and what to look for. Pure."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class TourStep:
    """A step: its code (also its picture's), the login of the demo that takes it, its sentences, its link's words."""

    code: str
    login: str
    title: Any
    do: Any
    look: Any
    link: Any


STEPS = (
    TourStep(
        "call",
        "agent",
        _("Appeler"),
        _("Au poste, appuyez sur Espace : une fiche vient. Entrée appelle. Quand l'accueil est dit, Espace."),
        _(
            "Une seule chose à faire à la fois, toujours au même endroit, sa touche à côté. Ce qui se dit à voix haute"
            " est en grand, et rien d'autre n'a ce style."
        ),
        _("Ouvrir le poste"),
    ),
    TourStep(
        "wrong",
        "agent",
        _("Ce n'est pas la bonne entreprise"),
        _(
            "« Boulangerie Martin, bonjour ! » À la question, appuyez sur 2, écrivez ce que vous entendez, Entrée."
        ),
        _(
            "L'écran passe aussitôt à la clôture. Le motif reste écrit : ce qui a été entendu, ce qui était attendu."
            " À cet instant, la fiche est hors-critères pour toute la démarche."
        ),
        _("Ouvrir le poste"),
    ),
    TourStep(
        "close",
        "agent",
        _("Bien quitter la personne"),
        _("Lisez chaque phrase, puis Espace : excuses, remerciement, au revoir. Ensuite, attendez."),
        _(
            "Aucun bouton ne raccroche : c'est la personne qui raccroche. L'appel s'enregistre ensuite en une phrase."
        ),
        _("Ouvrir le poste"),
    ),
    TourStep(
        "refused",
        "agent",
        _("La rappeler : refusé"),
        _("Revenez au poste (D) et tapez le même numéro dans l'appel manuel."),
        _(
            "Le refus et sa raison. Une autre liste, un nouvel import ou l'API reçoivent la même réponse : c'est la"
            " base de données qui refuse."
        ),
        _("Ouvrir le poste"),
    ),
    TourStep(
        "sorry",
        "agent",
        _("S'excuser d'un dérangement passé"),
        _("Au poste, choisissez la campagne de trésorerie, puis Espace."),
        _(
            "La première personne avait été appelée par erreur pour l'enquête. Pour cette autre démarche on peut"
            " l'appeler, mais les excuses viennent d'abord."
        ),
        _("Ouvrir la trésorerie"),
    ),
    TourStep(
        "seen",
        "manager",
        _("Le responsable le voit"),
        _("Ouvrez la vague d'automne, suivez un nombre jusqu'à ses fiches, puis une fiche hors-critères."),
        _(
            "Chaque nombre mène à ses fiches. Chaque fiche dit pourquoi elle ne s'appelle plus, qui l'a su et quand."
        ),
        _("Ouvrir la campagne"),
    ),
    TourStep(
        "decide",
        "supervisor",
        _("Le superviseur tranche"),
        _("Ouvrez une question qui attend, lisez l'appel, décidez d'une touche et dites pourquoi."),
        _(
            "La décision et sa raison entrent dans l'histoire de la fiche : rien ne s'efface, tout se corrige."
        ),
        _("Ouvrir ce qui attend"),
    ),
)
