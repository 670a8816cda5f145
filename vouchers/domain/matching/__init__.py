"""Who is who: from a row's fields to 'same person', 'same home' or 'ask a person'.

`names` and `addresses` read fields, `features` gathers them, `keys` says under which
keys a person is found, `levels` compares, `scoring` weighs, `verdicts` decides. All of
it is pure; numbers stand in `model.toml`, names that mean the same in `names.toml`.
"""
