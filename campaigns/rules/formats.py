"""What a file is before it is a table: the limits that it must keep, the formats that are told from their first
bytes, and why a file is refused."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Literal, cast

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from crm.rules.errors import DomainError

#: How much of a file's start tells its format.
START_BYTES = 8 * 1024

Format = Literal["text", "xlsx", "xls", "ods"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What is taken at most: bytes of a file, data rows, columns, characters of a cell; for workbooks, bytes once
    inflated and how many times their size they may inflate."""

    bytes: int = 1024**3
    rows: int = 2_000_000
    columns: int = 500
    cell: int = 65_536
    inflated_bytes: int = 2 * 1024**3
    inflation: int = 200

    @property
    def line(self) -> int:
        """Bytes of a line, of a record over several lines as well."""
        return max(1024**2, 2 * self.cell)


DEFAULTS = Limits()


class UnreadableFile(DomainError):
    """The file cannot be read as a table. `code` is stable, `message` is a sentence for the person who sent it."""

    def __init__(self, code: str, **facts: str | int) -> None:
        """Take one of the codes of this module, with the facts that its sentence names."""
        self.code = code
        message = format_lazy(cast(str, _MESSAGES[code]), **facts) if facts else _MESSAGES[code]
        super().__init__(message, fields={"file": [message]}, extra={"code": code, **facts})


_MESSAGES: dict[str, Promise] = {
    "empty_file": _("Le fichier est vide : il ne contient aucune ligne."),
    "header_only": _("Le fichier ne contient qu'une ligne d'en-têtes, sans aucune fiche."),
    "too_large": _("Le fichier dépasse {limit} Mo : découpez-le."),
    "too_many_rows": _("Le fichier dépasse {limit} lignes : découpez-le."),
    "too_many_columns": _(
        "Le fichier dépasse {limit} colonnes : gardez celles qui servent, puis renvoyez-le."
    ),
    "workbook": _("Ce fichier est un classeur (Excel ou LibreOffice) : choisissez la feuille à importer."),
    "password": _("Ce classeur est protégé par un mot de passe. Retirez la protection, puis renvoyez-le."),
    "damaged_workbook": _(
        "Ce fichier n'est pas un classeur lisible : il est abîmé, incomplet ou d'un autre genre. Ouvrez-le dans votre "
        "tableur, enregistrez la feuille au format « CSV UTF-8 », puis renvoyez-la."
    ),
    "inflating_workbook": _(
        "Ce classeur se décompresse à une taille anormale. Enregistrez la feuille au format « CSV UTF-8 », puis "
        "renvoyez-la."
    ),
    "entities": _(
        "Ce classeur contient des définitions XML qu'un tableur n'écrit pas. Enregistrez la feuille au format "
        "« CSV UTF-8 », puis renvoyez-la."
    ),
    "workbook_too_large": _(
        "Ce classeur est trop grand, ou une cellule isolée l'étend très loin. Enregistrez la feuille au format "
        "« CSV UTF-8 », puis renvoyez-la."
    ),
    "workbook_too_slow": _(
        "Ce classeur est trop long à lire. Enregistrez la feuille au format « CSV UTF-8 », puis renvoyez-la."
    ),
    "unknown_sheet": _("Le classeur n'a pas de feuille « {sheet} ». Ses feuilles : {names}."),
    "empty_sheet": _("Cette feuille du classeur est vide : choisissez-en une autre."),
    "archive": _(
        "Ce fichier est une archive compressée. Décompressez-la et envoyez le fichier CSV qu'elle contient."
    ),
    "html": _("Ce fichier est une page web (HTML), quel que soit son nom. Exportez-le au format CSV."),
    "vcard": _(
        "Ce fichier est un carnet d'adresses (vCard), fait pour un téléphone. Ouvrez-le dans votre logiciel de "
        "contacts et exportez-le au format CSV : la liste sera lue."
    ),
    "json": _("Ce fichier est au format JSON. Exportez-le au format CSV."),
    "pdf": _("Ce fichier est un PDF. Demandez la liste au format CSV."),
    "binary": _("Ce fichier n'est pas du texte : il ne peut pas être lu comme un CSV."),
}

#: What is said of a file that is read all the same, by code.
REMARKS: dict[str, Promise] = {
    "mixed_encodings": _(
        "Des lignes ne sont pas dans l'encodage du fichier : chacune est lue dans le sien, vérifiez leurs accents."
    ),
    "no_header": _("Le fichier n'a pas de ligne d'en-têtes : sa première ligne est déjà une fiche."),
    "late_header": _(
        "Les en-têtes ne sont pas sur la première ligne : ce qui les précède n'est pas importé."
    ),
    "renamed_headers": _(
        "Des colonnes ont un en-tête vide ou répété : elles ont reçu un nom qui les distingue."
    ),
}

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "pdf"),
    (b"\x1f\x8b", "archive"),
    (b"7z\xbc\xaf", "archive"),
    (b"Rar!", "archive"),
    (b"BZh", "archive"),
    (b"\xfd7zXZ", "archive"),
    (b"\x28\xb5\x2f\xfd", "archive"),
    (b"{\\rtf", "binary"),
    (b"\x89PNG", "binary"),
    (b"\xff\xd8\xff", "binary"),
)
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OLE_START = b"\xd0\xcf\x11\xe0"
# BIFF 2 to 4: sheets of before 1995, without a container.
_BIFF_STARTS = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00")
# What a text may hold below the space: NUL, SOH, tabs, line ends, separators.
_USUAL_CONTROLS = frozenset((0, 1, 9, 10, 11, 12, 13, 30, 31))


def format_of(start: bytes) -> Format:
    """What a file is, from its first `START_BYTES`. Raises `UnreadableFile` when that is neither text nor workbook."""
    if start.startswith(_ZIP_STARTS):
        return _kind_of_archive(start)
    if start.startswith((_OLE_START, *_BIFF_STARTS)):
        return "xls"
    for magic, code in _MAGIC:
        if start.startswith(magic):
            raise UnreadableFile(code)
    _refuse_other_texts(start)
    return "text"


def _kind_of_archive(start: bytes) -> Format:
    if b"mimetypeapplication/vnd.oasis" in start[:200]:
        return "ods"
    if any(mark in start for mark in (b"[Content_Types].xml", b"xl/", b"_rels/", b"docProps/")):
        return "xlsx"
    raise UnreadableFile("archive")


def _refuse_other_texts(start: bytes) -> None:
    text = _as_text(start)
    if text.startswith(("<html", "<!doctype", "<table", "<?xml", "<head", "<body", "<style", "<meta")):
        raise UnreadableFile("html")
    if text.startswith("begin:vcard"):
        raise UnreadableFile("vcard")
    if re.match(r"[\[{]\s*[\[{\"]", text):
        raise UnreadableFile("json")
    odd = sum(byte < 32 and byte not in _USUAL_CONTROLS for byte in start)
    if odd > len(start) * 0.05 and not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableFile("binary")


def _as_text(start: bytes) -> str:
    """The first words in lower case, whatever the encoding: in UTF-16, every other byte is NUL."""
    bare = start[:4096].lstrip(b"\xef\xbb\xbf\xff\xfe\r\n\t \x00").replace(b"\x00", b"")
    return bare.decode("latin-1").lower()
