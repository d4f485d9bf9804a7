"""What is deployed on one machine is what prefect.yaml deploys to a server of its own; the units start what exists."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from rapport.flows.command import MODULES
from rapport.flows.scheduled.deployments import COMPACT, FORGET, VERIFY, served
from rapport.warehouse.clinic_file.clinic import read_clinic
from tests.clinics.nights import ROOT

UNITS = sorted((ROOT / "flows/systemd").iterdir())
FACTS = {
    **{"EXPORTS": "/srv/e", "CLINIC": "/srv/clinic.toml", "WAREHOUSE": "/srv/w", "ROOT": "/opt/rapport"},
    **{"SCHEDULE": "0 4 * * *", "TIME_ZONE": "Europe/London", "COMPACT": COMPACT, "VERIFY": VERIFY, "FORGET": FORGET},
    "NAME": "north",
}


def test_prefect_yaml_deploys_what_serving_deploys(tmp_path):
    (tmp_path / "clinic.toml").write_text('time_zone = "Europe/London"\nschedule = "0 4 * * *"\nname = "north"')
    text = re.sub(r"{{ \$RAPPORT_(\w+) }}", lambda found: FACTS[found[1]], (ROOT / "prefect.yaml").read_text())
    declared = {each["entrypoint"].rpartition(":")[2]: each for each in yaml.safe_load(text)["deployments"]}
    clinic = read_clinic(tmp_path / "clinic.toml")
    ours = {each.flow_name: each for each in served(Path("/srv/e"), Path("/srv/clinic.toml"), Path("/srv/w"), clinic)}
    assert declared.keys() == ours.keys()
    for name, each in ours.items():
        theirs = declared[name]
        assert theirs["name"] == each.name == "north"
        assert theirs["entrypoint"] == ":".join(each.entrypoint.rsplit(".", 1))
        assert theirs["parameters"] == each.parameters
        schedules = [(at.schedule.cron, at.schedule.timezone) for at in each.schedules or []]
        assert [(at["cron"], at["timezone"]) for at in theirs.get("schedules", [])] == schedules
        assert theirs["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
        assert (each.concurrency_limit, each.concurrency_options.collision_strategy.value) == (1, "ENQUEUE")


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name)
def test_a_unit_starts_a_command_that_exists_as_a_user_who_may_write_little(unit):
    text = unit.read_text(encoding="utf-8")
    started = re.search(r"^ExecStart=\S+/bin/(python -m prefect|rapport \S+)", text, re.MULTILINE)[1]
    assert started == "python -m prefect" or started.removeprefix("rapport ") in MODULES
    assert re.search(r"^User=rapport$", text, re.MULTILINE)
    assert re.search(r"^ProtectSystem=strict$", text, re.MULTILINE)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_understands_every_unit_and_finds_them_closed(tmp_path):
    for unit in UNITS:
        text = re.sub(r"/opt/rapport/\S+/(python|rapport)", "/bin/true", unit.read_text(encoding="utf-8"))
        (tmp_path / unit.name).write_text(re.sub(r"^(User|Group)=.*", r"\1=root", text, flags=re.MULTILINE))
    made = [str(path) for path in sorted(tmp_path.iterdir())]
    verified = subprocess.run(["systemd-analyze", "verify", *made], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    for path in (path for path in made if path.endswith(".service")):
        words = ["systemd-analyze", "security", "--offline=true", "--threshold=25", "--no-pager", path]
        assert subprocess.run(words, capture_output=True, check=False).returncode == 0, path
