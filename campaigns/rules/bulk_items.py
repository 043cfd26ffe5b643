"""An item of a bulk request becomes a record by the rules of a row of a file; what no file can get wrong, such as the
type of a value, has its message here. Pure.

A field that is absent says nothing. One that is null or "" says that the supplier has none (an import's `clear`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from campaigns.rules.mapping import ATTRIBUTE_PREFIX, is_damaged_id
from campaigns.rules.record_phones import Refusals, region_of, settle_numbers, take_phone
from campaigns.rules.records import COLUMN_LENGTHS, MAX_EXTERNAL_ID, Recipe, Record, RowReader, clean
from crm.enums import Channel, ProspectKind
from crm.rules.phones import time_zone_for
from crm.rules.time_zones import is_time_zone

#: What an item may hold. The last ones are those of an answer that is sent back: they are not read.
IDENTITY = ("source", "external_id")
FIELDS = frozenset(
    (
        *IDENTITY, *COLUMN_LENGTHS, "preferred_channel", "confidential", "attributes", "phones", "region", "opt_out",
        "version", "id", "created_at", "updated_at", "erased_at",
    )
)  # fmt: skip
PHONE_FIELDS = frozenset(("number", "region", "extension", "note", "raw", "kind", "validity"))

MAX_TEXT = 2_000
MAX_PHONES = 20
MAX_ATTRIBUTES = 200
MAX_ATTRIBUTE_NAME = 100
MAX_PHONE_TEXTS = {"number": 200, "extension": 20, "note": 200}
MAX_VERSION = 2**31 - 1
MAX_REFERENCE = 80

#: The reason of an item that holds a wrong value; the messages are beside it.
REFUSED = "refused"

UNKNOWN = _("Champ inconnu.")
NOT_TEXT = _("Un texte est attendu.")
TOO_LONG = _("Au plus %(count)d caractères.")
WHOSE_OPT_OUT = _("Ce fournisseur est commun : dites dans `sponsor` pour qui ne plus appeler.")
_REGION = re.compile(r"[A-Z]{2}", re.ASCII)
_CODES = {"kind": frozenset(ProspectKind.values), "preferred_channel": frozenset(Channel.values)}
#: Columns that are worked out when they are blank.
_WORKED_OUT = ("time_zone",)


class ItemRecord(Record):
    """A record whose attributes keep their JSON type, under any name."""

    __slots__ = ("typed",)

    def __init__(self, line: int) -> None:
        """Begin one; `line` is the index of its item."""
        super().__init__(line, ())
        self.typed: dict[str, Any] = {}

    def attributes_json(self) -> str:
        """The attributes as a JSON object."""
        return json.dumps(self.attributes | self.typed) if self.attributes else "{}"

    def digests_json(self) -> str:
        """As a row of a file tells it (`Record.digests_json`)."""
        found = dict.fromkeys(self.cleared, 0)
        told = [(name, value) for name, value in self.columns.items() if name not in self.assumed]
        told += [(ATTRIBUTE_PREFIX + name, value) for name, value in self.attributes.items()]
        told.append(("phones", "|".join([number.number for number in self.numbers])))
        found |= {name: crc32(value.encode()) or 1 for name, value in told if value}
        return json.dumps(found)


@dataclass(slots=True)
class Item:
    """An item that was read. `errors` by field: with any, nothing of it is kept but its "do not call"; `warnings` tell
    of numbers that were left out. `external_id` is what was sent where that is a text; `source` an id or a slug."""

    index: int
    record: ItemRecord
    external_id: str | None = None
    source: int | str | None = None
    version: int | None = None
    errors: dict[str, list[Any]] = field(default_factory=dict)
    warnings: dict[str, list[Any]] = field(default_factory=dict)
    #: For whom its "do not call" holds, an id; whoever knows the sources fills it in.
    sponsor: int | None = None

    @property
    def is_identified(self) -> bool:
        """Whether it says whom it is about, whatever else is wrong with it."""
        return self.source is not None and self.record.external_id != ""

    def refuse(self, name: str, message: Any) -> None:
        """Note what is wrong with a field."""
        self.errors.setdefault(name, []).append(message)


@dataclass(frozen=True, slots=True)
class Known:
    """Where the record is that an item means: what the item does not tell of it."""

    postal_code: str = ""
    country: str = ""
    number: str = ""


def lacks_a_place(raw: Mapping[str, Any]) -> bool:
    """Whether the place or the number of the record that is meant counts for the time zone, or for how national numbers
    are read."""
    return "postal_code" not in raw or "country" not in raw or not raw.get("phones")


class ItemReader:
    """Reads the items of one request; national numbers are of `region` unless an item or a phone says otherwise."""

    def __init__(self, region: str) -> None:
        """Start with nothing."""
        self._region = region
        self._readers: dict[tuple[Any, ...], RowReader] = {}

    def identify(self, index: int, raw: Any) -> Item:
        """Begin to read an item: whom it is about. Never raises: what is wrong has its message."""
        item = Item(index, ItemRecord(index))
        if isinstance(raw, dict):
            _take_identity(item, raw)
        return item

    def read(self, item: Item, raw: Any, known: Known | None) -> None:
        """Read the rest of an item; `known` is its record, if there is one. Never raises."""
        if not isinstance(raw, dict):
            item.refuse("__all__", _("Un objet JSON est attendu."))
            return
        if unknown := raw.keys() - FIELDS:
            for name in sorted(unknown):
                item.refuse(name[:60], UNKNOWN)
        region = _region_of(item, "region", raw.get("region"), self._region)
        names, values = _columns(item, raw)
        self._fill(item, names, values, _attributes(item, raw.get("attributes")), region)
        if known:
            _take_place(item, names, known)
        _take_flags(item, raw)
        _take_phones(item, raw.get("phones"), region)
        _settle_zone(item, names, raw.get("time_zone"), known.number if known else "")
        if item.errors:
            item.record.reason = REFUSED

    def _fill(
        self, item: Item, names: list[str], values: list[str], attributes: dict[str, str], region: str
    ) -> None:
        targets = (*names, *(ATTRIBUTE_PREFIX + name for name in attributes))
        reader = self._readers.get((targets, region))
        if reader is None:
            recipe = Recipe(targets, targets, region, "clear")
            reader = self._readers[targets, region] = RowReader(recipe)
        item.record.cells = (*values, *attributes.values())
        reader.read_fields(item.record)
        item.record.cleared = tuple(name for name in item.record.cleared if name not in _WORKED_OUT)
        # What was not kept as it came, such as a country that nobody knows, is a text among the attributes.
        typed = item.record.typed
        item.record.typed = {name: typed[name] for name in typed if name in item.record.attributes}


def _take_identity(item: Item, raw: Mapping[str, Any]) -> None:
    source, external_id = raw.get("source"), raw.get("external_id")
    if isinstance(source, bool) or not isinstance(source, int | str) or len(str(source)) > MAX_REFERENCE:
        item.refuse("source", _("L'identifiant ou le nom court d'un fournisseur."))
    else:
        item.source = source
    if external_id is None or external_id == "":
        item.refuse("external_id", _("Obligatoire : sans lui, une demande répétée ferait des doublons."))
        return
    if not isinstance(external_id, str):
        item.refuse("external_id", NOT_TEXT)
        return
    item.external_id = external_id[:MAX_EXTERNAL_ID]
    kept = clean(external_id)
    if not kept:
        item.refuse("external_id", _("Obligatoire : sans lui, une demande répétée ferait des doublons."))
    elif len(kept) > MAX_EXTERNAL_ID:
        item.refuse("external_id", TOO_LONG % {"count": MAX_EXTERNAL_ID})
    elif not kept.isdecimal() and is_damaged_id(kept):
        item.refuse("external_id", _("Cet identifiant a été arrondi par un tableur."))
    else:
        item.record.external_id = kept


def _columns(item: Item, raw: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The columns that the item names and may fill, with their texts, "" for none."""
    names, values = [], []
    for name in COLUMN_LENGTHS:
        if name not in raw:
            continue
        value = _text(item, name, raw[name], MAX_TEXT)
        if value is not None:
            names.append(name)
            values.append(value)
    return names, values


def _text(item: Item, name: str, value: Any, length: int) -> str | None:
    """The text of a field, "" for null; None where it is refused."""
    if value is None:
        return ""
    if not isinstance(value, str):
        item.refuse(name, NOT_TEXT)
    elif len(value) > length:
        item.refuse(name, TOO_LONG % {"count": length})
    elif name in _CODES and value and value not in _CODES[name]:
        item.refuse(name, _("Valeur inconnue : %(value)s.") % {"value": value[:40]})
    elif name == "email" and value.strip() and not _is_email(value.strip()):
        item.refuse(name, _("Ce n'est pas une adresse e-mail."))
    else:
        return value
    return None


#: What nearly all addresses look like; Django's own rule, which is asked of the others, takes forty times as long.
_PLAIN_EMAIL = re.compile(
    r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9]{1,60}\.)+[a-z]{2,20}", re.ASCII | re.IGNORECASE
)


def _is_email(value: str) -> bool:
    if len(value) < 250 and _PLAIN_EMAIL.fullmatch(value):
        return True
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True


def _attributes(item: Item, value: Any) -> dict[str, str]:
    """The free fields as texts, "" for null; their JSON values are kept with the record."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        item.refuse("attributes", _("Un objet JSON est attendu."))
        return {}
    if len(value) > MAX_ATTRIBUTES:
        item.refuse("attributes", _("Au plus %(count)d champs.") % {"count": MAX_ATTRIBUTES})
        return {}
    found = {}
    for key, given in value.items():
        name, field_name = clean(key), f"attributes.{key[:60]}"
        if not name or len(name) > MAX_ATTRIBUTE_NAME:
            item.refuse(field_name, _("Un nom de 1 à 100 caractères est attendu."))
        elif given is None or isinstance(given, str):
            text = given or ""
            if len(text) > MAX_TEXT:
                item.refuse(field_name, TOO_LONG % {"count": MAX_TEXT})
            found[name] = text
        elif isinstance(given, int | float) and len(text := json.dumps(given)) <= MAX_TEXT:
            found[name], item.record.typed[name] = text, given
        else:
            item.refuse(field_name, _("Un texte, un nombre ou vrai/faux est attendu."))
    return found


def _take_place(item: Item, names: Sequence[str], known: Known) -> None:
    """Take what the item does not tell of the place from its record: for reading, no reason to change anything."""
    columns = item.record.columns
    for name, value in (("postal_code", known.postal_code), ("country", known.country)):
        if name not in names and value:
            columns[name] = value
            item.record.assumed.add(name)


def _take_flags(item: Item, raw: Mapping[str, Any]) -> None:
    """What a file does not tell: the preferred channel, whether the record is confidential, "do not call" as a truth
    value, the version that is expected."""
    record = item.record
    if "preferred_channel" in raw:
        channel = _text(item, "preferred_channel", raw["preferred_channel"], MAX_TEXT)
        if channel:
            record.columns["preferred_channel"] = channel
        elif channel == "":
            record.cleared += ("preferred_channel",)
    if (confidential := _truth(item, "confidential", raw.get("confidential"))) is not None:
        record.columns["confidential"] = "t" if confidential else "f"
    record.opt_out = bool(_truth(item, "opt_out", raw.get("opt_out")))
    if record.opt_out and item.sponsor is None:
        record.opt_out = False
        if item.source is not None:
            item.refuse("opt_out", WHOSE_OPT_OUT)
    version = raw.get("version")
    if version is None:
        return
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= MAX_VERSION:
        item.refuse("version", _("Un numéro de version est attendu."))
    else:
        item.version = version


def _truth(item: Item, name: str, value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    item.refuse(name, _("Vrai ou faux."))
    return None


def _region_of(item: Item, name: str, value: Any, default: str) -> str:
    if value is None or value == "":
        return default
    if isinstance(value, str) and _REGION.fullmatch(value):
        return value
    item.refuse(name, _("Un code de pays de deux lettres capitales est attendu."))
    return default


def _take_phones(item: Item, phones: Any, region: str) -> None:
    """Read the numbers, if any are told. Those that cannot be used are left out with a warning, unless none can."""
    if not phones and (phones is None or isinstance(phones, list)):
        return
    if not isinstance(phones, list) or len(phones) > MAX_PHONES:
        item.refuse(
            "phones", _("Une liste d'au plus %(count)d numéros est attendue.") % {"count": MAX_PHONES}
        )
        return
    record, refusals = item.record, Refusals()
    own = region_of(record, region)
    filled = []
    for place, phone in enumerate(phones):
        texts = _phone_texts(item, f"phones.{place}", phone)
        if texts is None:
            continue
        header = f"phones.{place}.number"
        filled.append((header, texts["number"]))
        _take_phone(item, refusals, header, texts, own)
    if filled:
        settle_numbers(record, filled, refusals, own)
    if record.reason:
        item.refuse(record.column or "phones", REASONS[record.reason])
        item.warnings.clear()


def _take_phone(item: Item, refusals: Refusals, header: str, texts: Mapping[str, str], own: str) -> None:
    record = item.record
    before = len(record.numbers)
    region = own if texts["region"] in ("", "FR") else texts["region"]
    reason = take_phone(record, refusals, header, texts["number"], region)
    if reason:
        item.warnings[header] = [REASONS[reason]]
    if texts["extension"] or texts["note"]:
        record.numbers[before:] = [
            number._replace(
                extension=texts["extension"] or number.extension, note=texts["note"] or number.note
            )
            for number in record.numbers[before:]
        ]


def _phone_texts(item: Item, name: str, phone: Any) -> dict[str, str] | None:
    """The texts of a phone, "" for those that are not told; None where one is refused."""
    if not isinstance(phone, dict):
        item.refuse(name, _("Un objet JSON est attendu."))
        return None
    for unknown in sorted(phone.keys() - PHONE_FIELDS):
        item.refuse(f"{name}.{unknown[:60]}", UNKNOWN)
    texts = {"region": _region_of(item, f"{name}.region", phone.get("region"), "")}
    for part, length in MAX_PHONE_TEXTS.items():
        text = _text(item, f"{name}.{part}", phone.get(part), length)
        if text is None:
            return None
        texts[part] = clean(text) if part != "number" else text
    return texts


def _settle_zone(item: Item, names: Sequence[str], told: Any, number: str) -> None:
    """The time zone that is told; else the one of the numbers; without any, that of the place and of the `number` of
    its record. An item that tells neither number nor place has one for a new record only."""
    record = item.record
    if isinstance(told, str) and told.strip():
        if not is_time_zone(told.strip()):
            item.refuse("time_zone", _("Ce fuseau horaire n'existe pas."))
        record.columns["time_zone"] = told.strip()
    elif not record.numbers:
        postal_code, country = record.columns.get("postal_code", ""), record.columns["country"]
        record.columns["time_zone"] = time_zone_for(number, postal_code, country)
        if "postal_code" not in names and "country" not in names:
            record.assumed.add("time_zone")


#: Why a number is not taken.
REASONS: dict[str, Any] = {
    "no_number": _("Aucun numéro de téléphone."),
    "invalid_number": _("Ce numéro n'existe pas dans le plan de numérotation."),
    "short_number": _("Numéro court ou d'urgence : il n'appartient pas à une fiche."),
    "premium_number": _("Numéro surtaxé : il n'est jamais composé."),
    "fax_only": _("Il n'y a qu'un numéro de fax."),
    "damaged_by_spreadsheet": _("Un tableur a arrondi ce numéro : des chiffres sont perdus."),
}
