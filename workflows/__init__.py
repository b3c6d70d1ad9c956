"""The club's rules, one workflow per file; the list is checked at import."""

from engine.declare.registry import register
from workflows.departure import Departure
from workflows.handover import Handover
from workflows.join import Join
from workflows.new_address import NewAddress
from workflows.new_name import NewName
from workflows.nomination import Nomination
from workflows.reflection import Reflection
from workflows.study_plan import StudyPlan

WORKFLOWS = register(
    Join, StudyPlan, Reflection, Nomination, NewName, NewAddress, Departure, Handover
)
