# SPDX-License-Identifier: Apache-2.0
"""A module becomes its triplicated form: read back, proven and counted before it is kept."""

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from fw_tools.errors import InputError, VerificationError
from fw_tools.flow.tmr_campaign import Campaign, run_campaign
from fw_tools.netlist.reading import read_netlist
from fw_tools.netlist.synthesis import synthesise_json
from fw_tools.rtl.emit import GeneratedFile, emit
from fw_tools.tmr.claims import Claim, prove
from fw_tools.tmr.elaborate import elaborate
from fw_tools.tmr.plan import Options, Plan, plan
from fw_tools.tmr.render import Rendered, render
from fw_tools.tmr.residual import SinglePoint, single_points
from fw_tools.tmr.survival import FAMILIES, Survival, count

FILE_LIST = "rtl/filelist.f"
REPORT = "tmr.json"
_MOST_NAMED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be triplicated, and what is asked of the result."""

    sources: tuple[Path, ...]  # In compile order.
    top: str
    parameters: Mapping[str, int | str]
    options: Options
    families: tuple[str, ...] = FAMILIES  # Whose synthesis has to leave three of everything.
    is_proven: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Triplicated:
    """A result."""

    plan: Plan
    claims: tuple[Claim, ...]
    survivals: tuple[Survival, ...]
    campaigns: tuple[Campaign, ...]  # One of each family.
    single_points: tuple[SinglePoint, ...]
    changed: tuple[str, ...]  # Paths below the folder that were written or removed.


def triplicate(request: Request, folder: Path) -> Triplicated:
    """Write the triplicated form to `folder`, once every claim about it holds.

    Raises:
        InputError: the design cannot be triplicated, or the folder is not ours to write.
        MissingToolError: Yosys is not installed.
        VerificationError: a claim does not hold, or synthesis folds replicas; nothing is written.
    """
    digest = _digest(request)
    made, rendered = _render(request, digest)
    with tempfile.TemporaryDirectory() as name:
        _write(rendered.files, Path(name))
        checked = _checked(request, made, rendered, Path(name))
    report = GeneratedFile(PurePosixPath(REPORT), _report(checked))
    changed = emit((*rendered.files, report), folder, digest)
    return Triplicated(
        plan=made,
        claims=checked.claims,
        survivals=checked.survivals,
        campaigns=checked.campaigns,
        single_points=checked.single_points,
        changed=changed,
    )


def check(request: Request, folder: Path) -> Triplicated:
    """Prove and count what is in `folder` now, edited or not, and write nothing.

    Raises what `triplicate` does, and `InputError` where the folder holds no result.
    """
    if not (folder / FILE_LIST).is_file():
        raise InputError(f"{folder / FILE_LIST}: not there; make it without --check")
    made, rendered = _render(request, _digest(request))
    return _checked(request, made, rendered, folder)


def _render(request: Request, digest: str) -> tuple[Plan, Rendered]:
    for source in request.sources:
        if not source.is_file():
            raise InputError(f"{source}: no such file")
    design = elaborate(request.sources, request.top, request.parameters)
    made = plan(design, request.options)
    return made, render(made, digest)


def _checked(request: Request, made: Plan, rendered: Rendered, folder: Path) -> Triplicated:
    lines = (folder / FILE_LIST).read_text().split()
    sources = [folder / "rtl" / line for line in lines]
    claims: tuple[Claim, ...] = ()
    if request.is_proven:
        claims = prove(made.design, elaborate(sources, request.top), rendered)
    survivals, campaigns = _synthesised(request, made, rendered, sources)
    complaints = [*_unproven(claims), *_folded(survivals), *_harmed(campaigns)]
    if complaints:
        raise VerificationError("\n".join(f"{request.top}: {line}" for line in complaints))
    points = single_points(made, rendered)
    return Triplicated(
        plan=made,
        claims=claims,
        survivals=survivals,
        campaigns=campaigns,
        single_points=points,
        changed=(),
    )


def _synthesised(
    request: Request, made: Plan, rendered: Rendered, sources: Sequence[Path]
) -> tuple[tuple[Survival, ...], tuple[Campaign, ...]]:
    """Count replicas and flip them in the netlist of each family."""
    survivals, campaigns = [], []
    for family in request.families:
        document = synthesise_json(sources, request.top, family)
        netlist = read_netlist(json.loads(document), request.top, family)
        survivals.append(count(netlist, made, rendered))
        if not survivals[-1].lost:
            campaigns.append(run_campaign(document, netlist, made, rendered))
    return tuple(survivals), tuple(campaigns)


def _unproven(claims: Sequence[Claim]) -> list[str]:
    return [
        f"not proven: {claim.name}: {_named(claim.differing)} may differ"
        if claim.differing
        else f"not proven: {claim.name}: no state was among the cases in which a replica differs"
        for claim in claims
        if not claim.holds
    ]


def _folded(survivals: Sequence[Survival]) -> list[str]:
    return [
        f"{each.family}: {each.flip_flops} of {each.flip_flops_due} flip-flops and {each.voters} "
        f"of {each.voters_due} voters are there after synthesis; gone: {_named(each.lost)}"
        for each in survivals
        if each.lost
    ]


def _harmed(campaigns: Sequence[Campaign]) -> list[str]:
    return [
        f"{each.family}: a flip is seen outside, not told or not healed in one clock: "
        f"{_named(each.harmed)}"
        for each in campaigns
        if each.harmed
    ]


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _write(files: Sequence[GeneratedFile], folder: Path) -> None:
    for file in files:
        place = folder / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(file.text, encoding="utf-8")


def _report(done: Triplicated) -> str:
    registers = {each.name: len(each.q) for each in done.plan.triplicated}
    document = {
        "top": done.plan.design.top,
        "voters": done.plan.options.voters,
        "triplicated": registers,
        "single_points": [asdict(point) for point in done.single_points],
        "proven": [claim.name for claim in done.claims],
        "after_synthesis": {
            each.family: {"flip_flops": each.flip_flops, "voters": each.voters}
            for each in done.survivals
        },
        "flipped_after_synthesis": {
            each.family: each.refusal or {"flips": each.flips, "exhaustive": each.is_exhaustive}
            for each in done.campaigns
        },
    }
    return json.dumps(document, indent=2) + "\n"


def _digest(request: Request) -> str:
    digest = hashlib.sha256()
    chosen = json.dumps([request.top, asdict(request.options), dict(request.parameters)])
    digest.update(chosen.encode())
    for source in request.sources:
        if source.is_file():
            digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()
