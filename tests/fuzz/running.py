"""One run of Schemathesis against a server that listens."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent


def known_rows(arguments: dict[str, dict[str, Any]], addresses: dict[str, str]) -> dict[str, Any]:
    """Return what hooks.py knows of the rows: `arguments` of each address by its name, `addresses` their paths."""
    rows: dict[str, Any] = {
        addresses[name]: {key.replace("pk", "id") if key == "pk" else key: pk for key, pk in given.items()}
        for name, given in arguments.items()
        if name in addresses
    }
    for name in ("sponsor", "source", "programme", "campaign", "prospect", "criterion"):
        given = arguments.get(f"api-{name}", {})
        rows[name] = given.get(f"{name}_pk", given.get("pk"))
    return rows


def fuzz(
    url: str, token: str, *, rows: dict[str, Any], seed: int, arguments: list[str]
) -> subprocess.CompletedProcess[str]:
    """Run all checks over the whole schema of the server at `url`; returns when it is over, with what it printed."""
    command = [
        str(Path(sys.executable).parent / "schemathesis"),
        "--config-file",
        str(ROOT / "tests/fuzz/schemathesis.toml"),
        "run",
        f"{url}/api/v1/schema/",
        "--header",
        f"Authorization: Bearer {token}",
        # What the proxy of a house adds: the server speaks to it alone.
        "--header",
        "X-Forwarded-Proto: https",
        "--checks",
        "all",
        "--seed",
        str(seed),
        "--no-color",
        "--warnings",
        "off",
        *arguments,
    ]
    environment = os.environ | {"COURTOIS_FUZZ_WORLD": json.dumps(rows), "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
