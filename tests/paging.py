"""How tests of pages come in and read what they see."""

import re
from html import unescape
from typing import Any

from django.test import Client
from playwright.sync_api import Page

from crm.enums import Role
from crm.models import User
from tests.factories import make_user


def signed_in(role: str = Role.MANAGER, **fields: Any) -> tuple[Client, User]:
    """Return a browser in which a user of this role is signed in, and the user."""
    user = make_user(role, **fields)
    client = Client()
    client.force_login(user)
    return client, user


def text_of(response: Any) -> str:
    """Return the words of a page, without its tags, blanks folded."""
    html = response.content.decode()
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def come_to_rest(page: Page) -> None:
    """Wait until no colour of the page is on its way to another: even the shortest transition has such moments."""
    page.evaluate(
        "() => Promise.all(document.getAnimations().filter((one) => one instanceof CSSTransition)"
        ".map((one) => one.finished.catch(() => null)))"
    )
