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


#: Resolves once nothing is asked of the server and no colour is on its way: one that ended may have set off another.
AT_REST = """
async () => {
  const busy = () => document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling");
  const frame = () => new Promise((next) => requestAnimationFrame(() => setTimeout(next, 0)));
  for (let calm = 0; calm < 2; calm = busy() ? 0 : calm + 1) await frame();
}
"""


def come_to_rest(page: Page) -> None:
    """Wait until nothing of the page is on its way."""
    page.evaluate(AT_REST)
