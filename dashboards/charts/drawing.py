"""A specification drawn as inline SVG, offline."""

from __future__ import annotations

import re
from html import escape

VEGA_LITE = "6.4"  # of look.SCHEMA


def drawing(spec: dict[str, object], name: str, alt: str) -> str:
    """The picture as SVG that says what it shows to who cannot see it. `name` is unique on its page."""
    import vl_convert  # noqa: PLC0415  it brings a JavaScript engine: only where something is drawn

    svg = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE)
    opening, _, rest = svg.partition(">")
    size = re.search(r'viewBox="[^"]*"', opening)[0]
    marked = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="{name}-alt"'
    rest = re.sub(r' (role|aria-[a-z]+)="[^"]*"', "", rest)  # of Vega's groups: a picture is one thing
    rest = re.sub(r'(id="|url\(#)(clip|gradient)', rf"\1{name}-\2", rest)
    return f'{marked}><title id="{name}-alt">{escape(alt)}</title>{rest}'
