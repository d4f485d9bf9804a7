"""REDCap projects that number their records by themselves: the client's number is a field of the record."""

import pytest

from rapport.warehouse.errors import Refused
from tests.clinics.reading import Reading

SRS = 'instrument = "srs"\nrater = "client"\ncompleted_at = "srs_when"\nitems = ["s1", "s2", "s3", "s4"]\n'
SECTION = '[sources.own]\nformat = "redcap"\nfiles = "*"\nid_space = "practice"\n{}\n[sources.own.forms.srs]\n{}' + SRS
HEADER = "record_id,redcap_repeat_instrument,redcap_repeat_instance,client_no,dob,srs_when,s1,s2,s3,s4,srs_complete"
ROWS = [
    "1,,,A7,1990-01-02,,,,,,",
    "1,srs,1,,,2026-03-02 10:00,1,2,3,4,2",
    "2,srs,1,,,2026-03-03 10:00,5,6,7,8,2",
    "2,,,A9,,,,,,,",
    "3,srs,1,,,2026-03-04 10:00,5,6,7,8,2",
    "4,,,A1,,,,,,,",
    "4,srs,1,A2,,2026-03-05 10:00,5,6,7,8,2",
]


def read(tmp_path, section="", form="", rows=ROWS) -> Reading:
    text = "\n".join([HEADER, *rows, ""]).encode()
    return Reading(tmp_path, SECTION.format(section, form), text, "own")


@pytest.mark.parametrize(("section", "form"), [('client_id = "client_no"', ""), ("", 'client_id = "client_no"\n')])
def test_a_record_s_rows_have_the_number_of_the_row_that_states_it(tmp_path, section, form):
    """Before: the rows of a repeating form, in which the field is blank, were held for want of a client."""
    found = read(tmp_path, section, form).rows("responses")
    assert found["client_id"].to_list() == ["A7", "A9", None, "A2"]
    assert found["response_id"].n_unique() == 4


def test_the_client_s_facts_are_of_the_same_number(tmp_path):
    people = 'client_id = "client_no"\n[sources.own.clients]\nbirth_date = "dob"\n'
    assert read(tmp_path, people).rows("clients")["client_id"].to_list() == ["A7"]


def test_without_the_key_the_records_own_number_is_the_client_s(tmp_path):
    assert read(tmp_path).rows("responses")["client_id"].to_list() == ["1", "2", "3", "4"]


def test_the_entities_of_an_eav_export_have_it_too(tmp_path):
    told = {"srs_when": "2026-03-02 10:00", "s1": "1", "s2": "2", "s3": "3", "s4": "4"}
    rows = ["record,redcap_repeat_instrument,redcap_repeat_instance,field_name,value", "1,,,client_no,A7"]
    rows += [f"1,srs,1,{field},{value}" for field, value in told.items()]
    section = SECTION.format('client_id = "client_no"', "")
    found = Reading(tmp_path, section, "\n".join([*rows, ""]).encode(), "own")
    assert found.rows("responses")["client_id"].to_list() == ["A7"]


def test_a_field_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Refused, match="no column 'clientno'"):
        read(tmp_path, 'client_id = "clientno"').rows("responses")


def test_a_project_of_which_no_form_is_named_is_told(tmp_path):
    bare = Reading(tmp_path, '[sources.own]\nformat = "redcap"\nfiles = "*"\nid_space = "x"\n', HEADER.encode(), "own")
    assert [each for each in bare.task.told if "names none of its forms" in each]
