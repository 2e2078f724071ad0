"""Report: results and arrays in, pictures and tables out. Nothing trains or scores here.

Contract: functions that compute what a picture shows return arrays or frozen dataclasses; functions that draw take
those and a path, and write one whole file. Titles say data set, model, member and steps. `study_report` makes the
page of a whole study from its `Outcome`. May import: `study` and everything below it.
"""

from factorgrid.report.compare_planes import compare_planes as compare_planes
from factorgrid.report.tables import print_scores as print_scores
from factorgrid.report.traverse import traverse as traverse
