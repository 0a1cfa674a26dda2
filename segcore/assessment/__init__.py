"""Assessment: what a bundle is worth, measured on cases with reference masks."""
