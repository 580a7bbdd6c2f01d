# SPDX-License-Identifier: Apache-2.0
"""From a description to its output folder: write it, or check that it is what it should be."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from fw_tools.errors import VerificationError
from fw_tools.rtl.emit import differences, emit
from fw_tools.rtl.payload import payload_digest, render_payload
from fw_tools.spec.load import load_payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """What `generate` did."""

    name: str  # Of the payload.
    digest: str  # Of the model, hex.
    folder: Path
    file_count: int
    changed: tuple[str, ...]  # Paths below `folder` that were written or removed.


def generate(spec: Path, folder: Path) -> Generated:
    """Render the payload described in `spec` into `folder`; what already fits is not touched.

    Raises:
        InputError: the description cannot be used, or the folder is not ours to write.
    """
    payload = load_payload(spec)
    files, digest = render_payload(payload), payload_digest(payload)
    return Generated(
        name=payload.name,
        digest=digest,
        folder=folder,
        file_count=len(files) + 1,  # The manifest.
        changed=emit(files, folder, digest),
    )


def check_generated(spec: Path, folder: Path) -> Generated:
    """Compare `folder` with what the description gives, and write nothing.

    Raises:
        InputError: the description cannot be used.
        VerificationError: a file is missing, different or no longer generated; all are named, with
            the command that cures it.
    """
    payload = load_payload(spec)
    files, digest = render_payload(payload), payload_digest(payload)
    if found := differences(files, folder, digest):
        command = shlex.join(["fw-tools", "generate", str(spec), "-o", str(folder)])
        places = [f"{folder / path}" for path in found]
        raise VerificationError(
            "\n".join([*places, f"{folder} is not what {spec} gives; to renew it: {command}"])
        )
    return Generated(
        name=payload.name, digest=digest, folder=folder, file_count=len(files) + 1, changed=()
    )
