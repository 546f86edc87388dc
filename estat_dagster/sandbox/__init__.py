"""Our own e-Stat API 3.0 on loopback, for trying the system and for its tests.

`server` is the door (start and stop), `listener` its socket side, `service` the API without sockets, one module per
function (`stats_list`, `meta_info`, `stats_data` ...), `tables` what it serves. `faults` says what goes wrong
and when, `damage` and `delivery` how. Nothing else of the project is known here. Import the submodules directly.
"""
