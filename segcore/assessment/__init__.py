"""Assessment: what a bundle is worth, measured on cases with reference masks.

`assess` predicts every sample, stitched from tiles where it is larger than one, and gives an `Assessment`:
counts for each ROI, from which figures per tile, ROI, case and source are read, with intervals over cases.
`paired_tests` compares two assessments of the same cases, `measure` takes the figures of a bundle's card and
`check_card` holds them against it. `describe` makes a `Document` of it all, `write_report` its files.
"""

from segcore.assessment.assess import Assessment, assess
from segcore.assessment.card import CardCheck, check_card, measure
from segcore.assessment.document import Document, describe
from segcore.assessment.figures import Figure
from segcore.assessment.files import FILES, read_report, write_report
from segcore.assessment.paired import PairedTest, paired_tests

__all__ = [
    "FILES",
    "Assessment",
    "CardCheck",
    "Document",
    "Figure",
    "PairedTest",
    "assess",
    "check_card",
    "describe",
    "measure",
    "paired_tests",
    "read_report",
    "write_report",
]
