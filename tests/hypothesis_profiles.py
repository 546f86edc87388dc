"""How many examples the property tests try, and twenty times as many with `HYPOTHESIS_PROFILE=thorough`."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

MANY = 5
"""How many times more examples the property tests that build whole documents try than the others."""


def use_profile() -> None:
    """Load the profile that the environment names. Time limits are off: the machine may be busy with other things."""
    unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("normal", unhurried, max_examples=100)
    settings.register_profile("thorough", unhurried, max_examples=2_000)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "normal"))


def many_examples() -> settings:
    """Return the settings of a test that builds whole documents."""
    return settings(max_examples=MANY * settings.default.max_examples)
