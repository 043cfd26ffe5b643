"""`make bench`: every benchmark of this folder, one after the other. Arguments choose some by name, or `--quick`."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: In this order; those that are not here come last. What `--quick` adds to each.
QUICK = {
    "claims": ["--sizes", "10000,100000", "--agents", "1,16", "--seconds", "3"],
    "exclusions": ["--numbers", "50000"],
    "races": ["--seconds", "20"],
    "pages": ["--sizes", "2000,20000", "--requests", "20"],
    "imports": ["--rows", "20000", "--known", "0,20000"],
    "bulk_api": ["--sizes", "10000,50000", "--requests", "2", "--clients", "1"],
    "numbers": ["--count", "50000"],
    "reading": ["--changes", "20000,200000", "--requests", "20"],
    "fuzz_api": ["--seconds", "60"],
    "screen": ["--agents", "10", "--seconds", "30"],
}
#: Modules that benchmarks share.
SHARED = {
    "__init__",
    "run",
    "place",
    "records",
    "agents",
    "serving",
    "lists",
    "import_export",
    "reading_peer",
    "bulk_peer",
    "bulk_rows",
    "bulk_settings",
}


def main(arguments: list[str]) -> int:
    """Run the named benchmarks, or all; returns 1 when one of them missed a target or failed."""
    quick = "--quick" in arguments
    wanted = [name for name in arguments if name != "--quick"]
    found = {path.stem for path in Path(__file__).parent.glob("*.py")} - SHARED
    names = [name for name in QUICK if name in found] + sorted(found - set(QUICK))
    unknown = sorted(set(wanted) - found)
    if unknown:
        print(f"No benchmark is called {', '.join(unknown)}; there are {', '.join(names)}.", file=sys.stderr)
        return 2
    missed = [name for name in names if (not wanted or name in wanted) and _run(name, quick)]
    print(f"\nMissed a target: {', '.join(missed)}" if missed else "\nEvery target is met.")
    return 1 if missed else 0


def _run(name: str, quick: bool) -> bool:
    print(f"\n=== {name} " + "=" * (70 - len(name)), flush=True)
    begin = time.monotonic()
    command = [sys.executable, "-m", f"bench.{name}", *(QUICK.get(name, []) if quick else [])]
    failed = subprocess.run(command, cwd=ROOT, check=False).returncode != 0
    print(f"({time.monotonic() - begin:.0f} s)", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
