"""What Athena charges for a query, by the bytes it scanned.

Source: https://aws.amazon.com/athena/pricing/ - SQL queries, per TB of data scanned, rounded up to the next megabyte,
10 MB at least. The price is that of Tokyo, Osaka, Virginia and most other regions.
"""

from __future__ import annotations

USD_PER_TERABYTE = 5.0
TERABYTE = 2**40
MEGABYTE = 2**20
LEAST_MEGABYTES = 10


def cost_usd(scanned_bytes: int) -> float:
    """Return what a query costs in US dollars, before discounts and taxes."""
    megabytes = max(-(-scanned_bytes // MEGABYTE), LEAST_MEGABYTES)
    return megabytes * MEGABYTE / TERABYTE * USD_PER_TERABYTE
