"""`python -m bench.numbers`: the quick ways of reading numbers against the library, over millions of generated cells.

Every cell is read by `normalise` and by the library's own path; one difference is a failure. Then the rate of
`normalise` on distinct cells stands beside bare `phonenumbers.parse` and `is_valid_number` of the same cells.
"""

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import phonenumbers

from bench.place import say, told, verdict
from crm.rules.phones import normalise
from crm.rules.phones_cells import read_cell
from crm.rules.phones_plans import library_facts, plan_facts

REGIONS = ("FR",) * 12 + ("BE", "CH", "LU", "DE", "ES", "IT", "GB", "US", "CA")
OVERSEAS = ("GP", "MQ", "GF", "RE", "PM", "YT", "BL", "MF", "WF", "PF", "NC")
PREFIXES = (
    "",
    "0",
    "0",
    "+33",
    "+33 ",
    "0033",
    "+33 (0)",
    "33",
    "00",
    "+",
    "1",
    "+1",
    "+44",
    "0262",
    "+262",
    "+33 262",
)
SEPARATORS = ("", " ", ".", "-", "/", "\u00a0", "\u202f") * 4 + ("  ", " / ")
BEHIND = ("",) * 60 + (".0", " poste 12", " (accueil)", "/35", ")", " ")
RATE_CELLS = 20_000
ROUNDS = 5
#: How many times as fast as the bare library, which cleans nothing, the whole reading of a plain cell has to be.
TARGET_RATIO = 3.0
MOST_DIFFERENCES_SHOWN = 10

Cell = tuple[str, str]


def generated(count: int, seed: int) -> list[Cell]:
    """Make `count` cells, each with the region in which it is read: assigned numbers cut and gone on with at random."""
    chance = random.Random(seed)
    examples = {region: _examples(region) for region in {*REGIONS, *OVERSEAS}}
    return [_cell(chance, examples) for _ in range(count)]


def _cell(chance: random.Random, examples: dict[str, list[str]]) -> Cell:
    region = chance.choice(REGIONS if chance.random() < 0.7 else OVERSEAS)
    other = region if chance.random() < 0.8 else chance.choice(list(examples))
    model = chance.choice(examples[other])
    kept = chance.randrange(len(model) + 1)
    length = len(model) if chance.random() < 0.9 else chance.randrange(1, 15)
    digits = (model[:kept] + "".join(chance.choices("0123456789", k=14)))[: max(length, 1)]
    separator, size = chance.choice(SEPARATORS), chance.choice((2, 2, 2, 3, 4))
    groups = separator.join(digits[start : start + size] for start in range(0, len(digits), size))
    return chance.choice(PREFIXES) + groups + chance.choice(BEHIND), region


def _examples(region: str) -> list[str]:
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        return []
    kinds = (metadata.fixed_line, metadata.mobile, metadata.toll_free, metadata.premium_rate, metadata.voip)
    return [str(kind.example_number) for kind in kinds if kind is not None and kind.example_number]


def compared(batch: tuple[int, int]) -> tuple[int, int, list[str]]:
    """Read `(count, seed)` cells both ways; return how many, how many runs of digits a plan told, and what differs."""
    count, seed = batch
    differences, told_by_plan = [], 0
    for cell, region in generated(count, seed):
        quick, slow = normalise(cell, region), read_cell(cell, region, library_facts)
        if quick != slow:
            differences.append(f"{cell!r} in {region}: {quick} instead of {slow}")
        digits = "".join(filter(str.isdecimal, cell))
        facts = plan_facts(digits, region)
        if facts is not None:
            told_by_plan += 1
            asked = library_facts(digits, region)
            if facts != asked and (facts.is_possible or (asked is not None and asked.is_possible)):
                differences.append(f"{digits} in {region}: {facts} instead of {asked}")
    return count, told_by_plan, differences


def plain_cells(seed: int) -> list[Cell]:
    """Make distinct cells as they mostly are in a French list: valid numbers in the usual spellings."""
    chance = random.Random(seed)
    cells: dict[Cell, None] = {}
    while len(cells) < RATE_CELLS:
        number = chance.choice("123456") + "".join(chance.choices("0123456789", k=8))
        spelling = chance.choice(("0{0}", "0{0}", "0{1}", "0{1}", "+33{0}", "+33 {1}"))
        spaced = number[0] + chance.choice(" .") + " ".join(number[at : at + 2] for at in range(1, 9, 2))
        cells[(spelling.format(number, spaced), "FR")] = None
    return list(cells)


def bare(cell: Cell) -> object:
    """What a program does at least that uses the library alone."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(*cell))
    except phonenumbers.NumberParseException:
        return None


def ours(cell: Cell) -> object:
    """Read a cell, spared the memory of earlier ones."""
    return normalise.__wrapped__(*cell)


def rate(read: Callable[[Cell], object], cells: list[Cell]) -> float:
    """Return how many cells are read per second of processor time."""
    begin = time.process_time()
    for cell in cells:
        read(cell)
    return len(cells) / (time.process_time() - begin)


def compare_all(count: int, seed: int) -> bool:
    """Compare `count` cells on all processors; tell the result."""
    size = 20_000
    batches = [(min(size, count - start), seed + start) for start in range(0, count, size)]
    with told(f"{count:,} cells read by the quick ways and by the library"), ProcessPoolExecutor() as pool:
        results = list(pool.map(compared, batches))
    differences = [line for _, _, lines in results for line in lines]
    cells, by_plan = sum(it[0] for it in results), sum(it[1] for it in results)
    say(f"  {cells:,} cells compared, {by_plan / cells:.0%} of them told by the compiled plans alone")
    for line in differences[:MOST_DIFFERENCES_SHOWN]:
        say(f"  DIFFERENT {line}")
    return verdict("differences", len(differences), 0, at_least=False)


def compare_rates(seed: int) -> bool:
    """Measure both rates in turns, so that a busy machine slows both; tell the ratio of the medians."""
    cells = plain_cells(seed)
    pairs = [(rate(ours, cells), rate(bare, cells)) for _ in range(ROUNDS)]
    own, library = (statistics.median(rates) for rates in zip(*pairs, strict=True))
    say(f"  normalise: {own:,.0f} cells/s; phonenumbers parse and is_valid_number: {library:,.0f} cells/s")
    return verdict("normalise beside the bare library", own / library, TARGET_RATIO, unit=" times")


def main(arguments: list[str]) -> int:
    """Run; returns 1 when something differs or is too slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_000_000, help="cells to compare")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    options = parser.parse_args(arguments)
    say(f"  phonenumbers {phonenumbers.__version__}, seed {options.seed}")
    results = [compare_rates(options.seed), compare_all(options.count, options.seed)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
