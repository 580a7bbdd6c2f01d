# SPDX-License-Identifier: Apache-2.0
"""`fw-tools image`: registers and memories for a boot slot of a payload."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from telemetry.common.console import output
from telemetry.common.exit_codes import ExitCode
from telemetry.common.files import write_atomically

if TYPE_CHECKING:
    from fw_tools.board.description import LinkDescription


@click.command()
@click.argument("link", type=click.Path(path_type=Path), metavar="LINK.json")
@click.option(
    "--set", "values", multiple=True, metavar="REGISTER=VALUE", help="A whole register, as 0x69."
)
@click.option(
    "--load",
    "files",
    multiple=True,
    metavar="MEMORY[@ADDRESS]=FILE",
    help="Octets of a memory, most significant first in each word.",
)
@click.option(
    *("-o", "--output", "path"),
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="Where the image goes.",
)
def image(link: Path, values: tuple[str, ...], files: tuple[str, ...], path: Path) -> ExitCode:
    """Make an image that a payload loads into its registers and memories when it boots.

    LINK.json is that of the payload's gateware: the image is for this gateware alone, and another
    one refuses it.

    \b
    Example:
      fw-tools image generated/link.json --load weight_buffer=weights.bin -o boot.img
    """
    from fw_tools.board.description import load_description
    from fw_tools.pus.slots import Image, ImageKind, build_image_file, build_records

    description = load_description(link)
    parameters = dict(_parameter(text, description) for text in values)
    memories = [_memory(text, description) for text in files]
    if not parameters and not memories:
        raise click.UsageError("an image of nothing: give --set or --load")
    made = Image(
        octets=build_records(parameters, memories),
        kind=ImageKind.RECORDS,
        identity=int(description.rtl_digest, 16),
    )
    with write_atomically(path, "wb") as stream:
        stream.write(build_image_file(made))
    output().print(
        f"{path}: {len(made.octets):,} octets for {description.payload}, gateware "
        f"{description.rtl_digest}",
        markup=False,
    )
    return ExitCode.DONE


def _parameter(text: str, description: "LinkDescription") -> tuple[int, int]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--set {text}: expected REGISTER=VALUE")
    try:
        number = int(value, 0)
    except ValueError:
        raise click.UsageError(f"--set {text}: {value!r} is no whole number, as 0x69") from None
    return description.parameter(name).id, number


def _memory(text: str, description: "LinkDescription") -> tuple[int, int, bytes]:
    from fw_tools.errors import InputError

    place, equals, file = text.partition("=")
    if not equals:
        raise click.UsageError(f"--load {text}: expected MEMORY[@ADDRESS]=FILE")
    name, _, at = place.partition("@")
    memory = description.memory(name)
    try:
        address = int(at or "0", 0)
        data = Path(file).read_bytes()
    except ValueError:
        raise click.UsageError(f"--load {text}: {at!r} is no address, as 0x100") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error
    room = memory.octets - address
    if not data or len(data) > room or (address | len(data)) % memory.word_octets:
        raise InputError(
            f"{file}: {len(data):,} octets for {name} at {address:#x}; expected 1 to {room:,}, in "
            f"whole words of {memory.word_octets}"
        )
    return memory.id, address, data
