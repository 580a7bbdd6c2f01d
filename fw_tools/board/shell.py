# SPDX-License-Identifier: Apache-2.0
"""The words of the shell: what a line means, and what could come next in it."""

import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fw_tools.board import verbs
from fw_tools.board.client import PayloadClient
from fw_tools.board.description import LinkDescription
from fw_tools.errors import UsageError
from fw_tools.spec.findings import suggestion

Words = Sequence[str]


@dataclass(frozen=True, slots=True)
class Verb:
    """One word of the shell."""

    usage: str
    summary: str
    run: Callable[[PayloadClient, Words], Iterable[str]]
    names: Callable[[LinkDescription], Iterable[str]] = lambda _: ()  # What may follow it.
    words: tuple[int, int | None] = (0, None)  # How many may follow: at least, at most.


def run_line(client: PayloadClient, line: str) -> Iterator[str]:
    """Carry out one line and yield what it tells. Raises `UsageError`, `LinkError`..."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError as error:
        raise UsageError(f"{line!r}: {str(error).lower()}") from None
    if not words:
        return
    verb = VERBS.get(words[0])
    if verb is None:
        raise UsageError(f"no command {words[0]!r}; {suggestion(words[0], VERBS)}")
    least, most = verb.words
    if len(words) - 1 < least or (most is not None and len(words) - 1 > most):
        raise UsageError(f"expected: {verb.usage}")
    yield from verb.run(client, words[1:])


def completions(description: LinkDescription, line: str) -> list[str]:
    """Return what the last, unfinished word of `line` could become."""
    words = line.split(" ")
    if len(words) == 1:
        known: Iterable[str] = VERBS
    else:
        verb = VERBS.get(words[0])
        known = verb.names(description) if verb else ()
    return [name for name in known if name.startswith(words[-1])]


def _registers(description: LinkDescription) -> Iterator[str]:
    for register in description.parameters:
        yield register.name
        for field in register.fields:
            yield f"{register.name}.{field.name}"


def _assignments(description: LinkDescription) -> Iterator[str]:
    for register in description.parameters:
        if "w" in register.access:
            yield f"{register.name}="
        for field in register.fields:
            if "w" in field.access:
                yield f"{register.name}.{field.name}="
                yield from (f"{register.name}.{field.name}={value}" for value in field.values)


def _memories(description: LinkDescription) -> Iterator[str]:
    return (each.name for each in description.memories)


def _functions(description: LinkDescription) -> Iterator[str]:
    return (each.name for each in description.functions)


def _dump(client: PayloadClient, words: Words) -> Iterable[str]:
    address = verbs.number(words[1]) if len(words) > 1 else 0
    octets = verbs.number(words[2]) if len(words) > 2 else None
    path = Path(words[3]) if len(words) > 3 else None
    return verbs.dump(client, words[0], address, octets, path)


def _housekeeping(client: PayloadClient, words: Words) -> Iterable[str]:
    if not words:
        client.housekeeping()  # It shows among the reports.
    elif words[0] in ("on", "off"):
        client.set_housekeeping(is_enabled=words[0] == "on")
    else:
        client.set_housekeeping(interval_s=_seconds(words[0]))
    return ()


def _time(client: PayloadClient, words: Words) -> Iterable[str]:
    if words:
        client.set_time(time.time() if words[0] == "now" else _seconds(words[0]))
    return (f"{client.ping().payload_time_s:.3f} s",)


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{text!r} is no time in seconds") from None


def _set(client: PayloadClient, words: Words) -> Iterable[str]:
    verbs.set_(client, words)
    return ()


def _perform(client: PayloadClient, words: Words) -> Iterable[str]:
    client.perform(words[0])
    return ()


def _help(_: PayloadClient, __: Words) -> Iterable[str]:
    width = max(len(verb.usage) for verb in VERBS.values())
    return (f"{verb.usage:{width}}  {verb.summary}" for verb in VERBS.values())


VERBS: dict[str, Verb] = {
    "ping": Verb("ping", "Is the payload alive?", lambda c, _: (verbs.ping(c),), words=(0, 0)),
    "get": Verb("get [NAME]...", "Show registers, or REGISTER.FIELD.", verbs.get, _registers),
    "set": Verb("set NAME=VALUE...", "Set registers or fields.", _set, _assignments, (1, None)),
    "dump": Verb(
        "dump MEMORY [ADDRESS [OCTETS [FILE]]]", "Read a memory.", _dump, _memories, (1, 4)
    ),
    "load": Verb(
        "load MEMORY ADDRESS FILE",
        "Write a file to a memory.",
        lambda c, w: (verbs.load(c, w[0], verbs.number(w[1]), Path(w[2])),),
        _memories,
        (3, 3),
    ),
    "events": Verb(
        "events",
        "Show the events that were kept.",
        lambda c, _: (event.text() for event in c.event_log()),
        words=(0, 0),
    ),
    "housekeeping": Verb(
        "housekeeping [on|off|SECONDS]",
        "One report; or periodic ones on, off, every so often.",
        _housekeeping,
        lambda _: ("on", "off"),
        (0, 1),
    ),
    "perform": Verb("perform FUNCTION", "Perform a function.", _perform, _functions, (1, 1)),
    "time": Verb("time [SECONDS|now]", "Show or set its time.", _time, lambda _: ("now",), (0, 1)),
    "help": Verb("help", "Show this.", _help, words=(0, 0)),
    # Whoever reads the lines ends with it.
    "quit": Verb("quit", "End; as do exit and Ctrl-D.", lambda _, __: (), words=(0, 0)),
}
