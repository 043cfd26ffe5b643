"""A client that is generated from our schema does a CRM's work: what the schema says is what a program needs."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from pytest_django.live_server_helper import LiveServer

from calls.services.claim import claim_next
from crm.services.tokens import create_token
from tests.factories import NOW, make_campaign, make_entry, make_programme, make_user
from tests.feed import settle


def generate(folder: Path) -> None:
    """Write the package `courtois_client` into a folder, without any network."""
    found = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    schema = folder / "schema.json"
    schema.write_text(json.dumps(found, default=str))
    (folder / "config.json").write_text(json.dumps({"post_hooks": []}))
    tool = Path(sys.executable).parent / "openapi-python-client"
    done = subprocess.run(
        f"{tool} generate --path {schema} --config {folder}/config.json --meta none --fail-on-warning "
        f"--output-path {folder}/courtois_client".split(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.django_db(transaction=True)
def test_a_generated_client_brings_prospects_to_a_list_and_follows_what_becomes_of_them(
    live_server: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programme = make_programme()
    campaign = make_campaign(programme)
    program = make_user("integration", sponsors=[programme.sponsor])
    generate(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    models: Any = import_module("courtois_client.models")
    token = create_token(user=program, name="CRM", at=NOW)
    client = import_module("courtois_client").AuthenticatedClient(
        base_url=live_server.url, token=token, raise_on_unexpected_status=True
    )

    def ask(operation: str, *path: int, **given: Any) -> Any:
        return import_module(f"courtois_client.api.{operation}").sync(*path, client=client, **given)

    make_entry(campaign)
    settle()
    start = ask("changes.changes_list", cursor="latest")
    source = ask(
        "sources.sources_create",
        body=models.SourceInRequest(name="CRM", slug="crm", sponsor=programme.sponsor_id),
    )
    person = models.ProspectInRequest.from_dict(
        {"source": source.slug, "external_id": "c-1", "phones": [{"number": "01 99 00 00 01"}]}
    )
    stored = ask("prospects.prospects_bulk", body=[person])
    prospect = ask("prospects.prospects_get", stored.results[0].id)
    added = ask(
        "campaigns.entries_create", campaign.pk, body=models.EntriesInRequest(prospects=[prospect.id])
    )
    checked = ask("exclusions.exclusions_check", body=models.CheckInRequest(numbers=["01 99 00 00 01"]))
    made = claim_next(campaign=campaign, by=make_user("agent"), at=timezone.now())
    assert made is not None
    call = ask("calls.calls_get", made.pk)
    settle()
    changes = ask("changes.changes_list", cursor=start.cursor)
    refused = ask("prospects.prospects_bulk", body=[])
    nowhere = ask("calls.calls_get", 10**9)

    assert [result.status for result in stored.results] == ["created"]
    assert prospect.phones[0].number == "+33199000001"
    assert added.added == 1
    assert [(row.number, row.excluded) for row in checked.results] == [("+33199000001", False)]
    assert (call.id, call.campaign) == (made.pk, campaign.pk)
    told = {(change.kind, change.id) for change in changes.results}
    assert {("prospect", prospect.id), ("call", made.pk)} <= told
    assert isinstance(refused, models.ValidationProblem)
    assert set(refused.errors.additional_properties) == {"prospects"}
    assert isinstance(nowhere, models.NotFoundProblem)
