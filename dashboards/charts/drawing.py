"""Draws a specification as inline SVG, offline. Equal drawings are used again, because drawing is slow."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from hashlib import sha256
from html import escape
from importlib.metadata import version
from pathlib import Path

from rapport.warehouse.code_marks import code_of

VEGA_LITE = "6.4"  # of look.SCHEMA
_MARKED = re.compile(r'<svg [^>]*data-drawn="([0-9a-f]{32})".*?</svg>', re.DOTALL)


def drawing(spec: dict[str, object], name: str, alt: str, kept: MutableMapping[str, str] | None = None) -> str:
    """The picture as SVG, with `alt` as its text for people who cannot see it. `name` is unique on its page. `kept`:
    earlier drawings by their mark; this drawing is added."""
    mark, kept = _mark(spec, name, alt), {} if kept is None else kept
    if mark not in kept:
        kept[mark] = _drawn(spec, name, alt, mark)
    return kept[mark]


def drawings(html: str) -> dict[str, str]:
    """The drawings of a page by their mark."""
    return {found[1]: found[0] for found in _MARKED.finditer(html)}


def _mark(spec: dict[str, object], name: str, alt: str) -> str:
    """A fingerprint of everything that a drawing depends on, in 128 bits."""
    made_by = [version("vl-convert-python"), code_of(_drawn).mark]
    return sha256(json.dumps([spec, name, alt, *made_by], default=str).encode()).hexdigest()[:32]


def _drawn(spec: dict[str, object], name: str, alt: str, mark: str) -> str:
    import vl_convert  # noqa: PLC0415  it starts a JavaScript engine, which only a drawing needs

    with _fonts_that_it_brings():
        svg = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE)
    opening, _, rest = svg.partition(">")
    size = "".join(re.findall(r'viewBox="[^"]*"', opening))
    marked = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} data-drawn="{mark}" role="img" aria-labelledby="{name}-alt"'
    )
    rest = re.sub(r' (role|aria-[a-z]+)="[^"]*"', "", rest)  # for a screen reader, the picture is one image
    rest = re.sub(r'(id="|url\(#)(clip|gradient)', rf"\1{name}-\2", rest)
    return f'{marked}><title id="{name}-alt">{escape(alt)}</title>{rest}'


@contextmanager
def _fonts_that_it_brings() -> Iterator[None]:
    """Let vl-convert find only its own fonts. It would open the machine's fonts again for every measured letter.
    The measured widths do not matter: texts are placed by their anchor."""
    before = os.environ.get("FONTCONFIG_FILE")
    os.environ["FONTCONFIG_FILE"] = str(Path(__file__).with_name("fonts.conf"))
    try:
        yield
    finally:
        del os.environ["FONTCONFIG_FILE"]
        if before is not None:
            os.environ["FONTCONFIG_FILE"] = before
