"""Widgets: what is seen and touched. Qt's widgets live here and in `viewer.app` only; they hold no state of the work."""
