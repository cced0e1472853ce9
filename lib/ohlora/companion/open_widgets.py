"""ipywidgets keeps every widget that was ever made, and the page with it, until somebody closes it."""

from __future__ import annotations

import ipywidgets as widgets


def close_widgets(*roots: widgets.Widget) -> None:
    """Close widgets with their children, layouts and styles. They must not be shown any more."""
    for root in roots:
        close_widgets(*getattr(root, "children", ()))
        for name in ("layout", "style"):
            part = getattr(root, name, None)
            if isinstance(part, widgets.Widget):
                part.close()
        root.close()
