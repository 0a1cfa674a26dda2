"""Reports: what goes with a result so that a person can look at it and another can make it again.

The overview of a segmentation, the picture of a map, and where both come from.
"""
