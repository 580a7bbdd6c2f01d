# SPDX-License-Identifier: Apache-2.0
"""The compiled machine from Python: golden run, then injections as arrays."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
NEVER = (1 << 32) - 1
NOT_RUN = 255
_POINTER = ctypes.c_void_p


class Outcome(IntEnum):
    """What came of an injection; the first that holds."""

    UNSAFE = 0  # What must never be, was.
    SILENT = 1  # Wrong data was handed over, and no alarm came within the window.
    HANG = 2  # Nothing was handed over for so long although golden had something.
    DETECTED = 3  # Wrong data, and an alarm in time.
    OUTAGE = 4  # A false alarm or a needless safe action.
    CORRECTED = 5  # It was found and corrected.
    TIMING = 6  # The same data at other clocks.
    LATENT = 7  # The state still differs at the horizon.
    MASKED = 8


class Kind(IntEnum):
    """What is done to a place."""

    FLIP = 0  # Stored bits are inverted, before a clock.
    TRANSIENT = 1  # A gate's output is inverted, for one clock.
    STUCK_0 = 2  # A flip-flop is 0 from a clock on, whatever its reset says.
    STUCK_1 = 3
    NET_STUCK_0 = 4  # A gate's output is 0 from a clock on.
    NET_STUCK_1 = 5
    RESET = 6  # Flip-flops of a domain are reset at the start of a clock, and at its end.
    CLOCK_LOST = 7  # A domain keeps its state at the end of a clock.
    CLOCK_EXTRA = 8  # A domain ticks once more at the start of a clock, with that clock's inputs.

    @property
    def is_of_gates(self) -> bool:
        """Whether it happens to the nets of gates."""
        return self in (Kind.TRANSIENT, Kind.NET_STUCK_0, Kind.NET_STUCK_1)

    @property
    def is_of_domain(self) -> bool:
        """Whether it happens to all of a domain."""
        return self in (Kind.RESET, Kind.CLOCK_LOST, Kind.CLOCK_EXTRA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Over how many clocks an injection is watched."""

    horizon: int = 1000
    alarm_window: int = 16
    hang_after: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Injections:
    """Jobs in the order of their clocks; job i has places first[i] to first[i + 1]."""

    cycle: Array  # uint32, not falling
    kind: Array  # uint8, `Kind`
    first: Array  # uint32, one more than jobs
    places: Array  # uint32: flip-flops, then bits of memories; or nets of gates; or domains
    numbers: Array | None = None  # What each is called in the results; by default its first place.
    domains: tuple[Array, ...] = ()  # Of each the flip-flops, then (counted on) memories.
    weights: Array | None = None  # How many injections each stands for; by default one.
    ruled: Array | None = None  # The outcome of those that need no run; else `NOT_RUN`.

    def __len__(self) -> int:
        return len(self.cycle)

    @property
    def weight(self) -> Array:
        """How many injections each job stands for."""
        return np.ones(len(self), np.uint32) if self.weights is None else self.weights

    def some(self, jobs: Array) -> "Injections":
        """Return those of `jobs`, which rise and have one place each."""
        return Injections(
            cycle=self.cycle[jobs],
            kind=self.kind[jobs],
            first=np.arange(len(jobs) + 1, dtype=np.uint32),
            places=self.places[self.first[jobs]],
            numbers=self.called[jobs],
            domains=self.domains,
            weights=self.weight[jobs],
        )

    @property
    def called(self) -> Array:
        """What each job's place is called in the results."""
        return self.places[self.first[:-1]] if self.numbers is None else self.numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What came of each job, and what it took."""

    outcome: Array  # uint8, `Outcome`; 255 where it was interrupted
    effect: Array  # uint32, clocks from the injection to what decided it; `NEVER`: nothing did
    clocks: int  # That were evaluated.
    lane_clocks: int  # That held an injection.


class _Limits(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("horizon", "alarm_window", "hang_after")]


class _Jobs(ctypes.Structure):
    _fields_ = [
        ("count", ctypes.c_uint32),
        *[(name, _POINTER) for name in ("cycle", "kind", "first", "places")],
        *[(name, _POINTER) for name in ("domain_first", "domain_members", "outcome", "effect")],
    ]


class Engine:
    """One machine with one stimulus; its golden run is done when this is made.

    `inputs` is uint8 of shape (cycles, input bits), `initial` uint8 of every flip-flop and then of
    every bit of every memory.
    """

    def __init__(self, library: Path, inputs: Array, initial: Array) -> None:
        self._library = ctypes.CDLL(str(library))
        self._library.machine_new.restype = _POINTER
        self._library.machine_new.argtypes = [ctypes.c_uint32, _POINTER, _POINTER]
        self._library.machine_transfers.restype = ctypes.c_uint64
        self._library.machine_transfers.argtypes = [_POINTER]
        self._library.machine_stream.restype = _POINTER
        self._library.machine_stream.argtypes = [_POINTER]
        self._library.machine_unsafe_at.restype = ctypes.c_uint32
        self._library.machine_unsafe_at.argtypes = [_POINTER]
        self._library.machine_run.argtypes = [_POINTER] * 5
        self._library.machine_free.argtypes = [_POINTER]
        self._inputs = np.ascontiguousarray(inputs, np.uint8)  # The machine reads them all along.
        start = np.ascontiguousarray(initial, np.uint8)
        self.cycles = len(self._inputs)
        self._stop = ctypes.c_int(0)
        self._machine = self._library.machine_new(
            self.cycles, self._inputs.ctypes.data, start.ctypes.data
        )

    @property
    def transfers(self) -> int:
        """What golden handed over."""
        return int(self._library.machine_transfers(self._machine))

    def handed_over(self, bits: int) -> Array:
        """Return the data of golden's transfers: bool, a row of `bits` for each."""
        row = (max(bits, 1) + 63) // 64 * 8
        packed = np.zeros((self.transfers, row), np.uint8)
        stream = self._library.machine_stream(self._machine)
        ctypes.memmove(packed.ctypes.data, stream, packed.nbytes)
        return np.unpackbits(packed, axis=1, count=bits, bitorder="little").astype(bool)

    @property
    def unsafe_at(self) -> int | None:
        """The clock in which golden itself is what must never be."""
        clock = int(self._library.machine_unsafe_at(self._machine))
        return None if clock == NEVER else clock

    def accesses(self) -> Array:
        """Return when golden accesses words of memories: rows of clock, word and what it does.

        Words count through all memories; it reads (1), writes the whole word (2) or a part (4).
        """
        run = self._library.machine_accesses
        run.restype = ctypes.c_uint64
        run.argtypes = [_POINTER, _POINTER, ctypes.c_uint64]
        rows = np.zeros((1, 3), np.uint32)
        while (count := int(run(self._machine, rows.ctypes.data, len(rows)))) > len(rows):
            rows = np.zeros((count, 3), np.uint32)
        return rows[:count]

    def stop(self) -> None:
        """End `run` soon; from another thread or a signal."""
        self._stop.value = 1

    def run(self, injections: Injections, limits: Limits) -> Results:
        """Inject and return what came of it.

        Raises `ValueError` for a job whose horizon lies beyond the stimulus.
        """
        if len(injections) and int(injections.cycle[-1]) + limits.horizon > self.cycles:
            raise ValueError(
                f"an injection at clock {int(injections.cycle[-1])} is watched for "
                f"{limits.horizon} clocks, and the stimulus has {self.cycles}"
            )
        arrays: list[Array] = [
            np.ascontiguousarray(injections.cycle, np.uint32),
            np.ascontiguousarray(injections.kind, np.uint8),
            np.ascontiguousarray(injections.first, np.uint32),
            np.ascontiguousarray(injections.places, np.uint32),
            np.cumsum([0, *map(len, injections.domains)], dtype=np.uint32),
            np.concatenate([*injections.domains, [0]]).astype(np.uint32),
            np.full(len(injections), 255, np.uint8),
            np.full(len(injections), NEVER, np.uint32),
        ]
        jobs = _Jobs(len(injections), *[array.ctypes.data for array in arrays])
        bounds = _Limits(limits.horizon, limits.alarm_window, limits.hang_after)
        spent = np.zeros(2, np.uint64)
        self._library.machine_run(
            self._machine,
            ctypes.byref(jobs),
            ctypes.byref(bounds),
            ctypes.byref(self._stop),
            spent.ctypes.data,
        )
        return Results(
            outcome=arrays[-2], effect=arrays[-1], clocks=int(spent[0]), lane_clocks=int(spent[1])
        )

    def close(self) -> None:
        """Give the machine's memory back."""
        if self._machine:
            self._library.machine_free(self._machine)
            self._machine = None

    def __enter__(self) -> "Engine":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def single_flips(places: Sequence[int] | Array, cycles: Sequence[int] | Array) -> Injections:
    """Return a flip of every place in every clock."""
    cycle = np.repeat(np.asarray(cycles, np.uint32), len(places))
    return Injections(
        cycle=cycle,
        kind=np.full(len(cycle), Kind.FLIP, np.uint8),
        first=np.arange(len(cycle) + 1, dtype=np.uint32),
        places=np.tile(np.asarray(places, np.uint32), len(cycles)),
    )
