# SPDX-License-Identifier: Apache-2.0
"""`fw-tools ecc`: look at a code, or write its encoder and decoder."""

import json
from collections import Counter
from collections.abc import Callable
from math import comb
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from telemetry.common.console import output
from telemetry.common.exit_codes import ExitCode

if TYPE_CHECKING:
    from fw_tools.ecc import LinearCode

_CODES = ("hsiao", "secded", "secded-odd", "secded-any", "dec", "dec-ted")
_NARROWEST, _WIDEST = 4, 1024  # Of any code.


def _code_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that name a code."""
    width = click.IntRange(_NARROWEST, _WIDEST)
    command = click.option("--data-bits", type=width, required=True, help="Bits of a data word.")(
        command
    )
    return click.option(
        "--code",
        type=click.Choice(_CODES),
        default="hsiao",
        show_default=True,
        help="hsiao: corrects one flipped bit, reports two (SEC-DED), fewest ones in the matrix. "
        "secded: the same, its matrix chosen so that the encoder shares most. "
        "secded-odd, secded-any: the same, taking fewer triple flips for single ones. "
        "dec: corrects two. "
        "dec-ted: corrects two, reports three.",
    )(command)


@click.group()
def ecc() -> None:
    """Show and emit error-correcting codes.

    \b
    Examples:
      fw-tools ecc show --data-bits 64
      fw-tools ecc show --code dec-ted --data-bits 64
      fw-tools ecc emit --data-bits 64 -o build/codec
    """


@ecc.command()
@_code_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(code: str, data_bits: int, as_json: bool) -> ExitCode:
    """Print the parity-check matrix of a code, its weights and its cost in XOR gates.

    The cost is that of plain trees of two-input gates that share nothing, and of an encoder that
    adds up once what check bits have in common; depth is in levels.
    """
    from fw_tools.ecc.codes import code_named

    facts = _facts(code_named(code.replace("-", "_"), data_bits))
    output().print(json.dumps(facts, indent=2) if as_json else _page(facts), markup=False)
    return ExitCode.DONE


@ecc.command()
@_code_options
@click.option(
    *("-o", "--output", "folder"),
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Where the files go: a new or empty folder, or one that this command wrote.",
)
def emit(code: str, data_bits: int, folder: Path) -> ExitCode:
    """Write a stand-alone encoder and decoder in SystemVerilog to DIR.

    The same code and width give the same bytes everywhere. A file that this command did not write
    is never touched.
    """
    from fw_tools.ecc.codes import code_named
    from fw_tools.rtl.codec import render_codec
    from fw_tools.rtl.digest import model_digest
    from fw_tools.rtl.emit import GeneratedFile
    from fw_tools.rtl.emit import emit as write

    name = code.replace("-", "_")
    rendered = render_codec(data_bits, name)
    files = [GeneratedFile(file.path.relative_to("rtl"), file.text) for file in rendered]
    changed = write(files, folder, model_digest(code_named(name, data_bits)))
    for file in files:
        state = "written" if str(file.path) in changed else "unchanged"
        output().print(f"{state:9}  {folder / file.path}", markup=False)
    return ExitCode.DONE


def _facts(code: "LinearCode") -> dict[str, Any]:
    """Return what is known of a code, as JSON takes it; masks as text, for they pass 64 bits."""
    from fw_tools.ecc import encoder_cost, minimum_distance, syndrome_cost
    from fw_tools.ecc.codes import encoder_circuit
    from fw_tools.ecc.few_miscorrections import triple_miscorrection

    digits = (code.codeword_bits + 3) // 4
    encoder, syndrome = encoder_cost(code), syndrome_cost(code)
    shared = encoder_circuit(code)
    return {
        "code": code.name,
        "data_bits": code.data_bits,
        "check_bits": code.check_bits,
        "codeword_bits": code.codeword_bits,
        "minimum_distance": minimum_distance(code.columns),
        "ones": sum(column.bit_count() for column in code.columns),
        "triple_miscorrection": _rounded(triple_miscorrection(code) if code.errors == 1 else None),
        "silent_flips": {str(flips): _silent(code, flips) for flips in (4, 5, 6)},
        "columns": list(code.columns),
        "column_weights": [column.bit_count() for column in code.columns],
        "row_masks": [f"0x{mask:0{digits}x}" for mask in code.row_masks],
        "row_weights": [mask.bit_count() for mask in code.row_masks],
        "encoder": {"xor2": encoder.xor2, "depth": encoder.depth},
        "encoder_shared": {"xor2": len(shared.gates), "depth": shared.depth},
        "syndrome": {"xor2": syndrome.xor2, "depth": syndrome.depth},
    }


def _shares(facts: dict[str, Any]) -> list[str]:
    from fw_tools.ecc.few_miscorrections import fewest_by_fourier

    lines = []
    if facts["triple_miscorrection"] is not None:
        text = f"{100 * facts['triple_miscorrection']:.3f} % taken for a single one"
        if all(weight % 2 for weight in facts["column_weights"]):
            least = fewest_by_fourier(facts["codeword_bits"], facts["check_bits"])
            text += f"; columns of odd weight: at least {100 * least:.2f} %"
        lines.append(f"triple flips    {text}")
    for flips, share in facts["silent_flips"].items():
        if share:
            lines.append(f"{flips} flips         {100 * share:.4g} % unseen")
    return lines


def _silent(code: "LinearCode", flips: int) -> float | None:
    """Return the share of so many flips that make another codeword."""
    from fw_tools.ecc.few_miscorrections import words_of_weight

    words = words_of_weight(code, flips)
    return None if words is None else _rounded(words / comb(code.codeword_bits, flips))


def _rounded(share: float | None) -> float | None:
    return None if share is None else float(f"{share:.5g}")


def _page(facts: dict[str, Any]) -> str:
    n, k = facts["codeword_bits"], facts["data_bits"]
    weights = sorted(Counter(facts["column_weights"]).items())
    checks = facts["check_bits"]
    lines = [
        f"{facts['code']} ({n},{k}): minimum distance {facts['minimum_distance']}",
        "",
        f"Parity-check matrix: codeword bit {n - 1} on the left, the top {checks} are check bits.",
    ]
    for row, (mask, weight) in enumerate(
        zip(facts["row_masks"], facts["row_weights"], strict=True)
    ):
        bits = f"{int(mask, 16):0{n}b}".replace("0", ".")
        lines.append(f"  {row:2}  {bits}  {mask}  weight {weight}")
    lines += [
        "",
        f"ones            {facts['ones']}",
        "column weights  " + ", ".join(f"{count} of weight {weight}" for weight, count in weights),
        f"row weights     {min(facts['row_weights'])} to {max(facts['row_weights'])}",
    ]
    lines += _shares(facts)
    parts = {"encoder": "encoder", "encoder_shared": "  shared", "syndrome": "syndrome"}
    for part, label in parts.items():
        cost = facts[part]
        lines.append(f"{label:14}  {cost['xor2']} XOR2, depth {cost['depth']}")
    return "\n".join(lines)
