"""What stands around the desk: its own certificate, its papers, the first people of a demonstration."""

from __future__ import annotations

import datetime
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509

from core.clock import SystemClock
from core.errors import ToritsugiError
from desk.settings import DeskSettings
from interactions.access import Role
from runtime.demo_desk import add_demo_users
from runtime.desk_papers import CityPapers
from runtime.desk_process import _tls, own_certificate
from runtime.users import role_of
from services.city import list_cities, load_city
from storage.database import Database

pytestmark = pytest.mark.unit
OWN = DeskSettings(origin="https://192.0.2.5:8443", certificate="own")


def test_an_own_certificate_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    path = own_certificate(tmp_path, OWN)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made = path.read_bytes()
    names = x509.load_pem_x509_certificate(made).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert [str(name.value) for name in names.value] == ["192.0.2.5"]
    assert own_certificate(tmp_path, OWN).read_bytes() == made
    assert _tls(OWN, tmp_path) is not None


def test_another_name_gets_another_certificate(tmp_path: Path) -> None:
    made = own_certificate(tmp_path, OWN).read_bytes()
    other = own_certificate(tmp_path, replace(OWN, origin="https://desk.example.jp"))
    assert other.read_bytes() != made


def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate", encoding="utf-8")
    wrong = replace(OWN, certificate=str(broken), certificate_key=str(broken))
    with pytest.raises(ToritsugiError, match="TORITSUGI_TLS_CERT"):
        _tls(wrong, tmp_path)


@pytest.mark.parametrize("city", list_cities())
def test_every_paper_of_a_city_is_offered_once(city: str) -> None:
    profile = load_city(city)
    kinds = CityPapers(profile).kinds
    names = [kind.id for kind in kinds]
    assert len(set(names)) == len(names)
    assert {section.kind for section in profile.reports.papers} <= set(names)
    assert all(kind.formats and kind.period_ja for kind in kinds)


async def test_a_paper_that_is_not_there_is_refused() -> None:
    papers = CityPapers(load_city("matsusaka"))
    for kind, format_ in (("secret", "html"), ("evenness", "pdf")):
        with pytest.raises(ToritsugiError, match="ない報告"):
            await papers.make(kind, datetime.date(2026, 11, 27), format_)


async def test_a_demonstration_tells_who_may_sign_in(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'toritsugi.db'}")
    await database.migrate()
    said = [await add_demo_users(database, SystemClock(), load_city("matsusaka")) for _ in range(2)]
    assert said[0] != said[1], "a new password each time"
    async with database.reading() as unit:
        users = await unit.users.all()
    assert {user.role for user in users} == {Role.SUPERVISOR, Role.OPERATOR, Role.CITY_STAFF}
    assert all(user.name in said[0] for user in users)
    await database.close()


def test_roles_have_short_names_too() -> None:
    assert (role_of("admin"), role_of("staff")) == (Role.SYSTEM_ADMIN, Role.CITY_STAFF)
    with pytest.raises(ToritsugiError, match="city_admin"):
        role_of("boss")
