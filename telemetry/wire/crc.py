# SPDX-License-Identifier: Apache-2.0
"""The CRC-16 of CCSDS and ECSS packets."""

import binascii

CRC_OCTETS = 2
CRC_PRESET = 0xFFFF  # ECSS-E-ST-70-41C annex B: the register starts as all ones.


def crc16(data: bytes | bytearray | memoryview) -> int:
    """Return the CRC-16 of `data`: polynomial 0x1021, preset 0xFFFF, nothing reflected or inverted.

    This is the packet error control of ECSS-E-ST-70-41C annex B, known in catalogues as
    CRC-16/IBM-3740. Over a packet that ends in its own CRC the result is 0.
    """
    return binascii.crc_hqx(data, CRC_PRESET)
