# SPDX-License-Identifier: Apache-2.0
"""What a Parquet file held before the disk was full, as a Parquet file again.

A Parquet file ends in a footer that lists its row groups; without it nothing can be read. When the
disk is full, the footer is made for the groups that fit, and takes the place of those that do not.
"""

import io
from typing import IO, Any

from telemetry.common.errors import DISK_FULL


class SpillingFile(io.RawIOBase):
    """A file that goes on in memory where the disk is full; all of it can be read back."""

    def __init__(self, stream: IO[Any]) -> None:
        super().__init__()
        self._stream = stream  # Without a buffer, open for reading and writing.
        self._size = 0  # On the disk.
        self._spill = bytearray()
        self._at = 0  # Where reading goes on.
        self.error: OSError | None = None  # Why it goes on in memory.

    def writable(self) -> bool:
        """Whether it can be written."""
        return True

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def seekable(self) -> bool:
        """Whether reading can go on elsewhere."""
        return True

    def write(self, data: Any) -> int:
        """Add octets, to the disk if it takes them."""
        rest = memoryview(data).cast("B")
        total = len(rest)
        while rest and self.error is None:
            try:
                written = self._stream.write(rest)
            except OSError as error:
                if error.errno not in DISK_FULL:
                    raise
                self.error = error
            else:
                self._size += written
                rest = rest[written:]
        self._spill += rest
        self._at += total
        return total

    def tell(self) -> int:
        """Return where reading goes on; while writing, the end."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go elsewhere for reading."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = base + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Read from the disk and from memory as if it were one file."""
        end = self.size if size < 0 else min(self._at + size, self.size)
        found = b""
        if self._at < self._size:
            self._stream.seek(self._at)
            found = self._stream.read(min(end, self._size) - self._at)
        if end > self._size:
            found += self._spill[max(self._at - self._size, 0) : end - self._size]
        self._at += len(found)
        return found

    @property
    def size(self) -> int:
        """Octets on the disk and in memory."""
        return self._size + len(self._spill)

    def replace_tail(self, start: int, tail: bytes) -> bool:
        """Let the file end in `tail`, at `start`; return whether the disk takes it."""
        self._stream.truncate(start)
        self._stream.seek(start)
        rest = memoryview(tail)
        try:
            while rest:
                rest = rest[self._stream.write(rest) :]
        except OSError:
            return False
        return True


class _Counting(io.RawIOBase):
    """Keeps nothing but the size, and what comes behind a mark."""

    def __init__(self) -> None:
        super().__init__()
        self.size = 0
        self.tail: bytearray | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        octets = memoryview(data).cast("B")
        self.size += len(octets)
        if self.tail is not None:
            self.tail += octets
        return len(octets)

    def tell(self) -> int:
        return self.size


def salvage(file: SpillingFile, schema: Any) -> int:
    """Give a file that was closed by its writer a footer that fits; return the rows it keeps.

    0 where not even one row group fits.
    """
    import pyarrow.parquet as pq

    source = pq.ParquetFile(file)
    metadata = source.metadata
    for groups in range(metadata.num_row_groups - 1, 0, -1):
        sink = _Counting()
        writer = pq.ParquetWriter(sink, schema)
        for group in range(groups):
            writer.write_table(source.read_row_group(group))
        end, sink.tail = sink.size, bytearray()
        writer.close()
        if end == _end_of(metadata, groups) and file.replace_tail(end, bytes(sink.tail)):
            return sum(metadata.row_group(group).num_rows for group in range(groups))
    return 0


def _end_of(metadata: Any, groups: int) -> int:
    """Return where the next group begins: the same groups, written again, take the same room."""
    group = metadata.row_group(groups)
    columns = (group.column(index) for index in range(group.num_columns))
    pages = ((column.dictionary_page_offset, column.data_page_offset) for column in columns)
    return min(int(place) for pair in pages for place in pair if place is not None)
