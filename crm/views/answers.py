"""The few ways in which a page answers, so that every page answers alike."""

from datetime import datetime
from typing import Any, TypeVar

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone

from crm.models import User
from crm.rules.errors import DomainError

PAGE_SIZE = 50

Row = TypeVar("Row", bound=Model)


def user_of(request: HttpRequest) -> User:
    """Return the signed-in user; every page but the login has one."""
    assert isinstance(request.user, User)
    return request.user


def now() -> datetime:
    """Return the moment of the request, that the domain takes as `at`."""
    return timezone.now()


def page_of(
    request: HttpRequest, rows: QuerySet[Row], size: int = PAGE_SIZE, *, count: int | None = None
) -> Page[Row]:
    """Return the page of `rows` that `?page=` asks for; a number out of range is the nearest page.

    `count` is how many rows there are, where that is known already.
    """
    paginator = Paginator(rows, size)
    if count is not None:
        # In the place where it keeps what it has counted.
        paginator.__dict__["count"] = count
    return paginator.get_page(request.GET.get("page"))


def typed(request: HttpRequest) -> str:
    """Return what `?q=` asks for, of a length that people type."""
    return request.GET.get("q", "").replace("\x00", " ").strip()[:200]


def form_page(request: HttpRequest, template: str, form: BaseForm, context: dict[str, Any]) -> HttpResponse:
    """Show a form: 200 when it is fresh, 422 when what was sent is refused."""
    status = 422 if form.is_bound and form.errors else 200
    return render(request, template, {"form": form, **context}, status=status)


def saved(request: HttpRequest, message: Any, to: str, *args: Any) -> HttpResponseRedirect:
    """Say what was done and go to a page: a reload then repeats nothing."""
    messages.success(request, str(message))
    return redirect(to, *args)


def refused(request: HttpRequest, error: DomainError, to: str, *args: Any) -> HttpResponseRedirect:
    """Say why it was refused and go back to a page, where nothing changed."""
    details = [str(word) for listed in error.fields.values() for word in listed]
    messages.error(request, " ".join(dict.fromkeys(details or [str(error.message)])))
    return redirect(to, *args)


def sent(request: HttpRequest) -> QueryDict | None:
    """Return what a form was sent with, None when it is only shown: an empty form that was sent is still refused."""
    return request.POST if request.method == "POST" else None
