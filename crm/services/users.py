"""Accounts: taken on, changed, given a password, put out of service and back. Managers within their sponsors, for the
roles they give; nobody their own."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from crm.enums import MANAGING, Role, UserEventKind
from crm.models import ApiToken, Sponsor, User, UserEvent
from crm.rules.errors import Forbidden, Invalid, InvalidTransition
from crm.rules.people import LEGIBLE, MAX_PASTED, PastedPerson, is_language, roles_given_by
from crm.selectors.people import may_change, teams_of, users_of
from crm.selectors.scopes import sees_every_sponsor
from crm.services.hooks import user_leaves

#: What is set for each person by itself, and what a manager sets for an account.
PERSON = ("first_name", "last_name")
WORK = ("role", "languages", "daily_goal", "extension", "team")
MAX_GOAL = 500
TAKEN = _("Cet identifiant est déjà pris.")


@dataclass(frozen=True, slots=True)
class Given:
    """An account with the password that was made for it, whose text is known here alone; empty for a program."""

    user: User
    password: str


class RowsRefused(Invalid):
    """Lines of a pasted list that cannot be taken on. Nobody was: `rows` says which lines and why."""

    default_message = _("Rien n'a été créé : corrigez les lignes signalées.")

    def __init__(self, rows: list[tuple[PastedPerson, Any]]) -> None:
        """Keep the lines with their sentences."""
        self.rows = rows
        super().__init__()


def create_user(
    *, username: str, data: Mapping[str, Any], sponsors: Sequence[Sponsor], by: User, at: datetime
) -> Given:
    """Take somebody on: `data` holds `PERSON` and `WORK` as model values. Returns the account with its first password.

    Raises Forbidden for a role or sponsors that `by` does not give, Invalid for what cannot be right.
    """
    with _readable(), transaction.atomic():
        user = User(username=username.strip(), date_joined=at, must_change_password=True)
        _fill(user, data, by=by)
        _require_sponsors(sponsors, user.role, by)
        return _take_on(user, sponsors, by=by, at=at)


def create_users(
    *,
    people: Sequence[PastedPerson],
    data: Mapping[str, Any],
    sponsors: Sequence[Sponsor],
    by: User,
    at: datetime,
) -> list[Given]:
    """Take several people on alike: `data` holds `WORK`. All or nobody: RowsRefused says what is wrong by line."""
    if not people:
        raise Invalid.field("people", _("Collez une personne par ligne."))
    if len(people) > MAX_PASTED:
        raise Invalid.field("people", _("Cent personnes au plus à la fois."))
    with _readable(), transaction.atomic():
        refused: list[tuple[PastedPerson, Any]] = []
        users = []
        taken = _taken([person.username for person in people])
        for person in people:
            user = User(username=person.username, date_joined=at, must_change_password=True)
            own = {"first_name": person.first_name, "last_name": person.last_name}
            try:
                if not person.username:
                    raise Invalid(_("Trois parties sont attendues : prénom, nom, identifiant."))
                if person.username.casefold() in taken:
                    raise Invalid.field("username", TAKEN)
                _fill(user, {**data, **own}, by=by, fields=(*PERSON, *WORK))
            except Invalid as error:
                if set(error.fields) - {"username", *PERSON}:
                    raise
                refused.append((person, error.message))
            taken.add(person.username.casefold())
            users.append(user)
        if refused:
            raise RowsRefused(refused)
        _require_sponsors(sponsors, users[0].role, by)
        return [_take_on(user, sponsors, by=by, at=at) for user in users]


def edit_user(
    *, user: User, data: Mapping[str, Any], sponsors: Sequence[Sponsor], by: User, at: datetime
) -> User:
    """Change an account: `data` holds what of `PERSON` and `WORK` is to be changed.

    Raises Forbidden for somebody else's to change and for one's own, Invalid for what cannot be right.
    """
    with _readable(), transaction.atomic():
        current = _changeable(user, by)
        before = _values(current)
        _fill(current, data, by=by)
        if (before["role"] == Role.INTEGRATION) != (current.role == Role.INTEGRATION):
            raise Invalid.field("role", _("Une intégration est un compte à part : créez-en un autre."))
        _require_sponsors(sponsors, current.role, by)
        if current.role != Role.ADMIN:
            # The doors of Django's own admin close with the role.
            current.is_staff = current.is_superuser = False
        current.save()
        current.sponsors.set(sponsors)
        _tell_changes(current, before, by=by, at=at)
        return current


def give_password(*, user: User, by: User, at: datetime) -> Given:
    """Give a new password to somebody who lost theirs; their sessions end, and they must change it at once."""
    with _readable(), transaction.atomic():
        current = _changeable(user, by)
        _require_person(current)
        if not current.is_active:
            raise InvalidTransition(_("Ce compte est désactivé : réactivez-le d'abord."))
        given = _give(current)
        _tell(current, UserEventKind.PASSWORD_GIVEN, by=by, at=at)
        return given


def deactivate_user(*, user: User, reason: str, by: User, at: datetime) -> User:
    """Put an account out of service: its sessions end and its tokens are revoked, what it holds goes to the others.

    The name stays in the history. An open call is left to its lease. Out of service twice is out once.
    """
    reason = reason.strip()[:300]
    if not reason:
        raise Invalid.field("reason", _("Dites pourquoi en quelques mots."))
    with _readable(), transaction.atomic():
        current = _changeable(user, by)
        if not current.is_active:
            return current
        current.is_active = False
        # Without it a session of before would live again with the account.
        current.set_unusable_password()
        current.must_change_password = False
        current.save(update_fields=["is_active", "password", "must_change_password"])
        tokens = ApiToken.objects.filter(user=current, revoked_at__isnull=True).update(revoked_at=at)
        given = user_leaves(current, by, at)
        data = {"reason": reason, "given": given, "tokens": tokens}
        _tell(current, UserEventKind.DEACTIVATED, by=by, at=at, data=data)
        return current


def reactivate_user(*, user: User, by: User, at: datetime) -> Given:
    """Put an account back into service, with a new password; its tokens stay revoked. Active: another refusal."""
    with _readable(), transaction.atomic():
        current = _changeable(user, by)
        if current.is_active:
            raise InvalidTransition(_("Ce compte est déjà actif."))
        current.is_active = True
        given = _give(current) if current.role != Role.INTEGRATION else Given(current, "")
        current.save(update_fields=["is_active"])
        _tell(current, UserEventKind.REACTIVATED, by=by, at=at)
        return given


def _take_on(user: User, sponsors: Sequence[Sponsor], *, by: User, at: datetime) -> Given:
    password = ""
    if user.role == Role.INTEGRATION:
        user.set_unusable_password()
        user.must_change_password = False
    else:
        password = new_password()
        user.password = make_password(password)
    user.save(force_insert=True)
    user.sponsors.set(sponsors)
    nothing = dict.fromkeys(_values(user))
    _tell_changes(user, nothing, by=by, at=at, kind=UserEventKind.CREATED)
    return Given(user, password)


def new_password() -> str:
    """Return a password of 12 letters and figures (59 bits) that can be read out: three groups of four."""
    return "-".join("".join(secrets.choice(LEGIBLE) for _place in range(4)) for _group in range(3))


def _give(user: User) -> Given:
    password = new_password()
    user.password = make_password(password)
    user.must_change_password = True
    user.save(update_fields=["password", "must_change_password"])
    return Given(user, password)


def _fill(user: User, data: Mapping[str, Any], *, by: User, fields: Sequence[str] = (*PERSON, *WORK)) -> None:
    """Set the columns of `data` and refuse what cannot be right, column by column."""
    if by.role not in MANAGING or not by.is_active:
        raise Forbidden
    team = user.team_id
    for name in fields:
        if name in data:
            setattr(user, name, data[name].strip() if isinstance(data[name], str) else data[name])
    if user.role not in roles_given_by(by.role):
        raise Forbidden(_("Votre rôle ne permet pas de donner celui-ci."))
    if not user.first_name and not user.last_name and not data.keys().isdisjoint(PERSON):
        raise Invalid.field("last_name", _("Donnez un nom."))
    if not 1 <= user.daily_goal <= MAX_GOAL:
        raise Invalid.field("daily_goal", _("De 1 à 500 appels."))
    if unknown := [code for code in user.languages if not is_language(code)]:
        raise Invalid.field("languages", _("Langue à écrire en deux lettres : %s") % ", ".join(unknown))
    if (
        user.team_id != team
        and user.team_id is not None
        and not teams_of(by).filter(pk=user.team_id).exists()
    ):
        raise Invalid.field("team", _("Cette équipe n'est pas des vôtres."))
    try:
        user.clean_fields(exclude=["password", "team"])
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        raise Invalid.field(name, messages[0]) from error


def _require_sponsors(sponsors: Sequence[Sponsor], role: str, by: User) -> None:
    """A manager kept inside some sponsors gives none that she lacks, and never all of them, which none means."""
    if sees_every_sponsor(by):
        return
    own = set(by.sponsors.values_list("pk", flat=True))
    if not sponsors and role != Role.INTEGRATION:
        raise Invalid.field("sponsors", _("Choisissez au moins un donneur d'ordre parmi les vôtres."))
    if not {sponsor.pk for sponsor in sponsors} <= own:
        raise Forbidden(_("Vous ne donnez accès qu'à vos propres donneurs d'ordre."))


def _changeable(user: User, by: User) -> User:
    """Return the account as it is now, locked, if `by` may change it."""
    current = User.objects.select_for_update(no_key=True).filter(pk=user.pk).first()
    if current is None or not users_of(by).filter(pk=user.pk).exists():
        raise Forbidden
    if current.pk == by.pk:
        raise Forbidden(
            _("Votre propre compte se change sur la page « Mon compte » ; votre rôle, par un autre.")
        )
    if not may_change(by, current):
        raise Forbidden
    return current


def _require_person(user: User) -> None:
    if user.role == Role.INTEGRATION:
        raise InvalidTransition(_("Un programme n'a pas de mot de passe : il entre par un jeton."))


def _taken(names: Sequence[str]) -> set[str]:
    wanted = [name.lower() for name in names]
    found = User.objects.annotate(folded=Lower("username")).filter(folded__in=wanted)
    return {name.casefold() for name in found.values_list("username", flat=True)}


def _values(user: User) -> dict[str, Any]:
    """Return what history keeps of an account: JSON values by column, teams and sponsors by id."""
    kept = {name: getattr(user, name) for name in (*PERSON, *WORK) if name != "team"}
    return kept | {"team": user.team_id, "sponsors": sorted(user.sponsors.values_list("pk", flat=True))}


def _tell_changes(
    user: User,
    before: Mapping[str, Any],
    *,
    by: User,
    at: datetime,
    kind: UserEventKind = UserEventKind.EDITED,
) -> None:
    """Write what changed into the history; nothing changed, nothing written."""
    changes = {
        name: [before[name], value]
        for name, value in _values(user).items()
        if (before[name] or None) != (value or None)
    }
    if changes or kind == UserEventKind.CREATED:
        _tell(user, kind, by=by, at=at, data={"changes": changes})


def _tell(
    user: User, kind: UserEventKind, *, by: User, at: datetime, data: dict[str, Any] | None = None
) -> None:
    UserEvent.objects.create(user=user, kind=kind, by=by, at=at, data=data or {})


@contextmanager
def _readable() -> Iterator[None]:
    """Turn what the database refuses into a sentence; whatever it does not know is passed on."""
    try:
        yield
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or ""
        if name == "user_admin_remains":
            raise InvalidTransition(
                _("C'est le dernier administrateur actif : nommez-en un autre d'abord.")
            ) from error
        if "username" in name:
            raise Invalid.field("username", TAKEN) from error
        raise
