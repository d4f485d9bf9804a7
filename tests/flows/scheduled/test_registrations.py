"""Several clinics on one Prefect server: each registers and replaces its own, and ends no night of another."""

from contextlib import suppress
from pathlib import Path

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists
from prefect.settings import PREFECT_API_URL, temporary_settings

from rapport.flows.scheduled import deploy, registrations
from rapport.flows.scheduled.deployments import names_of, served
from rapport.flows.scheduled.registrations import refuse_others, remove_old
from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.errors import Unusable
from tests.clinics.nights import CLINIC, open_place

FLOWS = {"nightly", "compact", "verify", "forget", "backfill", "restore"}


@pytest.fixture(scope="module", autouse=True)
def server(surroundings):
    """The tests' server, for what runs in this process."""
    with temporary_settings({PREFECT_API_URL: surroundings["PREFECT_API_URL"]}):
        yield surroundings["PREFECT_API_URL"]


@pytest.fixture(autouse=True)
def afterwards(tmp_path):
    """Nothing of a test stays on the server."""
    yield
    with get_client(sync_client=True) as client:
        for each in list(registrations._deployments(client)):
            if str(tmp_path) in str(each.parameters):
                client.delete_deployment(each.id)


def registered() -> list:
    with get_client(sync_client=True) as client:
        return registrations._registered(client)


def of(place) -> set[str]:
    """What is registered of a clinic's warehouse, each as flow/deployment."""
    return {each.name for each in registered() if each.warehouse == place.warehouse.resolve()}


def all_named(name: str) -> set[str]:
    return {f"{each}/{name}" for each in FLOWS}


def register(place) -> list[str]:
    """As serving does; what was removed for it."""
    deployments = served(place.exports, place.clinic, place.warehouse, read_clinic(place.clinic))
    refuse_others(names_of(deployments), place.warehouse)
    removed = remove_old(names_of(deployments), place.warehouse)
    for each in deployments:
        each.apply()
    return removed


def test_a_second_clinic_ends_no_night_of_the_first(tmp_path):
    north, south = open_place(tmp_path / "north"), open_place(tmp_path / "south")
    assert [register(each) for each in (north, south, north)] == [[], [], []]
    assert (of(north), of(south)) == (all_named("north"), all_named("south"))


def test_a_clinic_of_the_same_name_is_refused_until_it_has_another(tmp_path, monkeypatch):
    monkeypatch.setattr(registrations, "AT_ONCE", 4)  # a server tells so many
    north, other = open_place(tmp_path / "north"), open_place(tmp_path / "elsewhere/north")
    register(north)
    with pytest.raises(
        Unusable, match=rf"/north is registered .* for the warehouse {north.warehouse}; give this clinic"
    ):
        register(other)
    assert (of(north), of(other)) == (all_named("north"), set())
    other.clinic.write_text('name = "Praxis Süd"\n' + CLINIC)
    register(other)
    assert (of(north), of(other)) == (all_named("north"), all_named("Praxis Süd"))


@flow(name="nightly")
def of_an_older_release(warehouse: str) -> None:
    pass


def older(name: str, place, entrypoint: str):
    found = of_an_older_release.to_deployment(name, parameters={"warehouse": str(place.warehouse.resolve())})
    found.entrypoint = entrypoint
    return found.apply()


def test_what_the_warehouse_had_under_other_names_goes_and_another_pipelines_stays(tmp_path):
    north = open_place(tmp_path / "north")
    older("nightly", north, "rapport.flows.nightly.nightly")
    older("all_of_it", north, "flows.nightly.nightly")
    theirs = older("copy", north, "pipelines/copy.py:copy")
    assert sorted(register(north)) == ["nightly/all_of_it", "nightly/nightly"]
    north.clinic.write_text('name = "nord"\n' + CLINIC)
    assert set(register(north)) == all_named("north")
    assert of(north) == all_named("nord")
    assert theirs in {each.id for each in registered()}
    north.clinic.write_text('name = "copy"\n' + CLINIC)
    with pytest.raises(Unusable, match="nightly/copy is registered with this Prefect server for another pipeline"):
        register(north)


@pytest.fixture
def pool():
    """The workers' pool, made here: each command of Prefect's takes seconds."""
    with get_client(sync_client=True) as client, suppress(ObjectAlreadyExists):
        client.create_work_pool(WorkPoolCreate(name=deploy.POOL, type="process"))


def test_deploying_registers_a_clinic_by_its_name_beside_another(tmp_path, server, pool, monkeypatch, capsys):
    """What stands in prefect.yaml, by Prefect's own command."""
    north, south, prefect = open_place(tmp_path / "north"), open_place(tmp_path / "south"), deploy._prefect
    register(north)
    older("nightly", south, "flows.nightly:nightly")
    monkeypatch.setenv("PREFECT_API_URL", server)
    monkeypatch.setattr(
        deploy, "_prefect", lambda facts, *words: prefect(facts, *words) if words[0] == "deploy" else None
    )
    folders = {"--exports": south.exports, "--clinic": south.clinic, "--warehouse": south.warehouse}
    assert deploy.main([str(part) for pair in folders.items() for part in pair]) == 0
    assert "nightly/nightly is no longer registered" in capsys.readouterr().out
    assert (of(north), of(south)) == (all_named("north"), all_named("south"))


def test_a_clinic_s_name_is_its_folder_s_where_it_says_none(tmp_path):
    named = {"north": "north", "St. Mary": "St. Mary", "東京": "東京", "a/b": "b", "50% <x>": "50- -x", "%": "clinic"}
    for folder, name in named.items():
        path = tmp_path / folder / "clinic.toml"
        path.parent.mkdir(parents=True)
        path.write_text(CLINIC)
        assert read_clinic(path).monitoring.name == name
    slugs = {read_clinic(tmp_path / folder / "clinic.toml").monitoring.slug for folder in named}
    assert len(slugs) == len(named)
    assert "north" in slugs
    assert all(set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for slug in slugs)


def test_a_clinic_file_given_by_its_bare_name_has_its_folder_s_name(tmp_path, monkeypatch):
    (tmp_path / "north").mkdir()
    monkeypatch.chdir(tmp_path / "north")
    Path("clinic.toml").write_text(CLINIC)
    assert read_clinic(Path("clinic.toml")).monitoring.name == "north"
