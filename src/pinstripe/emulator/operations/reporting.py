"""Reports, which are finished at once and whose files are empty.

https://docs.stripe.com/reports/api
"""

from __future__ import annotations

from pinstripe.emulator.operations._registry import operation
from pinstripe.emulator.operations.context import OperationContext
from pinstripe.emulator.state.json_values import Object


@operation("reporting.report_runs.create")
def create(context: OperationContext) -> Object:
    """Run a report."""
    state, params = context.state, context.params
    run = state.draft("reporting.report_run", {"report_type": params["report_type"]})
    file = state.create(
        "file", filename=f"{run['id']}.csv", purpose="finance_report_run", size=0, type="csv", expires_at=None
    )
    parameters = params.get("parameters") or {}
    run["parameters"] |= {name: value for name, value in parameters.items() if name in run["parameters"]}
    run.update(
        status="succeeded",
        succeeded_at=state.clock.now(),
        result=file,
        report_type=params["report_type"],
        error=None,
    )
    state.objects.add(run)
    state.events.emit("succeeded", run)
    return run
