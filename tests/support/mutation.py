# SPDX-License-Identifier: Apache-2.0
"""Many broken copies of a design in one program: which one runs is chosen in its harness."""

from collections.abc import Mapping


def mutate(text: str, place: str, mutated: Mapping[int, str], harness: str) -> str:
    """Make the expression between « and » of a place choosable; no choice leaves it as it is.

    `mutated` maps the number of each mutant to its expression; `harness` is the module that holds
    the number chosen, see `with_choice`.
    """
    before, _, rest = place.partition("«")
    original, _, after = rest.partition("»")
    assert text.count(before + original + after) == 1, place
    choice = f"({original})"
    for number, expression in mutated.items():
        choice = f"({harness}.mutant == {number} ? ({expression}) : {choice})"
    return text.replace(before + original + after, before + choice + after)


def with_choice(harness: str) -> str:
    """Add the variables that choose a mutant to the text of a harness."""
    header, end, body = harness.partition("\n);\n")
    return f"{header}{end}\n  int unsigned mutant = 0;\n  int unsigned mutant_bit = 0;\n{body}"
