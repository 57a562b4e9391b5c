"""What was measured: as a table in Markdown, as JSON, and as a picture."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

# Of the picture, in its own units.
WIDTH, LABEL, ROW, TOP = 780, 272, 26, 44
OURS, THEIRS = "#2f6fdf", "#9aa5b1"


@dataclass(frozen=True)
class Table:
    """Samples by row and column.

    Attributes:
        title: What was measured, with its unit.
        rows: The samples by row, then column; None for what never came.
        base: The row that the others are compared with.
    """

    title: str
    rows: dict[str, dict[str, list[float | None]]]
    base: str | None = None

    def markdown(self) -> str:
        """Medians, their ranges, and ratios to the base's median."""
        columns = list(next(iter(self.rows.values())))
        lines = [f"| {self.title} | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}"]
        for name, row in self.rows.items():
            cells = [self._cell(column, samples) for column, samples in row.items()]
            lines.append(f"| {name} | {' | '.join(cells)} |")
        return "\n".join(lines)

    def _cell(self, column: str, samples: list[float | None]) -> str:
        came = [sample for sample in samples if sample is not None]
        missing = f"never in {len(samples) - len(came)} of {len(samples)}" if len(came) < len(samples) else ""
        if not came:
            return missing
        median = statistics.median(came)
        text = f"{median:.4g}" if abs(median) < 10 else f"{median:.0f}"  # noqa: PLR2004 - where digits count
        if len(came) > 1:
            text += f" ({min(came):.0f} to {max(came):.0f})"
        if self.base:
            text += f" · {median / self._median(self.base, column):.2f}"
        return ", ".join(filter(None, [text, missing]))

    def _median(self, row: str, column: str) -> float:
        return statistics.median(sample for sample in self.rows[row][column] if sample is not None)

    def svg(self, column: str) -> str:
        """Bars of one column's medians."""
        medians = {name: self._median(name, column) for name in self.rows}
        scale = (WIDTH - LABEL - 80) / max(medians.values())
        bars = [
            _bar(index, name, median, scale, OURS if name.startswith("nextauth_py") else THEIRS)
            for index, (name, median) in enumerate(medians.items())
        ]
        height = TOP + ROW * len(bars) + 10
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'font-family="system-ui, sans-serif" font-size="13" role="img">\n'
            f'<rect width="{WIDTH}" height="{height}" rx="6" fill="#ffffff"/>\n'
            f'<text x="14" y="26" font-size="15" font-weight="600" fill="#1f2933">'
            f"{escape(f'{self.title}, {column} cache')}</text>\n{''.join(bars)}</svg>\n"
        )


def _bar(index: int, name: str, median: float, scale: float, colour: str) -> str:
    y = TOP + ROW * index
    width = max(median * scale, 1)
    return (
        f'<text x="{LABEL - 8}" y="{y + 15}" text-anchor="end" fill="#1f2933">{escape(name)}</text>'
        f'<rect x="{LABEL}" y="{y + 2}" width="{width:.1f}" height="{ROW - 8}" rx="2" fill="{colour}"/>'
        f'<text x="{LABEL + width + 6:.1f}" y="{y + 15}" fill="#1f2933">{median:.0f} ms</text>\n'
    )


def write(folder: Path, part: str, tables: list[Table], facts: dict[str, str]) -> None:
    """Put a part's tables into `results.json`, beside those of the other parts, and all into `results.md`."""
    path = folder / "results.json"
    parts = json.loads(path.read_text("utf-8")) if path.exists() else {}
    parts[part] = {"facts": facts, "tables": [asdict(table) for table in tables]}
    path.write_text(json.dumps(parts, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (folder / "results.md").write_text(_document(parts), "utf-8")


def _document(parts: dict[str, Any]) -> str:
    blocks = [
        "# Measured",
        "By `python3 -m benchmarks`. Medians (and ranges); after a dot the ratio to the first row.",
    ]
    for part, content in parts.items():
        facts = ", ".join(content["facts"].values())
        tables = [Table(**table).markdown() for table in content["tables"]]
        blocks += [f"## {part.capitalize()}", f"{facts}.", *tables]
    return "\n\n".join(blocks) + "\n"
