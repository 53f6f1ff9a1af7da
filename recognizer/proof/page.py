"""report.html: tables, plots and failure sheets in one file that asks the network for nothing."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from recognizer.proof.report import Table, tables

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222;
  max-width: 1200px; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; display: block;
  overflow-x: auto }
th, td { padding: .25em .7em; border-bottom: 1px solid #ddd; text-align: left }
th { border-bottom: 2px solid #888 }
img { max-width: 100%; display: block; margin: 1em 0 }
p { max-width: 48em }
dt { float: left; width: 9em; color: #666 } dd { margin-left: 9em }
summary { cursor: pointer; margin: .4em 0 }
"""


def page(
    report: Mapping[str, Any], plots: Sequence[tuple[str, bytes]], sheets: Sequence[tuple[str, bytes]]
) -> str:
    """The whole file; `sheets` are JPEG."""
    body = [
        "<h1>Plate benchmark</h1>",
        "<dl>",
        *(f"<dt>{escape(key)}</dt><dd>{escape(str(value))}</dd>" for key, value in report["made"].items()),
        "</dl>",
    ]
    shown = [part(table) for table in tables(report)]
    drawn = [f"<h2>{escape(title)}</h2>{picture(title, content, 'png')}" for title, content in plots]
    body += [*shown[:1], *drawn, *shown[1:], *failures(sheets)]
    head = f'<meta charset="utf-8"><title>Plate benchmark</title><style>{STYLE}</style>'
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n'
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def part(table: Table) -> str:
    """A table under its heading."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    title, note = escape(table.title), escape(table.note)
    drawn = f"<table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>"
    return f"<h2>{title}</h2>\n<p>{note}</p>\n{drawn}"


def failures(sheets: Sequence[tuple[str, bytes]]) -> Iterator[str]:
    """Folded, one for each reader and set."""
    if sheets:
        yield "<h2>What was read wrong</h2>"
    for title, content in sheets:
        inner = picture(title, content, "jpeg")
        yield f"<details><summary>{escape(title)}</summary>{inner}</details>"


def picture(title: str, content: bytes, kind: str) -> str:
    return f'<img alt="{escape(title)}" src="data:image/{kind};base64,{b64encode(content).decode()}">'
