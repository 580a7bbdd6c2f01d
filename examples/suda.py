# SPDX-License-Identifier: Apache-2.0
"""SUDA, the dust analyser of Europa Clipper: science packets of the laboratory model, APID 1425.

    fw-telemetry decode DUMP --skip 4 --definition examples/suda.py:PACKETS -o suda.csv

Four octets stand before each packet. Field names are those of the instrument's database, without
the prefix IDX__, which gives no units. Each packet ends in the CRC-16 of CCSDS.

An event is one packet with the settings (SCIFETCHTYPE 1) and several with the waveforms, which
`waveform` unpacks. A long waveform is cut: join the SCIFETCHRAW of all packets of one SCIFETCHTYPE
before that.
"""

import os
from typing import Any

import numpy as np
from construct import (
    Bit,
    BitsInteger,
    BitStruct,
    Bytes,
    Enum,
    Int8ub,
    Int16ub,
    Int24ub,
    Int32ub,
    Struct,
    Switch,
    this,
)

TAIL_OCTETS = 4  # SYNCSCIFETCHPKT and the CRC.

DISABLED_ENABLED = Enum(Bit, DS=0, EN=1)
OFF_ON = Enum(Bit, DIS=0, ENA=1)
POLARITY = Enum(Bit, POS=0, NEG=1)


def _raw_octets(context: Any) -> int:
    """Return how many octets of waveform a packet holds: what is left before its tail."""
    if context._building:
        return len(context.SCIFETCHRAW)
    stream = context._io
    here, end = stream.tell(), stream.seek(0, os.SEEK_END)
    stream.seek(here)
    return max(end - here - TAIL_OCTETS, 0)


SETTINGS = Struct(
    "FETHDRSCIEVTLEN" / Int32ub,
    "FETHDRSP00" / Int16ub,
    "FETHDRTIMESEC1" / Int16ub,
    "FETHDRTIMESEC2" / Int16ub,
    "FETHDRTIMESUBS" / Int16ub,
    "FETHDRTRIG"
    / BitStruct(
        "FETHDRSP01" / Bit,
        "FETHDRTRIGOFFSET" / BitsInteger(3),
        "FETHDRSP02" / BitsInteger(2),
        "FETHDRTRIGID" / BitsInteger(10),
    ),
    "FETHDREVTNUM" / Int16ub,
    "FETHDRBLOCKS" / Int32ub,
    "FETHDRHGTRIGCTRL1" / Int32ub,
    "FETHDRHGTRIGCTRL2" / Int32ub,
    "FETHDRLGTRIGCTRL1" / Int32ub,
    "FETHDRLGTRIGCTRL2" / Int32ub,
    "FETHDRMGTRIGCTRL1" / Int32ub,
    "FETHDRMGTRIGCTRL2" / Int32ub,
    "FETHDRSP03" / Int8ub,
    "FETHDRLSADC" / Int24ub,
    "FETHDRMODES"
    / BitStruct(
        "FETHDRPOLSTAT" / POLARITY,
        "FETHDRSP04" / BitsInteger(22),
        "FETHDRPOLCTRL" / POLARITY,
        "FETHDRCOINENA" / OFF_ON,
        "FETHDRLSTRIGMODE" / OFF_ON,
        "FETHDRMGTRIGMODE" / BitsInteger(2),
        "FETHDRLGTRIGMODE" / BitsInteger(2),
        "FETHDRHGTRIGMODE" / BitsInteger(2),
    ),
    "FETHDRSP05" / Int32ub,
    "FETHDRSP06" / Int32ub,
    "FETHDRSP07" / Int32ub,
    "FETHDRSP08" / Int32ub,
    "FETHDRTOFMAX" / Int32ub,
    "FETHDRTOFMIN" / Int32ub,
    "FETHDRLS0MAXMIN" / Int32ub,
    "FETHDRLS1MAXMIN" / Int32ub,
    "FETHDRLS2MAXMIN" / Int32ub,
    "FETHDRFIFODELAY" / Int32ub,
    "FETHDRSAMPDELAY" / Int32ub,
    "FETHDRTRANSCNT" / Int32ub,
    "FETHDRPROCHKCH01" / Int32ub,
    "FETHDRPROCHKCH23" / Int32ub,
    "FETHDRPROCHKCH45" / Int32ub,
    "FETHDRPROCHKCH67" / Int32ub,
    "FETHDRHVPSHKCH01" / Int32ub,
    "FETHDRHVPSHKCH23" / Int32ub,
    "FETHDRHVPSHKCH45" / Int32ub,
    "FETHDRHVPSHKCH67" / Int32ub,
    "FETHDRLVHK0CH01" / Int32ub,
    "FETHDRLVHK0CH23" / Int32ub,
    "FETHDRLVHK0CH45" / Int32ub,
    "FETHDRLVHK0CH67" / Int32ub,
    "FETHDRLVHK1CH01" / Int32ub,
    "FETHDRLVHK1CH23" / Int32ub,
    "FETHDRLVHK1CH45" / Int32ub,
    "FETHDRLVHK1CH67" / Int32ub,
    "FETHDRLVHK2CH01" / Int32ub,
    "FETHDRLVHK2CH23" / Int32ub,
    "FETHDRLVHK2CH45" / Int32ub,
    "FETHDRLVHK2CH67" / Int32ub,
    "FETHDRSP09" / Int32ub,
    "FETHDRSP10" / Int32ub,
    "FETHDRFSWAIDCOPY" / Int32ub,
    "FETHDRFSWBINCOPY" / Int32ub,
    "FETHDRFSWMAJOR" / Int8ub,
    "FETHDRFSWMINOR" / Int8ub,
    "FETHDRFSWPATCH" / Int16ub,
    "FETHDRFSWHVSTAT" / Int32ub,
    "FETHDRFSWMEM0" / Int32ub,
    "FETHDRFSWMEM1" / Int32ub,
    "FETHDRFSWPT0" / Int32ub,
    "FETHDRFSWPT1" / Int32ub,
    "FETHDRFSWPT2" / Int32ub,
    "FETHDRFSWPT3" / Int32ub,
    "FETHDRFSWPT4" / Int32ub,
    "FETHDRFSWPT5" / Int32ub,
    "FETHDRFSWPT6" / Int32ub,
    "FETHDRFSWPT7" / Int32ub,
    "FETHDRFSWPT8" / Int32ub,
    "FETHDRFSWPT9" / Int32ub,
    "FETHDRFPGAVER" / Int32ub,
)

WAVEFORM = Struct("SCIFETCHRAW" / Bytes(_raw_octets))

PACKET = Struct(
    "SHCOARSE" / Int32ub,
    "SHFINE" / Int16ub,
    "SCIFETCHAID" / Int32ub,
    "SCIFETCHTYPE" / Int8ub,
    "SCIFETCHCONT" / Int8ub,
    "SCIFETCHFLAGS"
    / BitStruct(
        "SCIFETCHSPARE1" / BitsInteger(13),
        "SCIFETCHPACK" / DISABLED_ENABLED,
        "SCIFETCHFRAG" / DISABLED_ENABLED,
        "SCIFETCHCOMP" / DISABLED_ENABLED,
    ),
    "SCIFETCHEVTNUM" / Int16ub,
    "SCIFETCHCAT" / Int8ub,
    "SCIFETCHQUAL" / Int8ub,
    "SCIFETCHFRAGOFF" / Int16ub,
    "SCIFETCHVER" / Int16ub,
    "SCIFETCHTIME32" / Int32ub,
    "SCIFETCHSPARE2" / Int32ub,
    "SCIFETCHSPARE3" / Int32ub,
    "SCIFETCHSPARE4" / Int32ub,
    "event" / Switch(this.SCIFETCHTYPE, {1: SETTINGS}, default=WAVEFORM),
    "SYNCSCIFETCHPKT" / Int16ub,
    "packet_error_control" / Int16ub,  # CRCSCIFETCHPKT
)

PACKETS = {1425: PACKET}

# SCIFETCHTYPE -> bits of padding before the points of a 32-bit word, bits of a point.
PACKING = {2: (2, 10), 4: (2, 10), 8: (2, 10), 16: (8, 12), 32: (8, 12), 64: (8, 12)}


def waveform(raw: bytes, science_type: int) -> "np.ndarray[Any, np.dtype[np.uint32]]":
    """Return the points of a waveform as raw counts, three or two of them in each 32-bit word.

    `science_type` is SCIFETCHTYPE; `KeyError` when it is none of a waveform.
    """
    padding, bits = PACKING[science_type]
    words = np.frombuffer(raw, ">u4").astype(np.uint32)
    shifts = np.arange(32 - padding - bits, -1, -bits, dtype=np.uint32)
    return (words[:, None] >> shifts & (1 << bits) - 1).ravel().astype(np.uint32)
