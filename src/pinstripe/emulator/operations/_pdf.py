"""Minimal PDF files: lines of text with a right-aligned column, on as many pages as they need."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

WIDTH, HEIGHT, MARGIN = 595, 842, 56
"""The size of A4, and the margin, in points."""
LEADING = 1.5
_CHARACTERS = {
    278: " .,I",
    333: "-",
    500: "J",
    611: "FTZ",
    667: "ABEKPSVXY",
    722: "CDHNRU",
    778: "GOQ",
    833: "M",
    944: "W",
}
_WIDTHS = {character: width for width, characters in _CHARACTERS.items() for character in characters}
"""The widths of characters of Helvetica, in thousandths of the size, as far as amounts need them; digits have 556."""


@dataclass(frozen=True)
class Line:
    """A line of text, and a text at the right margin."""

    text: str = ""
    right: str = ""
    size: int = 10
    bold: bool = False
    rule: bool = False
    """A rule above the text."""


def pdf(lines: Iterable[Line]) -> bytes:
    """Return a PDF file with lines of text; long texts are wrapped."""
    pages: list[list[bytes]] = [[]]
    y = float(HEIGHT - MARGIN)
    for line in lines:
        space = WIDTH - 2 * MARGIN - (_width(line.right, line.size) + 20 if line.right else 0)
        for number, text in enumerate(textwrap.wrap(line.text, int(space / (line.size * 0.5))) or [""]):
            if y < MARGIN + line.size:
                pages.append([])
                y = float(HEIGHT - MARGIN)
            if line.rule and not number:
                y -= line.size * 0.5
                pages[-1].append(b"0.8 G %d %.1f m %d %.1f l S" % (MARGIN, y, WIDTH - MARGIN, y))
            y -= line.size * LEADING
            pages[-1].append(_text(text, MARGIN, y, line))
            if line.right and not number:
                pages[-1].append(_text(line.right, WIDTH - MARGIN - _width(line.right, line.size), y, line))
    return _file([b"\n".join(page) for page in pages])


def _width(text: str, size: int) -> float:
    return sum(_WIDTHS.get(character, 556) for character in text) * size / 1000


def _text(text: str, x: float, y: float, line: Line) -> bytes:
    escaped = text.encode("cp1252", "replace").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    return b"BT /%s %d Tf %.1f %.1f Td (%s) Tj ET" % (b"F2" if line.bold else b"F1", line.size, x, y, escaped)


def _file(contents: list[bytes]) -> bytes:
    first = 5  # the number of the first page, after the catalog, the list of pages and two fonts
    kids = b" ".join(b"%d 0 R" % (first + 2 * index) for index in range(len(contents)))
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(contents)),
        font % b"Helvetica",
        font % b"Helvetica-Bold",
    ]
    for index, content in enumerate(contents):
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>" % (WIDTH, HEIGHT, first + 2 * index + 1),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        ]
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    size = len(objects) + 1
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    xref = b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    return body + xref + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
