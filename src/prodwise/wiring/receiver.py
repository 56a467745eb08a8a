"""What one receiver is made of."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from prodwise.config import Config, SignalsConfig
from prodwise.loop.sample import Sampler
from prodwise.model.errors import ConfigError
from prodwise.model.redaction import Redactor
from prodwise.model.report import Reason
from prodwise.signals.otlp.decoder import OtlpSpeech
from prodwise.signals.receiver.admission import Admission, Room
from prodwise.signals.receiver.app import Receiver, ReceiverParts, Way
from prodwise.signals.receiver.commits import Commits
from prodwise.signals.receiver.digest import Digester
from prodwise.signals.receiver.forward import Forwarder
from prodwise.signals.receiver.seen import SeenIds
from prodwise.signals.receiver.serve import run, server, shared_socket
from prodwise.signals.sentry.envelope import SentryDecoder
from prodwise.store.reports.tidy import DAY_S, Limits
from prodwise.store.reports.writer import ReportWriter
from prodwise.targets.local import local_control, signals_file
from prodwise.wiring import reports
from prodwise.wiring.config import last_usable


def receive(app_dir: Path, number: int) -> None:
    """Receiver `number`'s process; returns when it is told to end. Raises ConfigError before the first `up`."""
    where = local_control.layout_of(app_dir)
    config, _ = last_usable(app_dir, where.run / f"config-receiver-{number}.json")
    given = signals_file.read(where)
    if not given.address:
        raise ConfigError("there is no address yet that programs report to", "run `prodwise up`")
    listening = shared_socket(given.address)
    sink = ReportWriter(reports.url(app_dir, number), number, limits(config.signals))
    run(server(receiver(app_dir, config, given, sink)), listening)
    sink.close()


def receiver(app_dir: Path, config: Config, given: signals_file.Given, sink: ReportWriter) -> Receiver:
    signals = config.signals
    projects = signals_file.projects(config, given)
    commits = Commits(sink, SeenIds(local_control.layout_of(app_dir).seen_events), _say)
    sampler, decoder = Sampler(), SentryDecoder()
    quick, slow = (Digester(_redactor(signals), sampler, given.salt) for _ in range(2))
    return Receiver(
        ReceiverParts(
            projects={one.id: one for one in projects},
            key_of=decoder.key,
            ways=(
                Way("envelope", decoder.read_envelope, True),
                Way("store", decoder.read_lone_event, False),
                *(Way(f"v1/{signal}", None, False, OtlpSpeech(signal)) for signal in ("logs", "traces", "metrics")),
            ),
            digester=quick,
            slow=slow,
            admission=Admission(Room(events_per_minute=max(1, signals.events_per_minute // max(1, signals.receivers)))),
            commits=commits,
            forwards=Forwarder(projects, lambda project: commits.count(project, Reason.NOT_FORWARDED)),
            origins=signals.origins,
        )
    )


def limits(signals: SignalsConfig) -> Limits:
    """One receiver's part of what is kept."""
    age = signals.keep_days * DAY_S
    return Limits(
        event_s=age, tally_s=age, detail_bytes=signals.keep_megabytes * 1024 * 1024 // max(1, signals.receivers)
    )


def _redactor(signals: SignalsConfig) -> Redactor:
    return Redactor(signals.redact_keys, signals.redact_patterns, signals.redact_addresses)


def _say(text: str) -> None:
    """Into the receiver's own log; on a full disk nowhere."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
