"""What a check answers: one small, kind panel, or the same in plain text."""

import html
import re
from dataclasses import dataclass

__all__ = ["Feedback"]

LOOK = {  # status: sign, words, colour of the edge, tint
    "passed": ("✓", "passed", "#2e7d32", "rgba(46, 125, 50, 0.10)"),
    "not yet": ("→", "not yet", "#b26a00", "rgba(178, 106, 0, 0.10)"),
    "not attempted": ("○", "not attempted yet", "#607d8b", "rgba(96, 125, 139, 0.10)"),
}


@dataclass(frozen=True)
class Feedback:
    """The answer of a check: shown as a panel in a notebook, as text elsewhere.

    Parameters
    ----------
    status : {"passed", "not yet", "not attempted"}
    title : str
        Number and title of the exercise.
    message : str
        What was expected and what came; `code` stands in backticks.
    hint : str
        What may help, or nothing.
    exercise : str
        Number of the exercise, such as "01.2".
    words : str
        The status in other words.
    note : str
        What went wrong beside the exercise, such as progress that could not be kept.

    Examples
    --------
    >>> Feedback("not yet", "01.2 Slope", "Expected 2, got -2.", "Look at the sign.", "01.2")
    → 01.2 Slope: not yet
      Expected 2, got -2.
      Hint: Look at the sign.
    """

    status: str
    title: str
    message: str = ""
    hint: str = ""
    exercise: str = ""
    words: str = ""
    note: str = ""

    @property
    def ok(self):
        """Whether the check passed."""
        return self.status == "passed"

    def __repr__(self):
        sign, words, *_ = LOOK[self.status]
        lines = [f"{sign} {self.title}: {self.words or words}", self.message]
        lines += [self.hint and f"Hint: {self.hint}", self.note and f"Note: {self.note}"]
        return "\n  ".join(line for line in lines if line)

    def _repr_html_(self):
        sign, words, edge, tint = LOOK[self.status]
        head = f"{_rich(self.title)}: {self.words or words}"
        rows = [f'<strong><span aria-hidden="true">{sign}</span> {head}</strong>']
        if self.message:
            rows.append(f"<div>{_rich(self.message)}</div>")
        if self.hint:
            rows.append(f"<div><strong>Hint:</strong> {_rich(self.hint)}</div>")
        if self.note:
            rows.append(f"<div><small>{_rich(self.note)}</small></div>")
        style = (
            f"border-left: 5px solid {edge}; background: {tint}; color: inherit; border-radius: 4px; "
            "padding: 8px 14px; margin: 4px 0; max-width: 860px; line-height: 1.55"
        )
        return f'<div role="status" style="{style}">{"".join(rows)}</div>'


def _rich(text):
    """Return `text` as HTML, with what stands in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))
