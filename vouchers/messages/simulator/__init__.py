"""A stand-in for Twilio and GOV.UK Notify with states of their own: real HTTP.

It takes texts, lists them, sends callbacks, and misbehaves on request, by a plan or by
the number it is given; what it accepted stands in a record that tests and auditors
compare with ours, one for each provider. It knows nothing of vouchers.

    python -m vouchers.messages.simulator --port 0 --port-file var/simulator.port
"""

from vouchers.messages.simulator.faults import Fault, FaultPlan
from vouchers.messages.simulator.running import RunningSimulator, run_in_thread
from vouchers.messages.simulator.server import SimulatorOptions

__all__ = [
    "Fault",
    "FaultPlan",
    "RunningSimulator",
    "SimulatorOptions",
    "run_in_thread",
]
