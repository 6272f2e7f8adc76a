"""A writer of small PDF files, so that tests need no library for it."""

from __future__ import annotations

from collections.abc import Sequence

Line = str | tuple[str, float]
"""A line of text, with the size of its type if that is not the usual."""


def pdf_of(*pages: Sequence[Line]) -> bytes:
    """Return a PDF with these lines on its pages; its only font has no glyphs and a map to Unicode."""
    characters = sorted({character for page in pages for line in page for character in _text(line)})
    codes = {character: code for code, character in enumerate(characters, start=1)}
    kids = " ".join(f"{6 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type0 /BaseFont /Test /Encoding /Identity-H /DescendantFonts [4 0 R] "
        b"/ToUnicode 5 0 R >>",
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Test /DW 1000 /CIDSystemInfo "
        b"<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>",
        _stream(_unicode_map(codes)),
    ]
    for number, page in enumerate(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 3 0 R >> >> "
            b"/Contents %d 0 R >>" % (7 + 2 * number)
        )
        objects.append(_stream(_content(page, codes)))
    return _file(objects)


def _text(line: Line) -> str:
    return line if isinstance(line, str) else line[0]


def _content(page: Sequence[Line], codes: dict[str, int]) -> str:
    height = 800.0
    shown = []
    for line in page:
        size = 10.0 if isinstance(line, str) else line[1]
        height -= 2 * size
        words = "".join(f"{codes[character]:04x}" for character in _text(line))
        shown.append(f"BT /F {size} Tf 1 0 0 1 50 {height} Tm <{words}> Tj ET")
    return "\n".join(shown)


def _unicode_map(codes: dict[str, int]) -> str:
    pairs = "\n".join(f"<{code:04x}> <{character.encode('utf-16-be').hex()}>" for character, code in codes.items())
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Test def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <ffff> endcodespacerange\n{len(codes)} beginbfchar\n{pairs}\nendbfchar\n"
        "endcmap end end"
    )


def _stream(content: str) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content.encode())


def _file(objects: list[bytes]) -> bytes:
    written = b"%PDF-1.7\n"
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return written + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (size, table, size, len(written))
    )
