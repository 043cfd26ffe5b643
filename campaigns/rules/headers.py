"""The vocabulary of column headers, French and English, and what tells a header from a value."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

#: Fields of a prospect that a column may fill. `attributes.<slug>` and `ignore` come on top.
TARGETS = (
    "external_id",
    "kind",
    "civility",
    "first_name",
    "last_name",
    "organisation",
    "job_title",
    "sector",
    "email",
    "address",
    "postal_code",
    "city",
    "country",
    "language",
    "phone",
    "opt_out",
    "note",
)

# Most usual names first: where two columns claim one field, the earlier synonym wins.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "external_id": (
        "external id",
        "identifiant externe",
        "identifiant de l etablissement",
        "identifiant etablissement",
        "siret",
        "numero siret",
        "no siret",
        "siren siret",
        "identifiant",
        "identifier",
        "id externe",
        "id client",
        "client id",
        "customer id",
        "code client",
        "numero client",
        "no client",
        "ref client",
        "reference client",
        "reference",
        "ref",
        "id fiche",
        "id prospect",
        "prospect id",
        "lead id",
        "vendor lead code",
        "record id",
        "contact id",
        "uai",
        "code uai",
        "numero uai",
        "finess",
        "nofinesset",
        "numero finess",
        "organisation id",
        "organisationid",
        "organisationcode",
        "provider id",
        "facility id",
        "matricule",
        "uuid",
        "id",
        "siren",
    ),
    "kind": (
        "kind",
        "genre de fiche",
        "type de fiche",
        "type fiche",
        "type de contact",
        "personne organisation",
    ),
    "civility": (
        "civilite",
        "civ",
        "civility",
        "titre de civilite",
        "salutation",
        "title",
        "titre",
        "mr mme",
    ),
    "first_name": (
        "prenom",
        "prenoms",
        "first name",
        "firstname",
        "given name",
        "prenom contact",
        "prenom du contact",
        "forename",
    ),
    "last_name": (
        "nom de famille",
        "last name",
        "lastname",
        "surname",
        "family name",
        "nom contact",
        "nom du contact",
        "nom usage",
        "nom d usage",
        "patronyme",
        "contact",
        "contact name",
        "interlocuteur",
        "dirigeant",
        "nom prenom",
        "nom et prenom",
        "full name",
    ),
    "organisation": (
        "raison sociale",
        "organisation",
        "organization",
        "organisme",
        "societe",
        "entreprise",
        "denomination",
        "denomination sociale",
        "denomination usuelle",
        "nom etablissement",
        "nom de l etablissement",
        "etablissement",
        "nom entreprise",
        "nom de l entreprise",
        "nom societe",
        "nom de la societe",
        "company",
        "company name",
        "organisation name",
        "organisationname",
        "organization name",
        "hospital name",
        "facility name",
        "business name",
        "account name",
        "compte",
        "structure",
        "association",
        # The long form of a name is often left empty; the short one never is.
        "rs",
        "rslongue",
        "rs longue",
        "nom commercial",
        "enseigne",
    ),
    "job_title": (
        "fonction",
        "poste occupe",
        "job title",
        "jobtitle",
        "position",
        "qualite",
        "role",
        "metier",
        "profession",
    ),
    "sector": (
        "naf",
        "code naf",
        "code ape",
        "ape",
        "code naf ape",
        "naf ape",
        "codeape",
        "secteur",
        "code secteur",
        "secteur d activite",
        "activite",
        "activite principale",
        "code activite",
        "sector",
        "industry",
        "sic",
        "sic code",
        "nace",
        "code nace",
    ),
    "email": (
        "email",
        "e mail",
        "mail",
        "courriel",
        "adresse email",
        "adresse e mail",
        "adresse mail",
        "adresse electronique",
        "email address",
        "mel",
    ),
    "address": (
        "adresse",
        "adresse 1",
        "adresse1",
        "adresse postale",
        "adresse complete",
        "rue",
        "voie",
        "address",
        "address 1",
        "address1",
        "address line 1",
        "street",
        "street address",
        "ligne d adresse 1",
    ),
    "postal_code": (
        "code postal",
        "cp",
        "codepostal",
        "code postale",
        "postal code",
        "postcode",
        "post code",
        "zip",
        "zip code",
        "zipcode",
        "npa",
        "plz",
    ),
    "city": (
        "ville",
        "commune",
        "nom commune",
        "nom de la commune",
        "localite",
        "city",
        "town",
        "libelle commune",
        "bureau distributeur",
    ),
    "country": ("pays", "code pays", "country", "country code", "countrycode"),
    "language": ("langue", "language", "lang", "langue parlee", "langue preferee", "preferred language"),
    "phone": (
        "telephone",
        "tel",
        "numero de telephone",
        "numero telephone",
        "no telephone",
        "no de telephone",
        "no tel",
        "n tel",
        "num tel",
        "numero tel",
        "tel fixe",
        "telephone fixe",
        "fixe",
        "ligne directe",
        "tel direct",
        "standard",
        "tel standard",
        "telephone standard",
        "tel portable",
        "telephone portable",
        "portable",
        "mobile",
        "tel mobile",
        "telephone mobile",
        "gsm",
        "tel pro",
        "telephone professionnel",
        "tel bureau",
        "telephone bureau",
        "tel domicile",
        "numero",
        "phone",
        "phone number",
        "phonenumber",
        "phone no",
        "telephone number",
        "tel number",
        "cell",
        "cell phone",
        "mobile phone",
        "work phone",
        "home phone",
        "business phone",
        "alt phone",
        "alternate phone",
        "contact number",
        "autre telephone",
        "autre tel",
    ),
    "opt_out": (
        "ne pas appeler",
        "ne plus appeler",
        "opposition",
        "oppose",
        "opt out",
        "optout",
        "do not call",
        "dnc",
        "do not contact",
        "ne pas contacter",
        "ne plus contacter",
        "ne pas demarcher",
        "liste rouge",
        "blacklist",
        "desinscrit",
        "refus d appel",
        "npa appel",
        "bloctel",
    ),
    "note": (
        "note",
        "notes",
        "remarque",
        "remarques",
        "commentaire",
        "commentaires",
        "observation",
        "observations",
        "comment",
        "comments",
    ),
}

#: Numbers on which nobody answers: such a column is kept as an attribute and never called.
FAX_HEADERS = frozenset(
    (
        "fax",
        "telecopie",
        "telecopieur",
        "numero de fax",
        "numero fax",
        "no fax",
        "tel fax",
        "fax number",
        "n fax",
        "num fax",
    )
)

#: Known columns that fill no field of their own; naming them here keeps the guess from taking them by resemblance.
KNOWN_OTHERS = frozenset(
    (
        "nom",
        "name",
        "libelle naf",
        "libelle ape",
        "libelle activite",
        "dernier contact",
        "date",
        "date de creation",
        "web",
        "site",
        "site web",
        "website",
        "url",
        "adresse 2",
        "adresse 3",
        "address2",
        "address3",
        "county",
        "state",
        "latitude",
        "longitude",
        "departement",
        "region",
        "effectif",
        "ca",
        "chiffre d affaires",
    )
)


@lru_cache(maxsize=5_000)
def fold(header: str) -> str:
    """A header in its comparable form: no accents, no case, single spaces ("Code_Postal" → "code postal")."""
    header = re.sub(r"(?<=[a-zà-ÿ])(?=[A-Z][a-z])", " ", header)
    header = header.replace("œ", "oe").replace("Œ", "OE").replace("n°", "no ").replace("N°", "no ")
    text = unicodedata.normalize("NFKD", header)
    text = "".join(character for character in text if not unicodedata.combining(character)).casefold()
    return re.sub(r"[\W_]+", " ", text).strip()


def field_of(header: str) -> tuple[str, float]:
    """The field that a header names and how sure that is (0 to 1): ("", 0.0) when unknown, ("fax", 1.0) for a fax."""
    name = re.sub(r"(?: \(?\d\)?)$", "", fold(header))
    name = re.sub(r" (?:du|de la|de l|des|client|prospect|the)$", "", name)
    whole = fold(header)
    if whole in FAX_HEADERS or name in FAX_HEADERS or "fax" in whole.split():
        return "fax", 1.0
    for candidate, confidence in ((whole, 1.0), (name, 0.9)):
        for target, synonyms in SYNONYMS.items():
            if candidate in synonyms:
                return target, confidence
    return "", 0.0


def rank_of(header: str, target: str) -> int:
    """How far down its synonyms a header stands, smaller is more usual."""
    whole = fold(header)
    synonyms = SYNONYMS[target]
    return synonyms.index(whole) if whole in synonyms else len(synonyms)


@lru_cache(maxsize=5_000)
def looks_like_header(cell: str) -> bool:
    """Whether a cell is the name of a column as people write it."""
    return len(cell) <= 80 and (bool(field_of(cell)[0]) or fold(cell) in KNOWN_OTHERS)


def looks_like_value(cell: str) -> bool:
    """Whether a cell is data rather than a name: an e-mail, a date, or mostly digits."""
    text = cell.strip()
    if "@" in text or len(text) > 80:
        return True
    digits = sum(map(str.isdigit, text))
    return digits >= 3 and (digits >= len(text) * 0.4 or digits >= 6)
