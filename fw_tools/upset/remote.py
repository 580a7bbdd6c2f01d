# SPDX-License-Identifier: Apache-2.0
"""The tasks of a campaign done by the workers of a dask scheduler that the user names.

A worker needs the same version of this package and a processor with as many lanes; the compiled
machine is sent to it. Results come back and are kept here, as those of local processes are.
"""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from fw_tools.errors import MissingToolError
from fw_tools.upset.engine import Array, Engine

if TYPE_CHECKING:
    from fw_tools.upset.campaign import Setting

_PATIENCE_S = 20
_RETRIES = 3  # Of a task whose worker died.


@dataclass(frozen=True, slots=True)
class _Parcel:
    """A setting with the machine itself in place of where it lies."""

    setting: "Setting"
    library: bytes
    digest: str


def remote_columns(
    setting: "Setting", left: Sequence[int], scheduler: str
) -> Iterator[tuple[int, dict[str, Array]]]:
    """Yield the number and the columns of each task of `left`, as they end.

    Raises `MissingToolError` without dask.distributed, a scheduler that answers, or workers that
    can do it.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise MissingToolError("dask is missing: pip install 'fw-tools[dask]'") from None
    try:
        client = Client(scheduler, timeout=_PATIENCE_S)
    except (OSError, ValueError) as error:
        raise MissingToolError(f"{scheduler}: no dask scheduler answers ({error})") from None
    library = setting.library.read_bytes()
    parcel = _Parcel(setting, library, hashlib.sha256(library).hexdigest())
    with client:
        sent = client.scatter(parcel, broadcast=True, hash=False)
        futures = [client.submit(_work, sent, n, pure=False, retries=_RETRIES) for n in left]
        try:
            for future in as_completed(futures):
                yield future.result()
        except (ImportError, AttributeError, OSError) as error:
            raise MissingToolError(
                f"{scheduler}: a worker cannot do it: {error}; each needs this version of fw-tools"
            ) from None
        finally:
            client.cancel(futures)


_one_at_a_time = Lock()  # A machine has one state; a worker may have several threads.
_engines: dict[str, tuple[Any, Engine]] = {}


def _work(parcel: _Parcel, number: int) -> tuple[int, dict[str, Array]]:
    """Do a task; in a worker."""
    from fw_tools.upset.campaign import columns_of

    with _one_at_a_time:
        setting, engine = _unpacked(parcel)
        return number, columns_of(setting, engine, number)


def _unpacked(parcel: _Parcel) -> tuple["Setting", Engine]:
    known = _engines.get(parcel.digest)
    if known is None or known[0] is not parcel:
        with tempfile.TemporaryDirectory(prefix="fw-tools-") as name:
            library = Path(name) / "machine.so"
            library.write_bytes(parcel.library)  # Once loaded, it need not lie there.
            setting = replace(parcel.setting, library=library)
            engine = Engine(library, setting.inputs, setting.initial)
        for _, other in _engines.values():
            other.close()
        _engines.clear()
        _engines[parcel.digest] = (parcel, engine)
    return parcel.setting, _engines[parcel.digest][1]
