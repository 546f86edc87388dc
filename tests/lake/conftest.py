"""The property tests of this folder try as many examples as the profile says, however busy the machine is."""

from __future__ import annotations

from tests.hypothesis_profiles import use_profile

use_profile()
