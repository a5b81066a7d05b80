"""Architecture, disk, folders, the lock between parallel starts, and the range of Asterisk."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.install.asterisk import in_range, version_of
from runtime.install.errors import InstallError
from runtime.install.machine import machine_named, make_folder, only_one, require_space

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("processor", "arch", "triplet"),
    [
        ("x86_64", "amd64", "x86_64-linux-gnu"),
        ("AMD64", "amd64", "x86_64-linux-gnu"),
        ("aarch64", "arm64", "aarch64-linux-gnu"),
        ("arm64", "arm64", "aarch64-linux-gnu"),
    ],
)
def test_the_two_architectures_by_their_many_names(processor: str, arch: str, triplet: str) -> None:
    found = machine_named("Linux", processor)

    assert (found.arch, found.triplet) == (arch, triplet)


@pytest.mark.parametrize(
    ("system", "processor"), [("Linux", "armv7l"), ("Linux", "riscv64"), ("Darwin", "arm64")]
)
def test_other_machines_are_refused_in_both_languages(system: str, processor: str) -> None:
    with pytest.raises(InstallError, match="動きません") as caught:
        machine_named(system, processor)

    assert processor in caught.value.english
    assert "→" in str(caught.value)


def test_too_little_space_is_said_with_both_numbers(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free

    require_space(tmp_path / "not/yet/there", free // 2)
    with pytest.raises(InstallError, match="空きが足りません") as caught:
        require_space(tmp_path / "not/yet/there", free * 2)
    assert f"{free * 2 / 1e9:.1f} GB" in caught.value.english


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(InstallError, match="書き込めません") as caught:
        make_folder(tmp_path / "file/tools")
    assert caught.value.where == str(tmp_path / "file/tools")


def test_a_second_start_waits_for_the_first_and_a_killed_one_blocks_nobody(tmp_path: Path) -> None:
    lock = tmp_path / "x.lock"
    code = (
        "import sys; from pathlib import Path; from runtime.install.machine import only_one\n"
        "with only_one(Path(sys.argv[1]), lambda: None):\n    print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    waited: list[str] = []

    def kill() -> None:
        waited.append("waited")
        holder.kill()

    with only_one(lock, kill):
        pass
    holder.communicate()

    assert waited == ["waited"]


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("1:22.10.1+dfsg+~cs6.17.60671434-1", True),
        ("Asterisk 22.10.1+dfsg+~cs6.17.60671434-1", True),
        ("Asterisk 22.11.0", True),
        ("1:22.10.0~dfsg-1", False),
        ("1:20.6.0~dfsg+~cs6.13.40431414-2build5", False),
        ("1:23.0.0+dfsg-1", False),
        ("Asterisk GIT-master-abcdef", False),
        ("", False),
    ],
)
def test_the_range_of_asterisk(text: str, fits: bool) -> None:
    assert in_range(text) is fits


@given(
    st.tuples(*[st.integers(0, 99)] * 3),
    st.sampled_from(["", "1:", "Asterisk "]),
    st.sampled_from(["", "+dfsg-1"]),
)
def test_a_version_is_read_wherever_it_stands(numbers: tuple[int, int, int], before: str, after: str) -> None:
    text = before + ".".join(str(n) for n in numbers) + after

    assert version_of(text) == numbers
    assert in_range(text) == ((22, 10, 1) <= numbers < (23, 0, 0))
