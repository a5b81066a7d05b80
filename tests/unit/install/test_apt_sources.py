"""Which of a machine's apt sources are the distribution's own archive."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.install.sources import (
    AptSource,
    Distribution,
    archive_root,
    archive_sources,
    deb822_sources,
    machine_sources,
    one_line_sources,
    this_distribution,
)

pytestmark = pytest.mark.unit

BOOKWORM = Distribution(name="debian", codename="bookworm")
KEY = "/usr/share/keyrings/debian-archive-keyring.gpg"

DEB822 = f"""\
# a comment
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: {KEY}

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: {KEY}

Types: deb-src
URIs: http://sources.example/debian
Suites: bookworm
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
"""


def test_a_deb822_file_gives_one_source_per_suite_and_skips_what_is_off() -> None:
    found = list(deb822_sources(DEB822))

    assert [(s.uri, s.suite) for s in found] == [
        ("http://mirror.example/debian", "bookworm"),
        ("http://mirror.example/debian", "bookworm-updates"),
        ("http://mirror.example/debian-security", "bookworm-security"),
    ]
    assert found[0].components == ("main", "contrib")
    assert {s.signed_by for s in found} == {KEY}


def test_a_key_written_into_the_stanza_is_not_taken_for_a_file() -> None:
    text = (
        "Types: deb\nURIs: http://mirror.example/debian\nSuites: sid\nComponents: main\n"
        "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEY865UxYJKwYBBAHaRw8BAQdAd7Z0srwuhlB6JKFkcf4H\n"
    )

    (source,) = deb822_sources(text)

    assert source.signed_by == ""


def test_one_line_sources_with_options_comments_and_source_lines() -> None:
    text = (
        "# deb http://commented.example/debian bookworm main\n"
        f"deb [ arch=amd64 signed-by={KEY} ] http://mirror.example/debian bookworm main # ours\n"
        "deb-src http://mirror.example/debian bookworm main\n"
        "deb http://plain.example/debian bookworm main contrib\n"
    )

    first, second = one_line_sources(text)

    assert (first.uri, first.suite, first.signed_by) == ("http://mirror.example/debian", "bookworm", KEY)
    assert (second.components, second.signed_by) == (("main", "contrib"), "")


_WORD = st.from_regex(r"[a-z][a-z0-9.-]{0,12}", fullmatch=True)


@given(
    host=_WORD,
    suite=_WORD,
    components=st.lists(_WORD, min_size=1, max_size=3),
    key=st.sampled_from(["", KEY]),
)
def test_a_line_that_we_write_is_read_back_as_it_was(
    host: str, suite: str, components: list[str], key: str
) -> None:
    source = AptSource(uri=f"http://{host}/debian", suite=suite, components=tuple(components), signed_by=key)

    assert list(one_line_sources(source.line("arm64"))) == [source]


def test_vendors_under_the_same_code_name_are_left_out() -> None:
    ours = list(deb822_sources(DEB822))
    vendors = [
        AptSource(
            uri="https://apt.vendor.example",
            suite="bookworm",
            components=("main",),
            signed_by="/k/vendor.gpg",
        ),
        AptSource(uri="https://apt.other.example/x", suite="stable", components=("main",)),
        AptSource(uri="https://apt.node.example", suite="nodistro", components=("main",)),
    ]

    assert list(archive_sources([*vendors, *ours], BOOKWORM)) == ours


def test_a_private_mirror_with_an_odd_address_serves_when_nothing_else_is_there() -> None:
    mirror = AptSource(
        uri="http://nexus.city.example/repository/apt-proxy", suite="bookworm", components=("main",)
    )

    assert archive_sources([mirror], BOOKWORM) == (mirror,)


def test_the_root_of_the_archive_is_neither_security_nor_updates() -> None:
    found = archive_root(reversed(list(deb822_sources(DEB822))))

    assert found is not None
    assert (found.uri, found.suite) == ("http://mirror.example/debian", "bookworm")


def test_sources_come_from_both_kinds_of_file_and_from_nothing_else(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text("deb http://one.example/debian bookworm main\n")
    (parts / "debian.sources").write_text(DEB822)
    (parts / "vendor.list.disabled").write_text("deb http://off.example/debian bookworm main\n")

    assert [s.uri.split("/")[2] for s in machine_sources(tmp_path)] == [
        "one.example",
        *["mirror.example"] * 3,
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ID=debian\nVERSION_CODENAME=trixie\n", ("debian", "trixie")),
        ("ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\nUBUNTU_CODENAME=noble\n", ("ubuntu", "noble")),
        (
            'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_CODENAME=wilma\nUBUNTU_CODENAME=noble\n',
            ("ubuntu", "noble"),
        ),
        ("ID=fedora\n", ("fedora", "")),
    ],
)
def test_the_distribution_is_the_one_whose_archive_is_used(
    tmp_path: Path, text: str, expected: tuple[str, str]
) -> None:
    release = tmp_path / "os-release"
    release.write_text(text)

    found = this_distribution(release)

    assert (found.name, found.codename) == expected
