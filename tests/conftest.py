"""What every test may rely on: seeded reference rows and a browser."""

import os
import shutil
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.utils import translation
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django import DjangoDbBlocker

from tests.flush import remember_seeds
from tests.template_database import ready_template

# Playwright's synchronous API runs an event loop in the test's own thread, where Django would refuse its ORM.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

#: The first that is there: without windows to draw it is quicker.
CHROMIUM_NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spare every test that commits Django's signal after its flush, which brings the seeded rows back itself."""
    for item in items:
        marker = item.get_closest_marker("django_db")
        fixtures = getattr(item, "fixturenames", ())
        commits = (marker and marker.kwargs.get("transaction")) or {"live_server", "transactional_db"} & set(
            fixtures
        )
        if commits:
            options = dict(marker.kwargs) if marker else {}
            item.add_marker(
                pytest.mark.django_db(**options | {"transaction": True, "serialized_rollback": True}),
                append=False,
            )


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Copy the test database from one that is migrated already."""
    from django.db import connection

    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["TEMPLATE"] = ready_template()
        connection.close()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let tests that commit be flushed, although the database refuses deletions."""
    from crm.services.record_changes import rebase_changes

    with django_db_blocker.unblock():
        # A copy is another database: nothing was lost on the way.
        rebase_changes(nothing_lost=True)
        remember_seeds()


@pytest.fixture(autouse=True)
def _starts_in_french() -> None:
    """Begin each test in the source language: a request in English leaves its thread in English."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, headless, once for the whole run."""
    executable = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if executable is None:
        pytest.fail("Chromium is missing: `make test` installs it on Debian; elsewhere install it by hand.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def browser_context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh French profile of 1280 x 720; open as many pages in it as the story has tabs."""
    context = browser.new_context(
        locale="fr-FR",
        timezone_id="Europe/Paris",
        viewport={"width": 1280, "height": 720},
        # A colour on its way to another is neither: contrasts are measured without transitions.
        reduced_motion="reduce",
    )
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(browser_context: BrowserContext) -> Iterator[Page]:
    """A page whose script errors and refused resources fail the test, for a user would see them as silence."""
    page = browser_context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    yield page
    assert complaints == []
