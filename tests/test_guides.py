"""The guides are true: what they say to type works as it stands, in order, and their tables are the code's."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone, translation
from pytest_django.live_server_helper import LiveServer

from campaigns.models import Exclusion, ListEntry
from crm.api.problem_shapes import SHAPES
from crm.api.problems import PROBLEMS
from crm.enums import Role
from crm.models import Prospect
from crm.services.tokens import create_token
from tests.factories import make_campaign, make_programme, make_user
from tests.feed import settle

DOCS = Path(__file__).resolve().parent.parent / "docs"
GUIDE = DOCS / "sync-a-crm.md"
SNIPPET = re.compile(r"^```(sh|python) run\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCOPES = re.compile(r"`([a-z]+:(?:read|write))`")


def rows_of_problems(language: str) -> list[str]:
    """Return the rows of the guide's table, by status."""
    with translation.override(language):
        return [
            f"| {', '.join(map(str, SHAPES[name].statuses))} | `{name}` | {PROBLEMS[name].help} |"
            for name in sorted(PROBLEMS, key=lambda name: (SHAPES[name].statuses, name))
        ]


def test_the_guides_table_of_problems_is_the_catalogue() -> None:
    written = [line for line in GUIDE.read_text().splitlines() if re.match(r"\| \d{3}", line)]

    english = rows_of_problems("en")
    # A help that waits for its translation is told by its status and name until then.
    waiting = set(english) & set(rows_of_problems("fr"))
    expected = [row.rpartition(" | ")[0] if row in waiting else row for row in english]
    shown = [
        row.rpartition(" | ")[0] if full in waiting else row
        for row, full in zip(written, english, strict=True)
    ]
    assert set(SHAPES) == set(PROBLEMS)
    assert shown == expected


def test_no_address_in_a_guide_holds_a_number_or_a_name() -> None:
    for guide in DOCS.glob("*.md"):
        assert not re.search(r"[?&](number|q)=[^`\s]*\d{6}", guide.read_text()), guide.name


def run(kind: str, snippet: str, names: dict[str, Any]) -> str:
    """Run a snippet as its reader would: Python in one session, the shell in one of its own; return what it printed."""
    if kind == "python":
        exec(compile(snippet, str(GUIDE), "exec"), names)
        return ""
    done = subprocess.run(["sh", "-e", "-c", snippet], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (snippet, done.stdout, done.stderr)
    return done.stdout


@pytest.mark.django_db(transaction=True)
def test_the_guide_syncs_a_crm_twice_over_with_the_scopes_that_it_names(
    live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    programme = make_programme()
    campaign = make_campaign(programme)
    program = make_user(Role.INTEGRATION, sponsors=[programme.sponsor])
    text = GUIDE.read_text()
    scopes = list(dict.fromkeys(SCOPES.findall(text.partition("## 2.")[0])))
    token = create_token(user=program, name="CRM", at=timezone.now(), scopes=scopes)
    monkeypatch.setitem(os.environ, "COURTOIS", live_server.url)
    monkeypatch.setitem(os.environ, "TOKEN", token)
    names: dict[str, Any] = {}

    printed = ""
    for _time in range(2):
        for kind, snippet in SNIPPET.findall(text):
            if "take_in()" in snippet:
                settle()
            printed += run(kind, snippet, names)

    assert [prospect.external_id for prospect in Prospect.objects.all()] == ["crm-1001"]
    assert list(ListEntry.objects.values_list("campaign", "number")) == [(campaign.pk, "+33199001001")]
    assert Exclusion.objects.get().number == "+33199001099"
    assert printed.count('"excluded":true') == 2
    kinds = {kind for (kind,) in names["mine"].execute("SELECT kind FROM record").fetchall()}
    assert kinds == {"prospect", "exclusion"}
