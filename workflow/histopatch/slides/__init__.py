"""Whole-slide images, and others larger than a patch: read region by region, predicted tile by tile."""
