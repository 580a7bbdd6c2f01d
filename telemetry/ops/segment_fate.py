# SPDX-License-Identifier: Apache-2.0
"""What became of the group that a segment of a dump belongs to."""

from pathlib import Path

from telemetry.columns.definition import Definition
from telemetry.ops.decode import decode_dumps
from telemetry.ops.group_ledger import GroupDamage
from telemetry.ops.locate import Located
from telemetry.ops.options import Options
from telemetry.ops.table import Table
from telemetry.wire.space_packet import SEQUENCE_FLAGS_UNSEGMENTED, PrimaryHeader
from telemetry.wire.spans import Kind, Verdict


class _Nothing:
    """A sink that keeps nothing."""

    def take(self, table: Table) -> None:
        """Take packets."""


def segment_fate(
    dump: str, located: Located, definition: Definition | None, options: Options
) -> str:
    """Say it in words; "" of anything but a segment that is to be put together.

    The dump is read once more, unless it came through a pipe.
    """
    span = located.packet.span if located.packet else None
    header = span.header if span and span.kind is Kind.PACKET else None
    is_segment = header is not None and header.sequence_flags != SEQUENCE_FLAGS_UNSEGMENTED
    if span is None or header is None or not options.reassemble or not is_segment:
        return ""
    if span.verdict is Verdict.DAMAGED:
        return "no: its CRC does not hold, so it is in no group"
    if definition is None or not Path(dump).is_file():
        return "in its group, if that is whole: give a file and --definition to know"
    found = decode_dumps((dump,), definition, _Nothing(), options).ledger.groups
    assert found is not None
    for damage in found.damages:
        if _holds(damage, header, span.offset):
            first, last = damage.offsets
            return f"no: its group, from byte {first:,} to the packet at {last:,}: {damage.reason}"
    return "yes, in its group, which is whole"


def _holds(damage: GroupDamage, header: PrimaryHeader, offset: int) -> bool:
    first, last = damage.offsets
    return damage.apid == header.apid and first <= offset <= last
