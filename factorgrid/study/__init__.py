"""Study: many groups from one file: planned, trained, scored, resumed, and read back as one table.

Contract: a study is a value (`Study`); every group writes a run folder and one results file, both atomic, so that any
number of processes and machines may work on it; `Outcome` is what reports read. May import: `evaluation` and
everything below it; never `report`.
"""

from factorgrid.study.definition import MethodEntry as MethodEntry
from factorgrid.study.definition import Study as Study
from factorgrid.study.estimates import estimate as estimate
from factorgrid.study.folder import StudyFolder as StudyFolder
from factorgrid.study.outcomes import Outcome as Outcome
from factorgrid.study.outcomes import merged as merged
from factorgrid.study.planning import PlannedGroup as PlannedGroup
from factorgrid.study.planning import plan as plan
from factorgrid.study.presets import load_study as load_study
from factorgrid.study.presets import preset_names as preset_names
from factorgrid.study.presets import preset_text as preset_text
from factorgrid.study.run import run_study as run_study
from factorgrid.study.status import outcome as outcome
