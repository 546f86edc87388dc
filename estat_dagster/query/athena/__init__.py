"""The engine of a lake on AWS: Athena through boto3.

`engine` is the door. SQL passes the guard and is made ready in `prepare`, runs in `executions`, and comes back page by
page in `pages`; `problems` says what went wrong, `workgroup` keeps the costs bounded.
"""
