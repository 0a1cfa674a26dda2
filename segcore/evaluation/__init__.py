"""Evaluation: how well a prediction agrees with a reference, in numpy and scipy alone.

A `Confusion` holds, for every pair of classes, how many pixels the reference calls the one and the
prediction the other; counts of tiles, regions and cases add up, and every score is read from the sum. A
`Calibration` does the same for confidences. The other functions score one mask or foreground map against a
reference mask (H, W), and `per_class` applies them to each class of a code image.

Pixels that the reference leaves unlabelled (code 0; not `known`) count for nothing anywhere: they are not
background, they bound no region, and what is predicted there costs nothing. A score that nothing determines
is NaN, to be left out of means: Dice, IoU and boundary F1 of two empty masks, sensitivity without
foreground, everything where all is unlabelled. Measures whose papers define the case of a reference without
foreground (S, E) keep that definition. Inputs of unlike shape or wrong kind raise ValueError.
"""

from segcore.evaluation.absolute_error import mean_absolute_error
from segcore.evaluation.alignment import e_measure, mean_e_measure
from segcore.evaluation.boundary import boundary, boundary_f1
from segcore.evaluation.calibration import Calibration, calibration
from segcore.evaluation.classwise import per_class
from segcore.evaluation.confusion import Confusion, confusion
from segcore.evaluation.overlap import dice, iou, sensitivity
from segcore.evaluation.structure import s_measure
from segcore.evaluation.weighted_f import weighted_f_measure

__all__ = [
    "Calibration",
    "Confusion",
    "boundary",
    "boundary_f1",
    "calibration",
    "confusion",
    "dice",
    "e_measure",
    "iou",
    "mean_absolute_error",
    "mean_e_measure",
    "per_class",
    "s_measure",
    "sensitivity",
    "weighted_f_measure",
]
