"""The demo's people and places, as data: invented names, fictitious numbers, and the dirt of real lists."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

#: The blocks that the French numbering plan reserves for fiction, as E.164 prefixes before four digits.
BLOCKS = ("+3319900", "+3326191", "+3335301", "+3346571", "+3353649")

#: First names with how their bearers are addressed.
FIRST_NAMES = (
    ("Camille", "Mme"),
    ("Noé", "M."),
    ("Zoé", "Mme"),
    ("Inès", "Mme"),
    ("Léa", "Mme"),
    ("Maël", "M."),
    ("Hélène", "Mme"),
    ("Benoît", "M."),
    ("Aïcha", "Mme"),
    ("Chloé", "Mme"),
    ("Rémi", "M."),
    ("Gaëlle", "Mme"),
)
LAST_NAMES = (
    "Lefèvre",
    "Garnier",
    "Çelik",
    "Nuñez",
    "Perrin",
    "Bénard",
    "Fournier",
    "Le Goff",
    "Traoré",
    "Weiß",
)
JOBS = ("Directrice d'agence", "Responsable clientèle", "Gérant", "Comptable", "Accueil", "Associée")
TOWNS = (
    ("45000", "Orléans"),
    ("35000", "Rennes"),
    ("57000", "Metz"),
    ("13002", "Marseille"),
    ("59800", "Lille"),
    ("31000", "Toulouse"),
    ("44000", "Nantes"),
    ("69003", "Lyon"),
)
STREETS = (
    "rue des Tanneurs",
    "place du Marché",
    "avenue de la Gare",
    "quai de l'Écluse",
    "rue Haute",
    "cours Foch",
)

BANKS = (
    "Banque de l'Étoile",
    "Crédit des Deux Rives",
    "Caisse du Val d'Orge",
    "Banque Saint-Éloi",
    "Crédit Mutin",
)
BAKERIES = (
    "Boulangerie du Pont",
    "Le Pain d'Antan",
    "Fournil Sainte-Odile",
    "Aux Trois Épis",
    "La Mie Câline d'à côté",
)
OTHERS = (
    ("Garage Noël", "45.20A"),
    ("Pharmacie du Lac", "47.73Z"),
    ("Cabinet Œillet", "69.10Z"),
    ("Fleurs & Co", "47.76Z"),
)

#: NAF codes: monetary intermediation and bread-making.
NAF_BANK = "64.19Z"
NAF_BAKERY = "10.71C"


@dataclass(frozen=True, slots=True)
class DemoProspect:
    """One invented record: its columns, and its E.164 numbers."""

    external_id: str
    fields: dict[str, str]
    numbers: tuple[str, ...]
    attributes: dict[str, str] = field(default_factory=dict)


def _number(block: int, serial: int) -> str:
    return f"{BLOCKS[block]}{serial:04d}"


def demo_prospects(trade: str, *, count: int, block: int) -> Iterator[DemoProspect]:
    """Yield `count` records of a list bought as "banks" or "bakeries", always the same ones.

    Six in ten are what they should be, one in six is plainly something else, the rest have no sector: those
    are the ones that only a call can tell. Some lie: filed as banks, but a bakery answers. Every twentieth
    shares the switchboard of the one before.
    """
    rng = random.Random(f"{trade}/{count}/{block}")
    names, naf = (BANKS, NAF_BANK) if trade == "banks" else (BAKERIES, NAF_BAKERY)
    for serial in range(count):
        draw = rng.random()
        organisation, sector = rng.choice(names), naf
        if draw > 0.83:
            organisation, sector = rng.choice(OTHERS)
        elif draw > 0.6:
            sector = ""
        postal_code, city = rng.choice(TOWNS)
        shared = serial % 20 == 19
        numbers = [_number(block, serial - 1 if shared else serial)]
        if serial % 7 == 3:
            numbers.append(_number(block, 9_000 + serial))
        first_name, civility = rng.choice(FIRST_NAMES)
        yield DemoProspect(
            external_id=f"{trade}-{serial:05d}",
            fields={
                "organisation": f"{organisation} {city}" if rng.random() < 0.7 else organisation,
                "civility": civility if rng.random() < 0.7 else "",
                "first_name": first_name,
                "last_name": rng.choice(LAST_NAMES),
                "job_title": rng.choice(JOBS),
                "sector": sector,
                "address": f"{rng.randint(1, 180)} {rng.choice(STREETS)}",
                "postal_code": postal_code,
                "city": city,
                "language": rng.choices(("", "fr", "en"), (80, 17, 3))[0],
            },
            numbers=tuple(numbers),
            attributes={"effectif": str(rng.randint(1, 250))},
        )
