"""The layers are a contract that is checked: a canary proves that the check would notice."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("config", "calls", "campaigns", "crm")
LINT = Path(sys.executable).parent / "lint-imports"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the product's code that a test may spoil."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LINT, "--no-cache"], cwd=tree, capture_output=True, text=True, check=False)


def test_the_product_keeps_its_layers(tree: Path) -> None:
    done = lint(tree)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "code", "broken"),
    [
        ("crm/services/canary.py", "import calls.models\n", "Apps BROKEN"),
        ("calls/services/canary.py", "import config.urls\n", "Apps BROKEN"),
        ("crm/rules/canary.py", "import crm.models\n", "Rooms inside an app BROKEN"),
        ("calls/services/canary.py", "import calls.api\n", "Rooms inside an app BROKEN"),
        ("campaigns/helpers.py", "", "Rooms inside an app BROKEN"),
    ],
)
def test_a_bad_import_or_a_module_without_a_room_is_noticed(
    tree: Path, module: str, code: str, broken: str
) -> None:
    (tree / module).write_text(f'"""A canary."""\n\n{code}')

    done = lint(tree)

    assert done.returncode == 1
    assert broken in done.stdout
