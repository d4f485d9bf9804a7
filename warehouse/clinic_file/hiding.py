"""What leaves the analysts' tree: section [shared] of clinic.toml, and the profiles of hiding that it may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rapport.warehouse.toml_keys.keys import keys_of, read

BASE = 5  # counts are shown to the nearest 5: one person more or less is not seen to be one


@dataclass(frozen=True)
class Profile:
    """A rule for small numbers: a count below `least` is hidden, except, where `shows_zero`, that of nobody."""

    name: str
    least: int
    shows_zero: bool = False

    @property
    def lowest_shown(self) -> int:
        """What the smallest shown counts are rounded to."""
        return -(-self.least // BASE) * BASE


# nhs: NHS England's monthly mental health statistics. opensafely: OpenSAFELY's outputs (up to 7), as HES. cms: the cell
# size policy of the Centers for Medicare & Medicaid Services; it asks that nothing hidden can be derived, for which
# this rounds too.
PROFILES = {
    profile.name: profile
    for profile in (Profile("nhs", 5), Profile("opensafely", 8), Profile("cms", 11, shows_zero=True))
}


@dataclass(frozen=True)
class Sharing:
    """What the clinic has said of its safe file."""

    profile: Profile
    therapists: bool
    minimum_clients: int  # of a site, a program, the clinic: with fewer it has no figures of its own
    minimum_therapists: int  # of the clinic: with fewer there are no therapists' figures


def read_sharing(facts: Mapping[str, object]) -> Sharing:
    """The section. Raises ValueError that names the key and says what to do."""
    told = read("[shared]", facts, keys_of("shared"))
    profile = PROFILES[told["profile"]]
    for key, least in (("minimum_clients", 4 * profile.least), ("minimum_therapists", profile.least)):
        if told[key] is None:
            told[key] = least
        if told[key] < least:
            raise ValueError(f"[shared] {key} = {told[key]} is less than {least}, the least for profile {profile.name}")
    return Sharing(**{**told, "profile": profile})
