"""A brief report in Markdown."""

from ._content import Code, Matrix, Table

__all__ = ["markdown"]


def markdown(report):
    """Write a report with its tables in Markdown."""
    parts = [f"# {report.title}", *report.summary]
    if report.key_figures:
        lines = (f"- **{f.number}** {f.meaning}" for f in report.key_figures)
        parts.append("\n".join(lines))
    for section in report.sections:
        blocks = section.brief_blocks
        if blocks:
            parts.append(f"## {section.title}")
        for block in blocks:
            if isinstance(block, Table):
                columns = [(column.name, column.number) for column in block.columns]
                rows = [[cell.text for cell in row] for row in block.rows]
            elif isinstance(block, Matrix):
                columns = [("", False), *((label, True) for label in block.labels)]
                rows = [
                    [label, *(text for text, _ in row)]
                    for label, row in zip(block.labels, block.rows, strict=True)
                ]
            elif isinstance(block, Code):
                parts.append(f"{block.label}:\n\n```\n{block.text}\n```")
                continue
            else:
                parts.append(block.text)
                continue
            parts += [f"{block.caption}:", _table(columns, rows)]
    return "\n\n".join(parts) + "\n"


def _table(columns, rows):
    lines = [
        [name for name, _ in columns],
        ["---:" if is_number else "---" for _, is_number in columns],
        *([" ".join(text.split()).replace("|", "\\|") for text in row] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
