"""The same table through this project and through other readers of e-Stat, side by side.

`table` makes a table and knows the truth of every cell, `serve` puts it on loopback as e-Stat would, `readers` names
who reads it and from which packages, `environments` installs those, `drivers` run inside the readers' own environments,
`compare` holds what they hand over against the truth, and `report` prints. No code of the other readers is copied.
"""
