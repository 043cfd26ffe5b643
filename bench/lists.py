"""Lists as suppliers send them: twelve columns, cp1252, semicolons, numbers spelt and damaged in all the usual ways.

Numbers are made up, a firm's own each, in 01 99 and 06 99; none is dialled.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

HEADER = "SIRET;Raison sociale;Enseigne;NAF;Adresse;CP;Ville;Téléphone;Portable;E-mail;Ne pas appeler;Dernier contact"


def _pair(digits: str) -> list[str]:
    return [digits[at : at + 2] for at in range(0, 10, 2)]


#: How a number is written, and in how many cells of a thousand: as in a real list.
SPELLINGS: tuple[tuple[int, Callable[[str], str]], ...] = (
    (250, lambda digits: digits),
    (180, lambda digits: " ".join(_pair(digits))),
    (112, lambda digits: ""),
    (57, lambda digits: "+33" + digits[1:]),
    (54, lambda digits: ".".join(_pair(digits))),
    (35, lambda digits: " ".join(_pair(digits)) + "/" + " ".join(_pair(digits[:-2] + "77"))),
    (32, lambda digits: "+33 " + " ".join(_pair(digits))[1:]),
    (31, lambda digits: digits[1:]),
    (28, lambda digits: "voir site"),
    (27, lambda digits: "+33 (0)" + " ".join(_pair(digits))[1:]),
    (26, lambda digits: "33" + digits[1:]),
    (21, lambda digits: "-".join(_pair(digits))),
    (20, lambda digits: "0033" + digits[1:]),
    (14, lambda digits: f"  {' '.join(_pair(digits))} "),
    (12, lambda digits: "\u00a0".join(_pair(digits))),
    (8, lambda digits: f"({digits[:2]}) {' '.join(_pair(digits)[1:])}"),
    (8, lambda digits: "Tél. : " + " ".join(_pair(digits))),
    (8, lambda digits: " ".join(_pair(digits)) + " poste 765"),
    (8, lambda digits: "O" + " ".join(_pair(digits))[1:]),
    (6, lambda digits: "/".join(_pair(digits))),
)
SECTORS = ("6419Z", "64.19Z", "1071C", "8559A", "7112B", "4772A", "6622z", "9609Z")
STREETS = (
    "RUE DE LA RÉPUBLIQUE",
    "AVENUE LECLERC",
    "PLACE SAINT-LOUIS",
    "CHEMIN DES PRÉS",
    "BOULEVARD POINCARÉ",
)
NAMES = (
    "GARAGE NOËL",
    "BOULANGERIE ZOÉ",
    "SARL DUPONT & FILS",
    "CRÉDIT DE L’EST",
    "INSTITUT DE FORMATION",
    "CLINIQUE",
)
CITIES = (
    ("57000", "METZ"),
    ("54000", "NANCY"),
    ("67000", "STRASBOURG"),
    ("75011", "PARIS"),
    ("1000", "BOURG-EN-BRESSE"),
)
OPT_OUTS = (("", 455), ("Oui", 97), ("1", 96), ("non", 91), ("X", 90), ("N", 89), ("oui", 82))


def write_list(path: Path, rows: int, seed: int = 1) -> None:
    """Write a list of so many rows, two in a hundred of them repeated."""
    with path.open("w", encoding="cp1252", newline="") as file:
        file.write(HEADER + "\r\n")
        file.writelines(_rows(rows, random.Random(seed)))


def _rows(count: int, chance: random.Random) -> Iterator[str]:
    weights, spellings = zip(*SPELLINGS, strict=True)
    answers, shares = zip(*OPT_OUTS, strict=True)
    for number in range(count):
        if number % 50 == 49:
            number -= 25
        digits = f"0199{number % 1_000_000:06d}"
        spelling = chance.choices(spellings, weights)[0]
        postal_code, city = chance.choice(CITIES)
        cells = (
            f"{10**13 + number * 7}",
            f"{chance.choice(NAMES)} {number}",
            "ENSEIGNE" if chance.random() < 0.28 else "",
            chance.choice(SECTORS),
            f"{number % 200 + 1} {chance.choice(STREETS)}",
            postal_code,
            city,
            spelling(digits),
            "06 99 " + " ".join(_pair(f"0000{number % 1_000_000:06d}")[2:]) if chance.random() < 0.2 else "",
            f"contact{number}@exemple.fr" if chance.random() < 0.3 else "",
            chance.choices(answers, shares)[0],
            "02/05/2023" if chance.random() < 0.48 else "",
        )
        yield ";".join(cells) + "\r\n"
