"""The e-Stat API 3.0: requests, pages, statuses, fetching, search, time codes, codes and names.

Facts: https://www.e-stat.go.jp/api/api-info/e-stat-manual3-0
"""
