"""The axes of CLASS_INF, each once: what e-Stat names twice, and what it names and does not have."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from estat_dagster.estat.models import Axis, ClassItem, Metadata


def distinct_axes(metadata: Metadata) -> Metadata:
    """Return the metadata with one axis of each id, the first, with the classes of all, and of each code the first."""
    axes: dict[str, Axis] = {}
    classes: dict[str, dict[str, ClassItem]] = {}
    for axis in metadata.axes:
        axes.setdefault(axis.id, axis)
        known = classes.setdefault(axis.id, {})
        for item in axis.classes:
            known.setdefault(item.code, item)
    merged = (replace(axis, classes=tuple(classes[axis_id].values())) for axis_id, axis in axes.items())
    return replace(metadata, axes=tuple(merged))


def repeated_classes(metadata: Metadata) -> dict[str, int]:
    """Return the axes that CLASS_INF has more than once, and the codes that it gives another name or unit, with how
    often they come again.
    """
    found: Counter[str] = Counter()
    known: dict[str, dict[str, ClassItem]] = {}
    for axis in metadata.axes:
        if axis.id in known:
            found[axis.id] += 1
        items = known.setdefault(axis.id, {})
        for item in axis.classes:
            first = items.setdefault(item.code, item)
            if (first.name, first.unit) != (item.name, item.unit):
                found[f"{axis.id} {item.code}"] += 1
    return dict(found)


def dangling_parents(metadata: Metadata) -> dict[str, int]:
    """Return the parents that CLASS_INF names without having them on the axis, with their number of children."""
    found: Counter[str] = Counter()
    for axis in distinct_axes(metadata).axes:
        codes = {item.code for item in axis.classes}
        parents = (item.parent_code for item in axis.classes)
        found.update(f"{axis.id} {code}" for code in parents if code and code not in codes)
    return dict(found)
