# SPDX-License-Identifier: Apache-2.0
"""The ECC benches go red: every mask bit of (13,8), seeded ones of (72,64), broken memory control.

One build carries all mutants of a design. Its harness gets two variables, `mutant` and
`mutant_bit`, which the changed sources read by name while the simulation runs; mutant 0 is the
untouched design. `mutants_bench` sets them and runs the bench that `verify` runs.
"""

import json
import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mutation import mutate, with_choice

from fw_tools.ecc.records import MemorySpec
from fw_tools.flow.benches.ecc import codec_bench, memory_bench
from fw_tools.report.records import Status
from fw_tools.rtl.codec import render_codec
from fw_tools.rtl.memory import render_memory
from fw_tools.sim.build import BuildOptions, build
from fw_tools.sim.run import RunOptions, run
from fw_tools.spec.records import BenchSpec

SEED = 72
HEX_LITERAL = re.compile(r"(\d+)'h([0-9a-f]+)")

# 24 words: no power of two, so that addresses beyond the last word exist.
MEMORY = MemorySpec(name="m", data_bits=8, words=24, code="hsiao", scrub_interval_us=10)


@dataclass(frozen=True, slots=True)
class Mutation:
    """One broken expression: the part of `place` between « and » becomes `mutated`."""

    cell: str
    what: str
    place: str
    mutated: str


MEMORY_MUTATIONS = (
    Mutation(
        "ecc_ram_ctrl",
        "words are not written before the first grant",
        "StateInit: if («patrol == LastAddress»)",
        "1'b1",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "a write-back never reaches the array",
        "|| («has_clock && state == StateRestore && !is_touched»)",
        "1'b0",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "a write-back overwrites what the user wrote since",
        ".write_i  (state == StateRead || («user_write && address_i == target»))",
        "1'b0",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "a visit that meets a write before its write-back is given up",
        "is_touched && «restarts_left != '0»;",
        "1'b0",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "a word that is written over and over holds up the patrol",
        "RestartBits'(MostRestarts) : «restarts_left - 1'b1»)",
        "restarts_left",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "a write before the second read is taken for a stuck word",
        "StateReread: begin\n        if («is_touched»)",
        "1'b0",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "a flipped check bit is written back as it was",
        "assign flipped_check = «decoded_syndrome_i & {CheckBits{$onehot(decoded_syndrome_i)}}»;",
        "'0",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "an uncorrectable word is written back as if corrected",
        "StateCheck: next = «decoded_corrected_i» ?",
        "has_error",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "the scrubber never insists",
        "assign takes_clock = «wants_clock && patience == '0»;",
        "1'b0",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "the scrubber takes clocks from a user who asks",
        "assign takes_clock = «wants_clock && patience == '0»;",
        "wants_clock",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "the scrubber does not heed its enable",
        "(is_due && «scrub_enable_i»)",
        "1'b1",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "a read that finds an upset does not bring a visit",
        "assign repair_comes  = «rcorrected_o && !is_repair_pending "
        "&& (state == StateIdle || !is_repair)»;",
        "1'b0",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "every corrected read counts",
        ".event_i(«state == StateConfirm && !has_error»)",
        "rcorrected_o || (state == StateConfirm && !has_error)",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "a stuck word counts as corrected",
        ".event_i(«state == StateConfirm && !has_error»)",
        "state == StateConfirm",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "a stuck word counts at every read",
        ".event_i(«state == StateConfirm && has_error && !is_repair»)",
        "state == StateConfirm && has_error",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "a stuck word raises no flag",
        ".d_i      («state == StateConfirm && has_error»)",
        "1'b0",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "uncorrectable user reads do not count",
        ".event_i(«is_found && decoded_uncorrectable_i»)",
        "state == StateCheck && decoded_uncorrectable_i",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "uncorrectable words met by the patrol do not count",
        ".event_i(«is_found && decoded_uncorrectable_i»)",
        "runcorrectable_o",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "a pass does not count",
        ".event_i(«visit_ends && !is_repair && patrol == LastAddress»)",
        "1'b0",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "a read error is placed at the word of the patrol",
        "assign found_address = «rvalid_o ? read_address : target»;",
        "target",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "the injection mask acts without its valid",
        "wcodeword_i ^ (inject_mask_i & «{CodewordBits{inject_valid_i}}»)",
        "'1",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "the injection mask does not reach the check bits",
        "wcodeword_i ^ (inject_mask_i & «{CodewordBits{inject_valid_i}}»)",
        "CodewordBits'({DataBits{inject_valid_i}})",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "a word beyond the last is read as if it were there",
        "(«!is_read_in_range» || decoded_uncorrectable_i)",
        "1'b0",
    ),
    Mutation(
        "tmr_voter",
        "one replica has its way",
        "assign majority_o = «(a_i & b_i) | (b_i & c_i) | (a_i & c_i)»;",
        "a_i",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "the first writing goes by one replica",
        "StateInit: if («patrol == LastAddress»)",
        "u_patrol.gen_replica[0].u_replica.q_o == LastAddress",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "the address of the patrol is one replica",
        "is_repair ? repair : «patrol»;",
        "u_patrol.gen_replica[0].u_replica.q_o",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "the address of a repair is one replica",
        "is_repair ? «repair» : ",
        "u_repair.gen_replica[0].u_replica.q_o",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "which of both is visited is one replica",
        "assign target         = «is_repair» ?",
        "u_is_repair.gen_replica[0].u_replica.q_o",
    ),
    Mutation(
        "ecc_ram_ctrl",
        "the mark of a write is one replica",
        "state == StateRestore && !«is_touched»)",
        "u_is_touched.gen_replica[0].u_replica.q_o",
    ),
    Mutation("event_counter", "counters wrap", "event_i[0] && «!(&count_o)»", "1'b1"),
    Mutation("event_counter", "counters are not cleared", "assign start = «clear_i» ?", "1'b0"),
    Mutation(
        "tick_gen", "visits come a clock late", "assign tick_o = «count_q == '0»", "count_q == 1"
    ),
    Mutation(
        "fsm_reg",
        "an upset of the restoring state is not put right",
        "$countones(code_q ^ word(state)) <= «MostFlips»",
        "state == 4 ? 0 : MostFlips",
    ),
    Mutation(
        "fsm_reg",
        "an upset of the checking state is not put right",
        "$countones(code_q ^ word(state)) <= «MostFlips»",
        "state == 3 ? 0 : MostFlips",
    ),
    Mutation(
        "fsm_reg",
        "a state that is near no code writes every word again",
        "state_o     = «Safe»;",
        "0",
    ),
)


def test_every_mask_bit_of_the_13_8_codec_flipped_is_found(tmp_path: Path) -> None:
    bench, mutants = mutable_codec(8, tmp_path)
    assert len(mutants) == 5 * 8 + 5 * 13 + 13 * 5  # Encoder rows, decoder rows, columns.
    require_all_found(bench, "hdl.tb.codec_bench", mutants, tmp_path)


def test_32_seeded_mask_bits_of_the_72_64_codec_flipped_are_found(tmp_path: Path) -> None:
    bench, mutants = mutable_codec(64, tmp_path)
    chosen = random.Random(SEED).sample(mutants, 32)
    require_all_found(bench, "hdl.tb.codec_bench", chosen, tmp_path)


def test_32_seeded_mask_bits_of_the_13_4_decoder_of_two_flips_flipped_are_found(
    tmp_path: Path,
) -> None:
    bench, mutants = mutable_codec(4, tmp_path, "dec_ted")
    chosen = random.Random(SEED).sample(mutants, 32)
    require_all_found(bench, "hdl.tb.codec_bench", chosen, tmp_path)


def test_every_shared_term_and_check_bit_of_a_13_8_code_missing_one_is_found(
    tmp_path: Path,
) -> None:
    """Each XOR of the encoder and decoder in turn leaves out its first operand."""
    texts: dict[str, str] = {}
    mutants: list[tuple[int, int]] = []

    def droppable(match: re.Match[str]) -> str:
        mutants.append((len(mutants) + 1, 0))
        return f"{match[1]}(codec_harness.mutant == {len(mutants)} ? 1'b0 : {match[2]}) ^"

    for file in render_codec(8, "secded"):
        texts[file.path.stem] = re.sub(r"(assign \S+ = )(\w+\S*) \^", droppable, file.text)
    bench = codec_bench(8, write_sources(texts, tmp_path), tmp_path, "secded")
    assert len(mutants) > 16
    require_all_found(bench, "hdl.tb.codec_bench", mutants, tmp_path)


def test_every_broken_memory_is_found(tmp_path: Path) -> None:
    files = render_memory("p", MEMORY, 50_000_000)
    texts = {file.path.stem: file.text for file in files}
    places: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
    for number, mutation in enumerate(MEMORY_MUTATIONS, start=1):
        places[mutation.cell, mutation.place][number] = mutation.mutated
    for (cell, place), mutated in places.items():
        texts[cell] = mutate(texts[cell], place, mutated, "memory_harness")
    sources = write_sources(texts, tmp_path)
    bench = memory_bench("p", MEMORY, sources, tmp_path)
    mutants = [(number, 0) for number in range(1, len(MEMORY_MUTATIONS) + 1)]
    require_all_found(bench, "hdl.tb.memory_bench", mutants, tmp_path)


def mutable_codec(
    data_bits: int, folder: Path, name: str = "hsiao"
) -> tuple[BenchSpec, list[tuple[int, int]]]:
    """Return the bench of a codec whose every mask bit can be flipped, and all (mutant, bit)."""
    texts: dict[str, str] = {}
    mutants: list[tuple[int, int]] = []

    def flippable(match: re.Match[str]) -> str:
        bits, number = int(match[1]), mutants[-1][0] + 1 if mutants else 1
        mutants.extend((number, bit) for bit in range(bits))
        chosen = f"{bits}'(codec_harness.mutant == {number})"
        return f"({match[0]} ^ ({chosen} << codec_harness.mutant_bit))"

    for file in render_codec(data_bits, name):
        texts[file.path.stem] = HEX_LITERAL.sub(flippable, file.text)
    return codec_bench(data_bits, write_sources(texts, folder), folder, name), mutants


def write_sources(texts: Mapping[str, str], folder: Path) -> tuple[Path, ...]:
    """Write one file per module, in the order given."""
    paths = tuple(folder / f"{name}.sv" for name in texts)
    for path, text in zip(paths, texts.values(), strict=True):
        path.write_text(text)
    return paths


def require_all_found(
    bench: BenchSpec, module: str, mutants: Sequence[tuple[int, int]], folder: Path
) -> None:
    """Run the bench on the untouched design and on every mutant."""
    harness = folder / bench.sources[-1].name
    harness.write_text(with_choice(bench.sources[-1].read_text()))
    config = Path(dict(bench.environment)["FW_BENCH_CONFIG"])
    settings = json.loads(config.read_text()) | {"bench": module, "mutants": mutants}
    config.write_text(json.dumps(settings))
    mutable = replace(
        bench,
        sources=(*bench.sources[:-1], harness),
        test_modules=("mutants_bench",),
        python_paths=(Path(__file__).parent,),
    )
    built = build(mutable, BuildOptions(work=folder / "build"))
    records = run(built, mutable, RunOptions(work=folder / "run", seed=SEED))
    assert [record.status for record in records] == [Status.PASSED] * 2, [
        (record.test, record.message) for record in records
    ]
