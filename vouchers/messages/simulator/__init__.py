"""A stand-in for Twilio with a state and a mind of its own: real HTTP, real signatures.

It takes messages, lists them, sends signed callbacks, and misbehaves on request, by a
plan or by the number it is given; what it accepted stands in a record that tests and
auditors compare with ours. It knows nothing of vouchers.

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
