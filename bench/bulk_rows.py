"""The rows of `bench.bulk_api`, for the product and for its peer alike; made up, as a CRM would send them."""

from typing import Any

COLUMNS = ("organisation", "last_name", "sector", "email", "address", "postal_code", "city")
SIZE = 5_000


def rows(source: int, prefix: str, first: int, city: str) -> list[dict[str, Any]]:
    """Return 5,000 items, their ids being `prefix` and a number from `first` on. `e164` is for the peer alone, which
    reads no number."""
    return [
        {
            "source": source,
            "external_id": f"{prefix}{number}",
            "organisation": f"Crédit de l’Est {number}",
            "last_name": f"Noël {number % 997}",
            "sector": "6419Z",
            "email": f"contact{number}@exemple.fr",
            "address": f"{number % 200 + 1} rue de la République",
            "postal_code": f"{10_000 + number % 80_000}",
            "city": city,
            "attributes": {"segment": "PME", "effectif": number % 250},
            "phones": [
                {"number": f"01 99 {number // 10_000 % 100:02d} {number // 100 % 100:02d} {number % 100:02d}"}
            ],
            "e164": f"+33199{number % 1_000_000:06d}",
        }
        for number in range(first, first + SIZE)
    ]
