# SPDX-License-Identifier: Apache-2.0
"""Error-correcting codes as arithmetic: matrices, encode, syndrome, decode, fault patterns.

Words are Python integers. Bit i of a codeword belongs to column i of H; data are the low bits and
the check bits stand above them, so a codeword reads `{check_bits, data_bits}`.
"""

from fw_tools.ecc.code import CodeError, Decoded, LinearCode, Verdict, decode, encode, syndrome
from fw_tools.ecc.cost import XorCost, encoder_cost, syndrome_cost
from fw_tools.ecc.distance import minimum_distance
from fw_tools.ecc.hsiao import hsiao
from fw_tools.ecc.patterns import bursts, flips

__all__ = [
    "CodeError",
    "Decoded",
    "LinearCode",
    "Verdict",
    "XorCost",
    "bursts",
    "decode",
    "encode",
    "encoder_cost",
    "flips",
    "hsiao",
    "minimum_distance",
    "syndrome",
    "syndrome_cost",
]
