"""Count: what a mask says of a region in numbers, and what a person changed of it.

`count` turns label maps into `Counts`: areas, ratios, nests, the invasive front. `compare` tells what lies
between two masks. Every number is one of a mask, which may be wrong; none is a diagnosis.
"""

from segcore.counting.changes import Changes, compare
from segcore.counting.counts import MEANINGS, Counts, count
from segcore.counting.front import front_length
from segcore.counting.nests import LEAST_NEST, Nests, find_nests
from segcore.counting.table import Row, to_csv

__all__ = [
    "LEAST_NEST",
    "MEANINGS",
    "Changes",
    "Counts",
    "Nests",
    "Row",
    "compare",
    "count",
    "find_nests",
    "front_length",
    "to_csv",
]
