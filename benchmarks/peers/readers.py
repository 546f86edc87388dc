"""Who reads the table: this project and the others, with the packages that each is installed from."""

from __future__ import annotations

from dataclasses import dataclass

OURS, OURS_WHOLE, DOWNLOAD = "this project", "this project, through Parquet", "the download alone"


@dataclass(frozen=True)
class Reader:
    """One way to read the table.

    Args:
        name: as the report calls it.
        driver: the script in `drivers`.
        packages: what its environment is made from, pinned, the reader's own first; none runs in the project's own.
        python: the oldest Python that it takes.
        takes: the form of the answers it reads.
        options: for the driver.
    """

    name: str
    driver: str
    packages: tuple[str, ...] = ()
    python: tuple[int, int] = (3, 11)
    takes: str = "JSON"
    options: tuple[str, ...] = ()


_DLT_HELPER = ("estat-api-dlt-helper==0.3.2", "dlt[filesystem,parquet]==1.31.0", "pyarrow==26.0.1", "requests==2.34.2")

READERS = (
    Reader(OURS, "read_ours.py"),
    Reader(OURS_WHOLE, "read_ours.py", options=("--parquet",)),
    Reader("pyestat", "read_pyestat.py", ("pyestat==0.3.0", "httpx==0.28.1")),
    Reader("estat-mcp", "read_estat_mcp.py", ("estat-mcp[polars]==0.2.6", "httpx==0.28.1", "polars==2.1.0")),
    Reader("estat-api-dlt-helper", "read_dlt_helper.py", _DLT_HELPER),
    Reader("estat-api-dlt-helper, through Parquet", "read_dlt_pipeline.py", _DLT_HELPER),
    Reader(
        "jpy-datareader",
        "read_jpy_datareader.py",
        ("jpy-datareader==0.1.1", "pandas==3.1.1", "requests==2.34.2"),
        python=(3, 12),
    ),
    Reader(
        "jpstat",
        "read_jpstat.py",
        # lxml gave its HTML cleaner away to a package of its own, which requests-html does not ask for.
        ("jpstat==0.0.5", "pandas==1.5.3", "numpy==1.26.4", "requests==2.34.2", "lxml-html-clean==0.4.6"),
    ),
    Reader("plain pandas", "read_pandas.py", ("pandas==3.1.1", "requests==2.34.2")),
    Reader(
        "pandas-estat",
        "read_pandas_estat.py",
        ("pandas-estat==0.3.4", "pandas==1.5.3", "numpy==1.26.4", "requests==2.34.2"),
        takes="CSV",
    ),
    Reader(
        "estatjp",
        "read_estatjp.py",
        ("estatjp==0.1.5", "pandas==3.1.1", "requests==2.34.2"),
        python=(3, 12),
        takes="CSV",
    ),
    Reader(DOWNLOAD, "read_download.py"),
)
