# SPDX-License-Identifier: Apache-2.0
"""What links and recorders do to packets."""


def length_ffff(packet: bytes) -> bytes:
    return packet[:4] + b"\xff\xff" + packet[6:]


def length_plus_3(packet: bytes) -> bytes:
    return packet[:4] + (int.from_bytes(packet[4:6], "big") + 3).to_bytes(2, "big") + packet[6:]


def garbage(packet: bytes) -> bytes:
    return packet[:9] + bytes(range(13)) + packet[9:]


def lost_byte(packet: bytes) -> bytes:
    return packet[:9] + packet[10:]


def flipped_bit(packet: bytes) -> bytes:
    return packet[:9] + bytes([packet[9] ^ 8]) + packet[10:]


DAMAGES = [length_ffff, length_plus_3, garbage, lost_byte, flipped_bit]


def damaged(run: list[bytes], every: int, rng) -> tuple[bytes, list[bytes]]:
    """Damage one packet of so many, each in a way of its own; return the stream, and the others."""
    hit = range(every // 2, len(run), every)
    parts = [rng.choice(DAMAGES)(p) if i in hit else p for i, p in enumerate(run)]
    return b"".join(parts), [packet for index, packet in enumerate(run) if index not in hit]
