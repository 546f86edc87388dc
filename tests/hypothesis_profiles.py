"""How many examples the property tests try, and twenty times as many with `HYPOTHESIS_PROFILE=thorough`.

The suite tries the same examples each time, so that it fails for what was changed and not by chance; the thorough
profile tries others each time.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings


def use_profile() -> None:
    """Load the profile that the environment names. Time limits are off: the machine may be busy with other things."""
    unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("normal", unhurried, max_examples=100, derandomize=True)
    settings.register_profile("thorough", unhurried, max_examples=2_000)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "normal"))


def many_examples(times: int = 5) -> settings:
    """Return the settings of a test that tries so many times more examples than the others."""
    return settings(max_examples=times * settings.default.max_examples)
