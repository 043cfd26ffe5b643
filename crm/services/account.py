"""One's own account: what everybody changes by themselves."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from crm.enums import Role, UserEventKind
from crm.models import User, UserEvent
from crm.rules.errors import Invalid
from crm.services.users import MAX_GOAL

#: What a person changes of their own account; an agent's goal is set by whoever takes them on.
OWN = ("first_name", "last_name", "languages", "daily_goal")


def edit_account(*, data: Mapping[str, Any], by: User, at: datetime) -> User:
    """Change one's own name, languages and, unless one is an agent, daily goal (`data`, model values)."""
    names = [name for name in OWN if name in data and not (name == "daily_goal" and by.role == Role.AGENT)]
    with transaction.atomic():
        current = User.objects.select_for_update(no_key=True).get(pk=by.pk)
        before = {name: getattr(current, name) for name in names}
        for name in names:
            setattr(current, name, data[name].strip() if isinstance(data[name], str) else data[name])
        if not current.first_name and not current.last_name:
            raise Invalid.field("last_name", _("Donnez un nom."))
        if not 1 <= current.daily_goal <= MAX_GOAL:
            raise Invalid.field("daily_goal", _("De 1 à 500 appels."))
        changes = {
            name: [before[name], getattr(current, name)]
            for name in names
            if before[name] != getattr(current, name)
        }
        if changes:
            current.save(update_fields=list(changes))
            UserEvent.objects.create(
                user=current, kind=UserEventKind.EDITED, by=by, at=at, data={"changes": changes}
            )
        return current


def change_password(*, current: str, new: str, by: User, at: datetime) -> User:
    """Change one's own password; every other session ends with it.

    `current` is asked for unless the password was given by somebody else and is being replaced right after signing in.
    Raises Invalid for a wrong `current`, a weak `new` (Django's validators) and one that is no new one.
    """
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=by.pk)
        if not user.must_change_password and not user.check_password(current):
            raise Invalid.field("current", _("Ce n'est pas votre mot de passe actuel."))
        if user.check_password(new):
            raise Invalid.field("new", _("Choisissez un autre mot de passe que l'actuel."))
        try:
            validate_password(new, user)
        except ValidationError as error:
            raise Invalid(fields={"new": list(error.messages)}) from error
        user.set_password(new)
        user.must_change_password = False
        user.save(update_fields=["password", "must_change_password"])
        UserEvent.objects.create(user=user, kind=UserEventKind.PASSWORD_CHANGED, by=by, at=at)
        return user


def choose_page_language(*, code: str, by: User) -> None:
    """Remember in which language (`code` of the settings' LANGUAGES) the pages speak to somebody."""
    User.objects.filter(pk=by.pk).exclude(page_language=code).update(page_language=code)
