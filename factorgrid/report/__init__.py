"""Report: results and arrays in, pictures and tables out. Nothing trains or scores here.

Contract: functions that compute what a picture shows return arrays or frozen dataclasses; functions that draw take
those and a path, and write one whole file. A number becomes text once, when it is printed; what does not exist is an
`Absent` with its reason. Titles say data set, model, member and steps. `study_report` makes the page of any study from
its `Outcome`; a paper adds to it through `paper.Paper`. May import: `study` and everything below it; no paper.
"""

from factorgrid.report.heat_maps import heat_map as heat_map
from factorgrid.report.heat_maps import run_heat_map as run_heat_map
from factorgrid.report.plane_rows import compare_planes as compare_planes
from factorgrid.report.run_figures import traverse as traverse
from factorgrid.report.study_page import study_report as study_report
from factorgrid.report.tables import print_scores as print_scores
