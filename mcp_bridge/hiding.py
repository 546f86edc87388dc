"""What must never leave the bridge, whatever an error or a file says: secrets, and where things are on this machine."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from estat_dagster.settings import Settings, project_root

HIDDEN = "***"
LAKE = "lake:"
_SHORTEST = 8  # a shorter "secret" is a word that data can hold
_SECRET_NAMES = re.compile(r"(APP_ID|SECRET|TOKEN|PASSWORD|API_KEY|ACCESS_KEY(_ID)?)$", re.IGNORECASE)
_SECRET_FORMS = (
    (re.compile(r"(appId(?:=|%3D))[^&\s\"'<>)]+", re.IGNORECASE), rf"\g<1>{HIDDEN}"),
    (
        re.compile(r"(X-Amz-(?:Signature|Credential|Security-Token)(?:=|%3D))[^&\s\"'<>]+", re.IGNORECASE),
        rf"\g<1>{HIDDEN}",
    ),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), HIDDEN),
    (re.compile(r"(Bearer\s+)[\w.~+/=-]{8,}", re.IGNORECASE), rf"\g<1>{HIDDEN}"),
)


class Hider:
    """Takes secrets and paths of this machine out of texts.

    Args:
        secrets: texts that are never shown.
        places: path -> what is shown in its place.
    """

    def __init__(self, secrets: set[str], places: Mapping[str, str]) -> None:
        self._shown = dict.fromkeys(secrets, HIDDEN) | dict(places)
        patterns = [*_longest_first(secrets), *map(_place, _longest_first(places))]
        self._pattern = re.compile("|".join(patterns or ["(?!)"]))

    @classmethod
    def of(cls, settings: Settings | None, environ: Mapping[str, str] | None = None) -> Hider:
        """Return the hider for the settings, None where they cannot be read, and the secrets of the environment."""
        env = os.environ if environ is None else environ
        secrets = {value.strip() for name, value in env.items() if _SECRET_NAMES.search(name)}
        if settings and settings.app_id:
            secrets.add(settings.app_id)
        return cls({text for text in secrets if len(text) >= _SHORTEST}, _places(settings))

    def hide(self, words: str) -> str:
        """Return the text without them."""
        for form, shown in _SECRET_FORMS:
            words = form.sub(shown, words)
        return self._pattern.sub(lambda found: self._shown[found[0].removeprefix("file://")], words)


def _longest_first(texts: Iterable[str]) -> list[str]:
    return [re.escape(text) for text in sorted(texts, key=len, reverse=True)]


def _place(path: str) -> str:
    """Return the pattern of a path that does not begin inside another one."""
    return rf"(?:file://|(?<![\w./])){path}"


def map_texts(node: Any, change: Callable[[str], str]) -> Any:
    """Return what JSON can hold with every text of it changed, keys too."""
    if isinstance(node, str):
        return change(node)
    if isinstance(node, dict):
        return {change(key): map_texts(each, change) for key, each in node.items()}
    if isinstance(node, list | tuple):
        return [map_texts(each, change) for each in node]
    return node


def _places(settings: Settings | None) -> dict[str, str]:
    """Return the folders of this machine that messages can name; the lake's own, named first, wins."""
    near = {
        str(path): "(local)" for path in (project_root(), Path.home(), Path(tempfile.gettempdir()), Path(sys.prefix))
    }
    places = {path: name for path, name in near.items() if len(path) > 1}
    return places | ({f"{settings.lake_home}/": LAKE, str(settings.lake_home): LAKE} if settings else {})
