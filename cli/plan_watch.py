"""Follows a plan to its end over as many streams as it takes: a server that restarts does not end the watching."""

import time
from typing import Final

from grpc import StatusCode
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.retention.v1.retention_service_pb2 import Plan, PlanState, WatchPlanRequest
from onggi.retention.v1.retention_service_pb2_grpc import RetentionServiceStub

from cli.failures import CallError, CheckError, StreamEndedError
from cli.plan_progress import display
from cli.plan_view import FINISHED
from cli.printable import printable
from cli.session import Session

RECONNECTS: Final = 5
"""Streams in a row that may end before they have told anything."""


def follow(session: Session, plan_id: str, why: AccessContext, seconds: float) -> Plan:
    """Shows the plan until it is certified.

    Raises CheckError when it needs an operator, CallError or StreamEndedError when the service cannot be followed, or
    not to the end within `seconds`.
    """
    retention = session.remote("retention")
    watch_plan = RetentionServiceStub(retention.channel).WatchPlan
    request = WatchPlanRequest(access=why, plan_id=plan_id)
    end = time.monotonic() + seconds
    silent, told = 0, False
    with display(session) as shown:
        while True:
            try:
                for response in retention.stream(watch_plan, request, timeout=max(end - time.monotonic(), 0.001)):
                    silent, told = 0, True
                    shown.show(response.plan)
                    if response.plan.state in FINISHED:
                        return _certified(response.plan)
            except CallError as failure:
                if told and failure.code is StatusCode.DEADLINE_EXCEEDED and time.monotonic() >= end:
                    raise StreamEndedError(f"the plan is not finished after {seconds:g} s; watch it again") from None
                if not failure.unanswered or silent >= RECONNECTS or time.monotonic() >= end:
                    raise
            if silent >= RECONNECTS or time.monotonic() >= end:
                raise StreamEndedError("the service stopped telling before the plan was finished; watch it again")
            silent += 1
            time.sleep(min(0.2 * 2**silent, 2.0))


def _certified(plan: Plan) -> Plan:
    if plan.state == PlanState.PLAN_STATE_NEEDS_OPERATOR:
        raise CheckError(f"the plan needs an operator: {printable(plan.trouble) or '(no trouble told)'}")
    return plan
