"""What the stories have in common: people at their pages, a delivered list, requests that no page would send."""

from typing import Any

from django.utils.html import escape
from playwright.sync_api import APIResponse, Browser, Locator, Page, expect

from calls.models import Call, CallAnswer, Callback, CallDisposition, CallEvent, Incident
from campaigns.enums import ImportState
from campaigns.models import CallList, Campaign, Exclusion, ImportJob, ListEntry
from config.celery import app
from crm.models import User
from tests.factories import PASSWORD

# A story is told on busy machines too.
expect.set_options(timeout=10_000)

#: The prospect of the stories, as its number is stored and as the lists spell it.
NUMBER = "+33199004401"
SPELLINGS = ("01 99 00 44 01", "01.99.00.44.01", "0033199004401")

#: A supplier's file: accents, an opt-out column, a row twice, a baker, a row without number and an emergency one.
BANKS = """Réf;Raison sociale;Téléphone;Ville;Code NAF;Ne pas appeler
B1;Crédit Éphémère;01 99 00 44 01;Orléans;64.19Z;
B2;Banque de l'Été;02.61.91.44.02;Évry;64.19Z;non
B3;Caisse d'Œuvre;353014403;Nîmes;64.19Z;oui
B4;Boulangerie Noël;04 65 71 44 04;Sète;10.71C;
B5;Banque muette;;Nîmes;64.19Z;
B6;Banque du Port;112;Sète;64.19Z;
B1;Crédit Éphémère;01.99.00.44.01;Orléans;64.19Z;
""".encode("cp1252")

#: Another supplier's: the same number under another name.
SAME_NUMBER = """Id;Nom;Tel;Commune;NAF
Z9;Crédit Éphémère Orléans;0033199004401;Orléans;6419Z
""".encode()


class House:
    """The product as one address, with a browser profile for each person who signs in."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.url = url
        self._browser = browser
        self._contexts: list[Any] = []

    def sign_in(self, user: User) -> Page:
        """Return a page in which the user has come in by the login page."""
        context = self._browser.new_context(
            locale="fr-FR",
            timezone_id="Europe/Paris",
            viewport={"width": 1280, "height": 720},
            reduced_motion="reduce",
        )
        context.set_default_timeout(10_000)
        self._contexts.append(context)
        page = context.new_page()
        page.goto(f"{self.url}/login/")
        page.get_by_label("Nom d’utilisateur").fill(user.username)
        page.get_by_label("Mot de passe").fill(PASSWORD)
        page.get_by_role("button", name="Se connecter").click()
        expect(page.locator("[popovertarget=account]")).to_be_visible()
        return page

    def leave(self) -> None:
        """Close every profile."""
        for context in self._contexts:
            context.close()

    # ---- the manager's pages

    def fill(self, page: Page, path: str, button: str = "Enregistrer", **fields: str) -> None:
        """Open a form, fill its fields by their names, and send it as an impatient person does: by a double click."""
        page.goto(f"{self.url}{path}")
        for name, value in fields.items():
            field = page.locator(f'main [name="{name}"]')
            if field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        submit(page, button)
        expect(
            page.get_by_role("button", name=button, exact=True).and_(page.locator("form[method=post] *"))
        ).to_have_count(0)

    def upload(
        self, page: Page, campaign: Campaign, content: bytes, source: str, name: str = "banques.csv"
    ) -> None:
        """Send a list by the first screen of an import, on to the second."""
        page.goto(f"{self.url}/campaigns/{campaign.slug}/imports/")
        page.locator("input[type=file]").set_input_files(
            {"name": name, "mimeType": "text/csv", "buffer": content}
        )
        page.locator("main [name=source]").select_option(label=source)
        submit(page, "Voir ce qu'il contient")
        expect(page.get_by_role("heading", name="2. Ce que l'import fera")).to_be_visible()

    def run_import(self, page: Page) -> None:
        """Start the previewed import, let the worker do it, and wait for the report."""
        submit(page, "Importer")
        expect(page.get_by_role("heading", name="Import en cours…")).to_be_visible()
        work()
        expect(page.get_by_role("link", name="Voir la liste")).to_be_visible()

    def import_list(self, page: Page, campaign: Campaign, content: bytes, source: str) -> None:
        """Carry a list through the three screens."""
        self.upload(page, campaign, content, source)
        self.run_import(page)


def submit(page: Page, button: str) -> None:
    """Send the form of a button by a double click."""
    page.locator("main").get_by_role("button", name=button, exact=True).dblclick()


def work() -> None:
    """Do what the pages woke the worker for: the same tasks, by the names that its messages carry."""
    app.loader.import_default_modules()
    for job in ImportJob.objects.filter(state=ImportState.RUNNING):
        app.tasks["campaigns.run_import"](job.pk)


def figure(page: Page, label: str) -> Locator:
    """Return the figure of an import's page that bears a label."""
    return (
        page.locator(".figure, .figures a")
        .filter(has=page.locator("small", has_text=label))
        .locator("strong")
    )


# ---- the agent's pages


def take_the_demo_phone(page: Page, scenario: str = "answers") -> None:
    """Choose the simulated phone and what its prospects do."""
    page.locator("#phone-choice").select_option("demo")
    expect(page.locator("#demo-scenario")).to_be_visible()
    page.goto(page.url.split("?")[0] + f"?scenario={scenario}")


def expect_state(page: Page, state: str) -> None:
    """Wait for the screen of a state, and for its primary action to listen."""
    expect(page.locator(f'.screen[data-state="{state}"]')).to_be_visible()
    expect(page.locator("[data-guarded]")).to_have_count(0)


def take_the_next(page: Page) -> Call:
    """From the desk, by Space, to the fiche on the screen."""
    expect_state(page, "desk")
    page.keyboard.press("Space")
    expect_state(page, "claimed")
    return shown_call(page)


def reach_criteria(page: Page) -> None:
    """From the fiche to the first question, by keyboard."""
    page.keyboard.press("Enter")
    expect_state(page, "connected")
    page.keyboard.press("Space")
    expect(page.locator(".question--now")).to_be_focused()


def mismatch(page: Page, heard: str = "boulangerie") -> None:
    """Answer no to the first question, with what was heard."""
    page.keyboard.press("2")
    field = page.locator('input[name="heard"]')
    expect(field).to_be_focused()
    field.type(heard)
    page.keyboard.press("Enter")
    expect_state(page, "closing")


def say_the_closing(page: Page) -> None:
    """Read the three sentences, each as slowly as the server asks."""
    for said in range(3):
        expect(page.locator(".progress-steps .is-done")).to_have_count(said)
        expect_state(page, "closing")
        page.wait_for_timeout(750)
        page.keyboard.press("Space")
    expect_state(page, "waiting")


def shown_call(page: Page) -> Call:
    """Return the call that is on the screen."""
    return Call.objects.get(pk=int(page.locator(".screen").get_attribute("data-call-id") or "0"))


def craft(page: Page, path: str, **form: str) -> APIResponse:
    """POST from the page's own session what no button of it sends."""
    token = page.evaluate("JSON.parse(document.body.getAttribute('hx-headers'))['X-CSRFToken']")
    return page.request.post(
        "/".join(page.url.split("/")[:3]) + path,
        form=dict(form),
        headers={"X-CSRFToken": token},
        max_redirects=0,
    )


def says(answer: APIResponse, sentence: object) -> bool:
    """Whether a page that was answered holds a sentence."""
    return str(escape(str(sentence))) in answer.text()


def everything() -> dict[str, Any]:
    """Return what a refused request must leave as it is: the calls, and how many rows tell of them."""
    tables = (CallAnswer, CallDisposition, CallEvent, Callback, Incident, Exclusion, ListEntry, CallList)
    states = (
        "pk",
        "state",
        "disposition",
        "hung_up_by",
        "out_of_criteria_at",
        "goodbyes",
        "respondent",
        "done_at",
    )
    return {
        "calls": list(Call.objects.order_by("pk").values_list(*states)),
        "entries": list(ListEntry.objects.order_by("pk").values_list("pk", "state", "number")),
        **{table.__name__: table._default_manager.count() for table in tables},
    }
