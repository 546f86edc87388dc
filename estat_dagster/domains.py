"""The six domains: which e-Stat fields they take, their own columns and the axes these come from, tables, partitioning.

A dataset belongs to one domain, found from its metadata by `infer_domain` or named by the user.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from estat_dagster.columns import FOLLOWING, LEADING, Column
from estat_dagster.errors import ValidationError
from estat_dagster.partitioning import parse

DATASET_ID = re.compile(r"\d{10}", re.ASCII)


@dataclass(frozen=True)
class AxisColumn:
    """A domain's own column, filled from the first axis whose name is one of the words, else holds one.

    Width and spaces in names do not count.

    Columns named `*_code` hold the class's code, the others its name.
    """

    name: str
    axis_words: tuple[str, ...]
    ja: str
    en: str

    @property
    def column(self) -> Column:
        """The column of the table."""
        return Column(self.name, "string", self.ja, self.en)

    def find_axis(self, axes: Iterable[tuple[str, str]]) -> str | None:
        """Return the id of the axis that fills this column, from (id, name) pairs in their order."""
        names = {axis_id: _folded(name) for axis_id, name in axes if axis_id.startswith("cat")}
        alike = [axis_id for axis_id, name in names.items() if name in self.axis_words]
        holding = [axis_id for axis_id, name in names.items() if any(word in name for word in self.axis_words)]
        return next(iter(alike + holding), None)


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split())


@dataclass(frozen=True)
class Domain:
    """A domain and its Iceberg table."""

    name: str
    ja: str
    fields: tuple[str, ...]
    """大分類 codes of TABLE_INF.MAIN_CATEGORY that belong here."""
    words: tuple[str, ...]
    """What titles of MAIN_CATEGORY 99 (その他) say when they belong here."""
    own: tuple[AxisColumn, ...] = ()
    partition_by: tuple[str, ...] = ("year",)
    """Columns, or Iceberg's transforms of them, as `partitioning` reads them."""
    sort_by: tuple[str, ...] = ("region_code", "category_code", "tab_code", "time_code")

    @property
    def table_name(self) -> str:
        """The Iceberg table."""
        return f"{self.name}_data"

    @property
    def partitions_name(self) -> str:
        """The name of the domain's Dagster partition set."""
        return f"{self.name}_datasets"

    @property
    def order(self) -> tuple[str, ...]:
        """The columns that the rows of a file are ordered by, before their other coordinates."""
        return tuple(dict.fromkeys((*(parse(field).column for field in self.partition_by), *self.sort_by)))

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that the table is created with; axes beyond cat01 add theirs when they arrive."""
        return (*LEADING, *FOLLOWING, *(own.column for own in self.own))


GENDER = AxisColumn("gender", ("男女", "性別"), "男女", "sex")
AGE = AxisColumn("age_group", ("年齢", "年令"), "年齢階級", "age group")
INDUSTRY = AxisColumn("industry_code", ("産業",), "産業分類コード", "industry code")
INDICATOR = AxisColumn("indicator_type", ("指標", "系列", "品目", "項目", "勘定"), "指標", "indicator")
STATUS = AxisColumn("employment_status", ("就業状態", "従業上の地位", "雇用形態", "就業形態"), "就業状態", "status")
OCCUPATION = AxisColumn("occupation", ("職業", "職種"), "職業", "occupation")
SCHOOL = AxisColumn("school_type", ("学校種", "学校の種類", "学校"), "学校種", "kind of school")
GRADE = AxisColumn("grade_level", ("学年",), "学年", "grade")
DISEASE = AxisColumn("disease_code", ("疾病", "傷病", "死因", "疾患"), "疾病分類コード", "disease code")
FACILITY = AxisColumn("facility_type", ("施設", "病院"), "施設の種類", "kind of facility")

DOMAINS: dict[str, Domain] = {
    domain.name: domain
    for domain in (
        Domain("population", "人口・世帯", ("02",), ("人口", "世帯", "出生", "婚姻"), (AGE, GENDER)),
        Domain("economy", "企業・家計・経済", ("07",), ("経済", "家計", "物価", "企業", "所得"), (INDUSTRY, INDICATOR)),
        Domain("labor", "労働・賃金", ("03",), ("労働", "賃金", "就業", "雇用", "失業"), (STATUS, OCCUPATION)),
        Domain(
            "education", "教育・文化・スポーツ・生活", ("12",), ("教育", "学校", "文化", "スポーツ"), (SCHOOL, GRADE)
        ),
        Domain("health", "社会保障・衛生", ("15",), ("健康", "医療", "福祉", "社会保障", "衛生"), (DISEASE, FACILITY)),
        Domain("general", "その他の分野", (), ()),
    )
}

# The survey that holds tables of every field under 99. Its own name says 人口, so it tells nothing of a table.
MIXED_SURVEY = "社会・人口統計体系"
OTHER_FIELD = "99"


def check_dataset_id(dataset_id: str) -> str:
    """Return the id if it is a statsDataId.

    Raises:
        ValidationError: it is not ten digits.
    """
    if not DATASET_ID.fullmatch(dataset_id):
        raise ValidationError(
            f"{dataset_id!r} is not a dataset id: a statsDataId has ten digits.",
            hint="Find one with `estat search WORDS`; keep its leading zeros, as in 0000010101.",
            dataset_id=dataset_id,
        )
    return dataset_id


def get_domain(name: str) -> Domain:
    """Return a domain by its name.

    Raises:
        ValidationError: there is no such domain.
    """
    if name not in DOMAINS:
        raise ValidationError(f"There is no domain {name!r}.", hint=f"The domains are {', '.join(DOMAINS)}.")
    return DOMAINS[name]


def infer_domain(
    *, field_code: str, field_name: str, title: str, survey: str, axis_names: Sequence[str] = ()
) -> tuple[Domain, str]:
    """Return the domain of a dataset and the reason, from its TABLE_INF and the names of its axes.

    MAIN_CATEGORY decides; under 99 (その他) the first telling word of the title does, then of the survey, then of an
    axis. Every other field is `general`.
    """
    for domain in DOMAINS.values():
        if field_code in domain.fields:
            return domain, f"統計分野 {field_code} {field_name}"
    if field_code != OTHER_FIELD:
        return DOMAINS["general"], f"統計分野 {field_code} {field_name} has no domain of its own"
    sources = {"title": (title,), "survey": (survey.replace(MIXED_SURVEY, ""),), "axis": axis_names}
    for source, texts in sources.items():
        for text in texts:
            if found := _first_word(text):
                domain, word = found
                return domain, f"統計分野 99 その他, and the {source} 「{text.strip()}」 says {word}"
    return DOMAINS["general"], "統計分野 99 その他, and neither title, survey nor axes name a domain"


def _first_word(text: str) -> tuple[Domain, str] | None:
    hits = [(text.index(word), domain, word) for domain in DOMAINS.values() for word in domain.words if word in text]
    if not hits:
        return None
    _, domain, word = min(hits, key=lambda hit: hit[0])
    return domain, word
