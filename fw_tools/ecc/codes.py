# SPDX-License-Identifier: Apache-2.0
"""The codes there are, by name, and the encoder of each as a circuit."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from fw_tools.ecc.bch import bch
from fw_tools.ecc.chained import chain, secded
from fw_tools.ecc.circuit import XorCircuit
from fw_tools.ecc.code import CodeError, LinearCode
from fw_tools.ecc.few_miscorrections import secded_any, secded_odd
from fw_tools.ecc.hsiao import hsiao
from fw_tools.ecc.sharing import shared


@dataclass(frozen=True, slots=True)
class Family:
    """Codes of one kind, of many widths."""

    title: str
    summary: str
    build: Callable[[int], LinearCode]


FAMILIES = {
    "hsiao": Family(
        "Hsiao",
        "corrects one flipped bit, reports two (SEC-DED), fewest ones in the matrix",
        hsiao,
    ),
    "secded": Family(
        "SEC-DED", "the same, its matrix chosen so that the encoder shares most", secded
    ),
    "secded_odd": Family(
        "SEC-DED of odd weight",
        "the same, taking few triple flips for single ones",
        secded_odd,
    ),
    "secded_any": Family(
        "SEC-DED of any weight",
        "the same, taking the fewest triple flips for single ones; five may go unseen",
        secded_any,
    ),
    "dec": Family("BCH DEC", "corrects two flipped bits", bch),
    "dec_ted": Family(
        "BCH DEC-TED", "corrects two flipped bits, reports three", partial(bch, has_parity=True)
    ),
}
# Data bits: bound on depth and the seed of the smallest encoder of a thousand and more.
_SHARING = {
    "dec": {8: (3, 2), 16: (4, 80), 32: (5, 661), 64: (7, 1468), 128: (8, 37)},
    "dec_ted": {8: (3, 1), 16: (4, 75), 32: (5, 2099), 64: (7, 1373), 128: (8, 63)},
}


def code_named(name: str, data_bits: int) -> LinearCode:
    """Return a code of `FAMILIES`.

    Raise `CodeError` for another name, and for a width that the family has not.
    """
    if name not in FAMILIES:
        raise CodeError(f"no code {name}; there are: {', '.join(FAMILIES)}")
    return FAMILIES[name].build(data_bits)


def encoder_circuit(code: LinearCode) -> XorCircuit:
    """Return a circuit of the check bits of a code of `FAMILIES` that shares terms."""
    if code.name == "secded":
        return chain(code.data_bits).circuit()
    deepest = max(mask.bit_count() for mask in code.data_masks)
    depth, seed = _SHARING.get(code.name, {}).get(
        code.data_bits, (1 + (deepest - 1).bit_length(), 0)
    )
    return shared(code.data_masks, code.data_bits, depth, seed)
