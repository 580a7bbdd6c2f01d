# SPDX-License-Identifier: Apache-2.0
"""A code to SystemVerilog: an encoder and a decoder that stand alone."""

from pathlib import PurePosixPath

from fw_tools.ecc import LinearCode, hsiao
from fw_tools.rtl.digest import model_digest
from fw_tools.rtl.emit import GeneratedFile
from fw_tools.rtl.render import header, render


def codec_name(code: LinearCode) -> str:
    """Return the stem of the module names, as in `hsiao_72_64`."""
    return f"{code.name}_{code.codeword_bits}_{code.data_bits}"


def render_codec(data_bits: int) -> tuple[GeneratedFile, ...]:
    """Return the Hsiao encoder and decoder of a data width, one module a file under `rtl/`.

    The text depends on the width alone. `CodeError` is raised for a width out of range.
    """
    code = hsiao(data_bits)
    return (
        _module(code, "enc", "encoder: appends the check bits."),
        _module(code, "dec", "decoder: corrects one flipped bit, reports two."),
    )


def _module(code: LinearCode, kind: str, purpose: str) -> GeneratedFile:
    name = codec_name(code)
    title = f"Hsiao ({code.codeword_bits},{code.data_bits}) {purpose}"
    head = header("//", model_digest(code), title)
    text = render(f"codec_{kind}.sv.j2", head=head, name=name, code=code, **_layout(code))
    return GeneratedFile(PurePosixPath(f"rtl/{name}_{kind}.sv"), text)


def _layout(code: LinearCode) -> dict[str, str]:
    """Return the vector ranges of the ports, all as wide as the widest."""
    bits = {"codeword": code.codeword_bits, "data": code.data_bits, "check": code.check_bits}
    width = len(f"[{code.codeword_bits - 1}:0]")
    ranges = {f"{name}_range": f"[{count - 1}:0]".ljust(width) for name, count in bits.items()}
    return ranges | {"blank": " " * width}
