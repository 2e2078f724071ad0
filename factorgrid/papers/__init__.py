"""Papers: a folder for each, with all that belongs to it and to nothing else.

Contract: a paper's folder has `TABLES`, `FIGURES` and `CLAIMS` on its door (plain dicts of entries, see
`factorgrid.report.paper`), and the TOML files of its studies in `presets/`, which `factorgrid.study` finds by
themselves. May import: `report` and everything below it. Nothing but the command line may import a paper.
"""
