"""The questionnaires that come with Rapport: every fact has a status and a source, scales cover the items they claim,
ranges follow from items, and no item's wording is anywhere."""

import re
import tomllib

import pytest

from rapport.warehouse.instruments import HERE, load_instruments
from rapport.warehouse.schema.columns import FACT_STATUSES

ALL = load_instruments()
LONGEST_NUMBERLESS_TEXT = 400
LISTED = """
    srs csrs ors cors wai_sr wai_s wai_36 sai tasc_r tascp phq9 phq_a_7_days phq_a_2_weeks gad7 core_10 yp_core
    sdq_parent sdq_teacher sdq_self smfq rcads_25 rcads_47 oq_45_2 wsas k10_1_to_5 k10_0_to_4 gbo urica myts
    elkin_responsiveness ycsrs gsrs wai_sr_t br_wai haq_ii calpas_p taqs taqr arm_5 arm_12 star_p star_c pear blri
    tpocs_a 3rs psq yoq_2_01 yoq_sr yoq_30 oq_30 s_oq rtq homework
    """
# instrument: the scales that share its items out among them, and the items that none of them scores
PARTITIONS = {
    "wai_36": ("task bond goal", []),
    "wai_s": ("task bond goal", []),
    "wai_sr": ("task bond goal", []),
    "sdq_parent": ("emotional conduct hyperactivity peer prosocial", []),
    "sdq_teacher": ("emotional conduct hyperactivity peer prosocial", []),
    "sdq_self": ("emotional conduct hyperactivity peer prosocial", []),
    "rcads_25": ("depression anxiety", []),
    "rcads_47": ("separation_anxiety social_phobia generalised_anxiety panic obsessive_compulsive depression", []),
    "oq_45_2": ("symptom_distress interpersonal_relations social_role", []),
    "urica": ("precontemplation contemplation action maintenance", [4, 9, 20, 31]),
    "gbo": ("goal_1 goal_2 goal_3", []),
    "psq": ("rupture intensity resolution", []),
}
# instrument, scale: lowest and highest score, as published
RANGES = {
    ("srs", "total"): (0, 40),
    ("csrs", "total"): (0, 40),
    ("ors", "total"): (0, 40),
    ("cors", "total"): (0, 40),
    ("gsrs", "total"): (0, 40),
    ("wai_36", "total"): (36, 252),
    ("wai_36", "bond"): (12, 84),
    ("wai_s", "total"): (12, 84),
    ("wai_sr", "total"): (12, 60),
    ("wai_sr", "goal"): (4, 20),
    ("sai", "total"): (0, 5),
    ("haq_ii", "total"): (19, 114),
    ("tasc_r", "total"): (12, 48),
    ("tascp", "total"): (12, 48),
    ("star_p", "total"): (0, 48),
    ("phq9", "total"): (0, 27),
    ("phq_a_7_days", "total"): (0, 27),
    ("gad7", "total"): (0, 21),
    ("core_10", "total"): (0, 40),
    ("yp_core", "total"): (0, 40),
    ("sdq_parent", "total"): (0, 40),
    ("sdq_self", "internalising"): (0, 20),
    ("sdq_parent", "impact"): (0, 10),
    ("sdq_teacher", "impact"): (0, 6),
    ("smfq", "total"): (0, 26),
    ("rcads_25", "depression"): (0, 30),
    ("rcads_25", "anxiety"): (0, 45),
    ("rcads_25", "total"): (0, 75),
    ("rcads_47", "total"): (0, 141),
    ("oq_45_2", "total"): (0, 180),
    ("oq_45_2", "symptom_distress"): (0, 100),
    ("k10_1_to_5", "total"): (10, 50),
    ("k10_0_to_4", "total"): (0, 40),
    ("wsas", "total"): (0, 40),
    ("gbo", "goal_1"): (0, 10),
    ("urica", "readiness"): (-2, 14),
    ("psq", "rupture"): (0, 1),
    ("psq", "intensity"): (1, 5),
    ("blri", "congruence"): (-48, 48),
}
# what is recalled and not checked: keys (or parts of them), then numbers
RECALLED_KEYS = "myts pear rtq sai taqr taqs wai_sr_t ycsrs blri"
RECALLED_RULES = "rcads_25 rcads_47 myts taqr taqs"
RECALLED_NUMBERS = """
    srs.item_below_9 csrs.below_36 ors.adolescent ors.collateral cors.child cors.caretaker
    yp_core.male_11_13 yp_core.male_14_16 yp_core.female_11_13 yp_core.female_14_16 smfq.parent wsas.zahra_2014
    gbo.edbrooke_childs_2015 yoq_2_01.clinical yoq_sr.clinical
    """


def facts_of(instrument):
    """What has a status of its own: the items, each scale and its missing rule, each number."""
    yield "items", instrument.items_origin
    for scale in instrument.scales:
        yield scale.name, scale.origin
        yield f"{scale.name}'s missing rule", scale.missing_origin if scale.items else scale.origin
    numbers = (*instrument.thresholds, *instrument.changes, *instrument.norms, *instrument.reliabilities)
    for fact in (*numbers, *instrument.risks):
        yield fact.name, fact.origin


def test_every_questionnaire_of_the_list_has_a_file_and_no_other_does():
    listed = set(LISTED.split())
    assert not set(ALL) - listed, "add these names to LISTED in this file"
    assert not listed - set(ALL), "write warehouse/instruments/<name>.toml, or take the name from LISTED"


@pytest.mark.parametrize("name", ALL)
def test_every_fact_has_a_citation_a_status_and_a_source(name):
    instrument = ALL[name]
    assert instrument.citation
    assert instrument.licence
    stated = tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))
    of_its_own = {"homework": "local"}  # what a clinic notes, and no published scale
    assert stated["status"] in ("published", "recalled", of_its_own.get(name)), "a file with Rapport says its status"
    for fact, origin in facts_of(instrument):
        assert origin.status in FACT_STATUSES, fact
        assert len(origin.source) > 3, fact


@pytest.mark.parametrize("name", PARTITIONS)
def test_scales_share_the_items_out_none_twice_none_left(name):
    instrument = ALL[name]
    scales, unscored = PARTITIONS[name]
    shared = [item for scale in scales.split() for item in instrument.scale(scale).items]
    assert sorted([*shared, *unscored]) == list(range(1, instrument.item_count + 1))


def test_the_rcads_25_has_ten_depression_and_fifteen_anxiety_items():
    sizes = [len(ALL["rcads_25"].scale(name).items) for name in ("depression", "anxiety", "total")]
    assert sizes == [10, 15, 25]


def test_every_instrument_whose_whole_key_is_known_scores_every_item_or_says_which_not():
    for instrument in ALL.values():
        keyed = [scale for scale in instrument.scales if scale.items]
        if keyed and instrument.name != "urica":
            scored = {item for scale in keyed for item in scale.items}
            assert scored == set(range(1, instrument.item_count + 1)), instrument.name


@pytest.mark.parametrize(("instrument", "scale"), RANGES)
def test_a_scale_s_range_follows_from_its_items(instrument, scale):
    assert ALL[instrument].range_of(ALL[instrument].scale(scale)) == RANGES[instrument, scale]


def test_a_threshold_can_be_reached_and_its_bands_begin_at_the_lowest_score():
    for instrument in ALL.values():
        for threshold in instrument.thresholds:
            low, high = instrument.range_of(instrument.scale(threshold.scale))
            if threshold.of != "score" or low is None:
                continue
            ends = [at.value for _, at in threshold.bands] + ([threshold.case.value] if threshold.case else [])
            assert all(low <= end <= high for end in ends), (instrument.name, threshold.name)
            assert not threshold.bands or threshold.bands[0][1].value == low, (instrument.name, threshold.name)


def test_two_thresholds_of_one_scheme_and_scale_are_for_different_populations():
    for instrument in ALL.values():
        seen = [(each.scheme, each.scale, each.population) for each in instrument.thresholds]
        assert len(set(seen)) == len(seen), instrument.name


def test_descriptions_are_about_scores_and_hold_no_item_s_wording():
    for path in HERE.glob("*.toml"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(I feel|I am|my therapist|bothered by)\b", text, re.IGNORECASE), path.name
        assert max(map(len, text.splitlines())) < LONGEST_NUMBERLESS_TEXT, path.name


def test_a_key_that_was_not_found_is_said_so_and_never_guessed():
    unkeyed = {name for name, each in ALL.items() if any(not scale.has_key for scale in each.scales)}
    assert {"pear", "wai_sr_t", "br_wai", "calpas_p", "arm_12", "star_p", "blri", "elkin_responsiveness"} <= unkeyed
    assert not any(scale.items for name in ("pear", "blri", "3rs") for scale in ALL[name].scales)


def test_exactly_what_was_not_checked_is_recalled():
    keys = {
        name
        for name, each in ALL.items()
        if "recalled" in {each.items_origin.status, *(scale.origin.status for scale in each.scales)}
    }
    rules = {
        name
        for name, each in ALL.items()
        if any(scale.items and scale.missing_origin.status == "recalled" for scale in each.scales)
    }
    numbers = {
        f"{name}.{fact.name}"
        for name, each in ALL.items()
        for fact in (*each.thresholds, *each.changes)
        if fact.origin.status == "recalled"
    }
    assert keys == set(RECALLED_KEYS.split())
    assert rules == set(RECALLED_RULES.split())
    assert numbers == set(RECALLED_NUMBERS.split())


def test_only_events_have_no_scale():
    assert [name for name, each in ALL.items() if not each.scales] == ["ycsrs"]
    assert [name for name, each in ALL.items() if not each.scored] == ["ycsrs"]
