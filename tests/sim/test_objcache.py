# SPDX-License-Identifier: Apache-2.0
"""The compiler wrapper by itself, on sources of a few lines."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from fw_tools.sim.cache import locked
from fw_tools.sim.objcache import count_objects, wrapper


@dataclass
class Cache:
    """A cache folder with a run-time library and a generated model in miniature."""

    root: Path
    identity: str = "tools-1"

    def compile(self, source: Path, *flags: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(source, *flags),
            cwd=self.build,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def command(self, source: Path, *flags: str) -> list[str]:
        target = f"{source.stem}.o"
        return ["sh", str(wrapper()), "g++", *flags, "-c", "-o", target, str(source)]

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "FW_OBJCACHE_FOLDER": str(self.root / "cache"),
            "FW_OBJCACHE_IDENTITY": self.identity,
            "FW_OBJCACHE_RUNTIME": str(self.root / "runtime"),
            "FW_OBJCACHE_PREFIX": "Vtop",
            "FW_OBJCACHE_MAIN": str(self.root / "harness"),
            "FW_OBJCACHE_HEADER": str(self.root / "headers.h"),
            "FW_OBJCACHE_LOG": str(self.log),
        }

    @property
    def build(self) -> Path:
        return self.root / "build"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def runtime(self) -> Path:
        return self.root / "runtime" / "verilated.cpp"

    def counts(self) -> tuple[int, int]:
        counts = count_objects(self.log)
        return counts.hits, counts.misses


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    for folder in ("runtime", "build", "harness"):
        (tmp_path / folder).mkdir()
    (tmp_path / "runtime" / "verilated.cpp").write_text("int runtime() { return 1; }\n")
    (tmp_path / "headers.h").write_text("#include <cstdint>\n")
    (tmp_path / "build" / "Vtop.h").write_text("int model();\n")
    (tmp_path / "build" / "Vtop__ALL.cpp").write_text(
        '#include "Vtop.h"\nint model() { return 2; }\n'
    )
    return Cache(tmp_path)


def test_the_second_compilation_is_a_hit_and_gives_the_same_object(cache: Cache) -> None:
    assert cache.compile(cache.runtime).returncode == 0
    first = (cache.build / "verilated.o").read_bytes()
    (cache.build / "verilated.o").unlink()
    assert cache.compile(cache.runtime).returncode == 0
    assert cache.counts() == (1, 1)
    assert (cache.build / "verilated.o").read_bytes() == first


@pytest.mark.parametrize("change", ["flag", "identity"])
def test_another_command_line_or_tool_is_a_miss(cache: Cache, change: str) -> None:
    cache.compile(cache.runtime, "-O0")
    if change == "identity":
        cache.identity = "tools-2"
    cache.compile(cache.runtime, "-O1" if change == "flag" else "-O0")
    assert cache.counts() == (0, 2)


def test_two_installations_of_the_same_run_time_share_objects(cache: Cache, tmp_path: Path) -> None:
    cache.compile(cache.runtime)
    (tmp_path / "runtime").rename(tmp_path / "elsewhere")
    environment = cache.environment() | {"FW_OBJCACHE_RUNTIME": str(tmp_path / "elsewhere")}
    source = tmp_path / "elsewhere" / "verilated.cpp"
    subprocess.run(cache.command(source), cwd=cache.build, env=environment, check=True)
    assert cache.counts() == (1, 1)


def test_a_generated_source_is_keyed_by_every_generated_file(cache: Cache) -> None:
    model = Path("Vtop__ALL.cpp")
    cache.compile(model)
    cache.compile(model)
    assert cache.counts() == (1, 1)
    (cache.build / "Vtop.h").write_text("int model(); // changed\n")
    cache.compile(model)
    assert cache.counts() == (1, 2)


def test_a_main_program_is_keyed_by_the_model_and_what_lies_below_it_is_not(cache: Cache) -> None:
    main = cache.root / "harness"
    (main / "parts").mkdir()
    (main / "main.h").write_text('#include "Vtop.h"\n')
    (main / "main.cpp").write_text('#include "main.h"\nint main() { return 0; }\n')
    (main / "parts" / "part.h").write_text("int part();\n")
    (main / "parts" / "part.cpp").write_text('#include "part.h"\nint part() { return 3; }\n')
    sources = (main / "main.cpp", main / "parts" / "part.cpp")

    def misses(changed: Path, text: str) -> int:
        changed.write_text(text)
        before = cache.counts()[1]
        for source in sources:
            assert cache.compile(source, "-I.").returncode == 0
        return cache.counts()[1] - before

    assert misses(cache.build / "Vtop.h", "int model(); // one\n") == 2
    assert misses(cache.build / "Vtop.h", "int model(); // two\n") == 1
    assert misses(main / "main.h", '#include "Vtop.h" // new\n') == 1
    assert misses(main / "parts" / "part.h", "int part(); // new\n") == 2


def test_a_main_program_that_looks_into_the_model_is_keyed_by_all_of_it(cache: Cache) -> None:
    main = cache.root / "harness"
    (main / "look.h").write_text('#include "Vtop___024root.h"\n')
    (main / "main.cpp").write_text('#include "look.h"\nint main() { return 0; }\n')
    for word in "aab":
        (cache.build / "Vtop___024root.h").write_text(f"int inside(); // {word}\n")
        assert cache.compile(main / "main.cpp", "-I.").returncode == 0
    assert cache.counts() == (1, 2)


def test_the_header_is_precompiled_once_for_all_models(cache: Cache) -> None:
    for word in "ab":
        (cache.build / "Vtop.h").write_text(f"int model(); // {word}\n")
        assert cache.compile(Path("Vtop__ALL.cpp"), "-O1").returncode == 0
    assert len(list((cache.root / "cache").glob("*.pch/headers.h.gch"))) == 1


def test_a_source_of_the_user_is_compiled_and_never_kept(cache: Cache) -> None:
    (cache.build / "dpi.cpp").write_text("int dpi() { return 3; }\n")
    assert cache.compile(Path("dpi.cpp")).returncode == 0
    assert (cache.build / "dpi.o").is_file()
    assert cache.counts() == (0, 0)


def test_a_source_that_does_not_compile_fails_and_leaves_nothing(cache: Cache) -> None:
    cache.runtime.write_text("int runtime( { }\n")
    done = cache.compile(cache.runtime)
    assert done.returncode != 0
    assert "error" in done.stderr
    assert [path for path in (cache.root / "cache").iterdir() if path.suffix != ".lock"] == []


def test_a_model_that_does_not_compile_fails_once(cache: Cache) -> None:
    (cache.build / "Vtop__ALL.cpp").write_text("int model( { }\n")
    done = cache.compile(Path("Vtop__ALL.cpp"))
    assert done.returncode != 0
    assert done.stderr.count("error:") == 1


def test_an_unwritable_cache_still_compiles(cache: Cache) -> None:
    (cache.root / "cache").write_text("not a folder\n")
    assert cache.compile(cache.runtime).returncode == 0
    assert (cache.build / "verilated.o").is_file()


def test_who_comes_later_waits_for_the_same_lock(cache: Cache) -> None:
    cache.compile(cache.runtime)
    (lock,) = (cache.root / "cache").glob("*.o.lock")
    (cache.root / "cache" / lock.stem).unlink()
    with locked(lock):
        late = subprocess.Popen(
            cache.command(cache.runtime), cwd=cache.build, env=cache.environment()
        )
        with pytest.raises(subprocess.TimeoutExpired):
            late.wait(0.5)
    assert late.wait(30) == 0
    assert cache.counts() == (0, 2)


def test_eight_at_once_compile_once(cache: Cache) -> None:
    builds = []
    for number in range(8):
        folder = cache.root / f"build{number}"
        folder.mkdir()
        builds.append(
            subprocess.Popen(cache.command(cache.runtime), cwd=folder, env=cache.environment())
        )
    assert [build.wait() for build in builds] == [0] * 8
    assert cache.counts() == (7, 1)
    objects = {(cache.root / f"build{n}" / "verilated.o").read_bytes() for n in range(8)}
    assert len(objects) == 1
