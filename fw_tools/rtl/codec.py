# SPDX-License-Identifier: Apache-2.0
"""A code to SystemVerilog: an encoder and a decoder that stand alone."""

from pathlib import PurePosixPath
from typing import Any

from fw_tools.ecc import LinearCode
from fw_tools.ecc.bch import BchCode
from fw_tools.ecc.codes import FAMILIES, code_named, encoder_circuit
from fw_tools.ecc.locating import locating
from fw_tools.rtl.digest import model_digest
from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.render import header, render
from fw_tools.rtl.xor_text import xor_text


def codec_name(code: LinearCode) -> str:
    """Return the stem of the module names, as in `hsiao_72_64`."""
    return f"{code.name}_{code.codeword_bits}_{code.data_bits}"


def render_codec(data_bits: int, name: str = "hsiao") -> tuple[GeneratedFile, ...]:
    """Return the encoder and decoder of a code of `FAMILIES`, one module a file under `rtl/`.

    The text depends on the code alone. `CodeError` is raised for a name or width that is not there.
    """
    code = code_named(name, data_bits)
    if code.name == "hsiao":
        return (
            _module(code, "enc", "codec_enc", "encoder: appends the check bits."),
            _module(code, "dec", "codec_dec", "decoder: corrects one flipped bit, reports two."),
        )
    circuit = encoder_circuit(code)
    encoder = _module(
        code,
        "enc",
        "codec_shared_enc",
        "encoder: appends the check bits.",
        encoder=circuit,
        text=xor_text(circuit, "data_i", "check"),
    )
    checks = xor_text(circuit, "data", "check")
    if isinstance(code, BchCode):
        corrects = "decoder: corrects two flipped bits."
        sums = locating(code)
        return encoder, _module(code, "dec", "codec_bch_dec", corrects, text=checks, sums=sums)
    corrects = "decoder: corrects one flipped bit, reports two."
    return encoder, _module(code, "dec", "codec_dec", corrects, text=checks)


def _module(
    code: LinearCode, kind: str, template: str, purpose: str, **context: Any
) -> GeneratedFile:
    name = codec_name(code)
    title = f"{FAMILIES[code.name].title} ({code.codeword_bits},{code.data_bits}) {purpose}"
    head = header("//", model_digest(code), title)
    text = render(f"{template}.sv.j2", head=head, name=name, code=code, **_layout(code), **context)
    return GeneratedFile(PurePosixPath(f"rtl/{name}_{kind}.sv"), text)


def _layout(code: LinearCode) -> dict[str, str]:
    """Return the vector ranges of the ports, all as wide as the widest."""
    bits = {"codeword": code.codeword_bits, "data": code.data_bits, "check": code.check_bits}
    width = len(f"[{code.codeword_bits - 1}:0]")
    ranges = {f"{name}_range": f"[{count - 1}:0]".ljust(width) for name, count in bits.items()}
    return ranges | {"blank": " " * width}
