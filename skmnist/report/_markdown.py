"""A brief report in Markdown."""

import re

from ._content import Code, Matrix, Table

__all__ = ["markdown"]

# What CommonMark and tables of GitHub would not show as it is. An underscore within a
# word, as in mlp_512, is plain.
_MARKUP = re.compile(
    r"""[\\`*\[\]|~$]
    | (?<![^\W_])_ | _(?![^\W_])
    | <(?=[A-Za-z/!?])
    | &(?=\#?\w+;)
    | ^[#>+-](?=\s|[#>-]|$)
    """,
    re.VERBOSE,
)


def markdown(report):
    """Write a report with its tables in Markdown."""
    parts = [f"# {_plain(report.title)}", *map(_plain, report.summary)]
    if report.key_figures:
        lines = (
            f"- **{_plain(f.number)}** {_plain(f.meaning)}" for f in report.key_figures
        )
        parts.append("\n".join(lines))
    for section in report.sections:
        blocks = section.brief_blocks
        if blocks:
            parts.append(f"## {_plain(section.title)}")
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
                longest = max(map(len, re.findall("`+", block.text)), default=0)
                fence = "`" * max(3, longest + 1)
                parts.append(
                    f"{_plain(block.label)}:\n\n{fence}\n{block.text}\n{fence}"
                )
                continue
            else:
                parts.append(_plain(block.text))
                continue
            parts += [f"{_plain(block.caption)}:", _table(columns, rows)]
    return "\n\n".join(parts) + "\n"


def _table(columns, rows):
    lines = [
        [_plain(name) for name, _ in columns],
        ["---:" if is_number else "---" for _, is_number in columns],
        *(map(_plain, row) for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text):
    """Write a text on one line so that Markdown shows it as it is."""
    text = _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))
    return re.sub(r"^(\d+)([.)] )", r"\1\\\2", text)  # no numbered list
