"""Files that the letters carry: real PDF and CSV bytes, made from a few lines each."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

ROWS: dict[str, Sequence[Sequence[str]]] = {
    "order": (("sku", "description", "quantity"), ("KT-3020", "Folding carton 30x20x15", "1200"),
              ("TP-048", "Kraft tape 48 mm", "144"), ("BW-100", "Bubble wrap roll 100 m", "18")),
    "stock": (("sku", "on_hand", "reorder_at"), ("KT-3020", "310", "400"), ("ML-A4", "95", "200")),
    "comparables": (("address", "sold", "square_feet"), ("14 Alder Row", "2026-08", "2140"),
                    ("9 Quarry Lane", "2026-06", "1985"), ("31 Old Mill Rd", "2026-07", "2260")),
    "contacts": (("name", "role"), ("Tess Okafor", "Closing"), ("Wade Pruitt", "Review desk")),
}  # fmt: skip
LINES: dict[str, Sequence[str]] = {
    "engagement": ("Letter of engagement", "Scope: one single-family residence, interior inspection",
                   "Purpose: refinance", "Please confirm receipt."),
    "drawing": ("Carton drawing, revision C", "Inner size 410 x 305 x 120 mm", "Flute: B, print: one colour"),
    "delivery": ("Delivery note", "3 pallets, 36 cartons each", "Received complete, signed at the gate"),
    "invoice": ("Invoice copy", "Payment terms: 30 days", "Thank you for your business"),
    "report": ("Review of the appraisal report", "Two questions on page 4", "No change of the value is asked for"),
}  # fmt: skip
TYPES = {"pdf": ("application", "pdf"), "csv": ("text", "csv")}


def content(name: str) -> tuple[bytes, str, str]:
    """The bytes and media type of a file by its name (`order-4471.csv`). Raises KeyError."""
    stem, _, ending = name.rpartition(".")
    kind = stem.partition("-")[0]
    made = _csv(ROWS[kind]) if ending == "csv" else _pdf((*LINES[kind], stem))
    return made, *TYPES[ending]


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()


def _pdf(lines: Sequence[str]) -> bytes:
    """A one-page PDF 1.4 with a true cross-reference table."""
    shown = " ".join(f"({line}) Tj 0 -20 Td" for line in lines).encode("latin-1")
    stream = b"BT /F1 12 Tf 72 760 Td " + shown + b" ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    written, starts = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        starts.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(written))
    return written + head + table + end
