"""What broke is said with its module's place in Rapport, and without a value."""

import re

import pytest

from rapport.flows.failures import sayable
from rapport.transforms.sources import fhir
from rapport.transforms.sources.canonical import casts
from rapport.warehouse.toml_keys import kinds

BROKEN = {
    "transforms/sources/fhir.py": lambda: list(fhir._asked(None)),
    "transforms/sources/canonical/casts.py": lambda: casts.numeric(None),
    "warehouse/toml_keys/kinds.py": lambda: kinds.name_in_one_line("it", None),
}


@pytest.mark.parametrize("place", BROKEN)
def test_a_fault_names_the_module_and_not_its_base_name_alone(place):
    with pytest.raises(Exception) as broke:
        BROKEN[place]()
    said = str(sayable(broke.value))
    assert re.fullmatch(rf"the night broke in {place}, line \d+ \(\w+\); this is a fault of Rapport, report it", said)


def test_a_fault_of_a_library_alone_names_its_folder_too():
    with pytest.raises(re.error) as broke:
        re.compile("(")
    broke.value.__traceback__ = broke.value.__traceback__.tb_next
    assert re.search(r"broke in re/\w+\.py, line \d+ \(error\)", str(sayable(broke.value)))
