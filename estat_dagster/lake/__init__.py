"""Where all bytes live: paths, local and S3 stores, dataset registry, raw pages, Parquet files, Iceberg tables."""
