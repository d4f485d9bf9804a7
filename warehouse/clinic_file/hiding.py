"""Section [shared] of clinic.toml: the figures that may leave the analysts' tree, and the profiles for hiding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rapport.warehouse.toml_keys.keys import keys_of, read

BASE = 5  # counts are rounded to the nearest 5, so that one person more or less cannot be seen


@dataclass(frozen=True)
class Profile:
    """A rule for small numbers: a count below `least` is hidden. With `shows_zero` a count of 0 is shown."""

    name: str
    least: int
    shows_zero: bool = False

    @property
    def lowest_shown(self) -> int:
        """The rounded value of the smallest shown counts."""
        return -(-self.least // BASE) * BASE


# nhs: NHS England's monthly mental health statistics. opensafely: OpenSAFELY's outputs (up to 7), as HES. cms: the cell
# size policy of the Centers for Medicare & Medicaid Services. It requires that no hidden count can be derived, so the
# counts are rounded too.
PROFILES = {
    profile.name: profile
    for profile in (Profile("nhs", 5), Profile("opensafely", 8), Profile("cms", 11, shows_zero=True))
}


@dataclass(frozen=True)
class SharedRules:
    """The clinic's rules for its safe file."""

    profile: Profile
    therapists: bool
    minimum_clients: int  # a site, a program or a clinic with fewer clients has no figures of its own
    minimum_therapists: int  # a clinic with fewer therapists has no therapists' figures


def read_shared_rules(facts: Mapping[str, object]) -> SharedRules:
    """Return the section's rules. Raises ValueError, which names the key and says what to do."""
    told = read("[shared]", facts, keys_of("shared"))
    profile = PROFILES[told["profile"]]
    for key, least in (("minimum_clients", 4 * profile.least), ("minimum_therapists", profile.least)):
        if told[key] is None:
            told[key] = least
        if told[key] < least:
            raise ValueError(f"[shared] {key} = {told[key]} is less than {least}, the least for profile {profile.name}")
    return SharedRules(**{**told, "profile": profile})
