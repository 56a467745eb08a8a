"""Waits for a slot of this machine to become well; what a service's own command is told that asks whether it is."""

from __future__ import annotations

from prodwise.model.service import ProbeKind, Service, SlotName
from prodwise.targets.local import health, procs
from prodwise.targets.local.layout import Layout, program
from prodwise.targets.local.records import command_environment, read_instance, read_places, read_release


def wait_well(layout: Layout, service: str, slot: SlotName, release: str) -> str:
    """Waits until a slot answers its own probe: "" then, else the reason after its start_s seconds."""
    record, places = read_release(layout, release), read_places(layout)
    noun = record.service(service) if record is not None else None
    if noun is None or places is None:
        return "it was not built here"
    place = places.place(service)
    port = place.port(slot) if place is not None else 0
    told = asks(layout, noun, release, port)
    if isinstance(told, str):
        return told
    pid_file = layout.pid(program(service, slot))
    started = procs.read_pid(pid_file).count

    def alive() -> bool:
        seen = procs.read_pid(pid_file)
        return seen.alive and seen.release == release and (port > 0 or seen.count <= max(1, started))

    return health.wait(noun, port, told, alive)


def asks(layout: Layout, service: Service, release: str, port: int) -> health.Asks | str:
    """How a service's own command asks: where its release lies, as whom its process runs, told what that is told; nothing for a
    probe that is no command. The reason where it cannot be asked: that is no answer."""
    cwd = str(layout.release(release) / "src")
    if service.probe is None or service.probe.kind is not ProbeKind.COMMAND:
        return health.Asks(cwd)
    places, instance, record = read_places(layout), read_instance(layout), read_release(layout, release)
    if places is None or instance is None:
        return "this machine's places are not known: run `prodwise up` again"
    runs = record.service(service.id) if record is not None else None
    try:
        env = command_environment(layout, instance, places, runs or service, release, port)
    except (OSError, ValueError) as error:
        return f"the env_file cannot be read: {error}"
    return health.Asks(cwd, instance.user, env)
