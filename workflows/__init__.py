"""The club's rules. One file is one workflow; what is listed here is checked at import."""

from engine.registry import register
from workflows.join import Join
from workflows.study_plan import StudyPlan

WORKFLOWS = register(Join, StudyPlan)
