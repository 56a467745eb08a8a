"""Waits for a slot of this machine to become well."""

from __future__ import annotations

from prodwise.model.service import SlotName
from prodwise.targets.local import health, procs
from prodwise.targets.local.layout import Layout, program
from prodwise.targets.local.records import app_environment, read_instance, read_places, read_release


def wait_well(layout: Layout, service: str, slot: SlotName, release: str) -> str:
    """Waits until a slot answers its own probe: "" then, else the reason after its start_s seconds."""
    record, places, instance = read_release(layout, release), read_places(layout), read_instance(layout)
    noun = record.service(service) if record is not None else None
    if noun is None or places is None or instance is None:
        return "it was not built here"
    place = places.place(service)
    port = place.port(slot) if place is not None else 0
    env = app_environment(layout, instance, places, noun, release, port)
    pid_file = layout.pid(program(service, slot))
    started = procs.read_pid(pid_file).count

    def alive() -> bool:
        seen = procs.read_pid(pid_file)
        return seen.alive and seen.release == release and (port > 0 or seen.count <= max(1, started))

    return health.wait(noun, port, str(layout.release(release) / "src"), env, alive)
