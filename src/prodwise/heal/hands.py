"""The executor: intent, effect, observed. The only code that asks the target to change anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prodwise.clock import now
from prodwise.heal.durable import Durable
from prodwise.loop.moves import Move, switch_of
from prodwise.model.errors import Fenced, NotRunning, ProdwiseError, Refused
from prodwise.model.record import Effect, EffectState
from prodwise.model.service import SlotName
from prodwise.model.target import Order
from prodwise.ports import AuditedLedger, Target

AUTOMATION = "prodwise"
REFUSED = "refused: "
"""How the result of an effect begins that policy (a stop, say) did not let happen: no fault of what was to be done."""

ASKS_MAX = 3


class Hands:
    """Carries out moves for a story. token: the lease's present fencing token."""

    def __init__(self, durable: Durable, ledger: AuditedLedger, target: Target, token: Callable[[], int]) -> None:
        self._durable, self._ledger, self._target, self._token = durable, ledger, target, token

    def perform(self, story: str, label: str, moves: Sequence[Move], actor: str = AUTOMATION) -> list[Effect]:
        """In order, stopping at the first that fails. Call it inside a story; `label` is unique within it.

        actor: who wants it; a person's name lets it pass *stop*, which holds automation only.
        """
        made: list[Effect] = []
        for number, move in enumerate(moves):
            made.append(self._one(story, f"{story}/{label}/{number}", move, actor))
            if made[-1].state is EffectState.FAILED:
                break
        return made

    def _one(self, story: str, key: str, move: Move, actor: str) -> Effect:
        command = {**move.command, "actor": actor}
        planned = Effect(key, story, move.service, move.kind, command, move.undo, self._token(), now())
        intended = self._durable.transact(f"intend {key}", lambda: effect_json(self._ledger.intend(planned)))
        if intended["state"] != EffectState.INTENT.value:
            return effect_of(intended)
        state, result = self._durable.step(f"act {key}", self._act, key, command)
        return effect_of(
            self._durable.transact(
                f"settle {key}", lambda: effect_json(self._ledger.settle(key, EffectState(state), result))
            )
        )

    def _act(self, key: str, command: Mapping[str, Any]) -> tuple[str, str]:
        """Looks first: after a crash the effect may have happened. Returns (state, what was seen).

        1. Has it taken effect: done. 2. Asks for it. 3. Whatever goes wrong, only a look says whether it happened; one that was
        begun, or whose order got no answer, is asked for again under the same key, and fails only once it is seen not to be there.
        """
        failure = ""
        for _ in range(ASKS_MAX):
            if self._count(key):
                return EffectState.DONE.value, "had taken effect"
            try:
                actor = str(command["actor"])
                carry_out(self._target, Order(key, self._token(), actor, person=actor != AUTOMATION), command)
                return EffectState.DONE.value, ""
            except Fenced:
                raise
            except Refused as error:
                return EffectState.FAILED.value, REFUSED + error.message
            except NotRunning as error:
                failure = error.message
            except ProdwiseError as error:
                failure = error.message
                if self._count(key) is None:
                    break
        happened = bool(self._count(key))
        return (EffectState.DONE if happened else EffectState.FAILED).value, failure

    def _count(self, key: str) -> int | None:
        """How often the order took effect, as the target says; None: it was not even begun. Raises TargetError while unseen."""
        return dict(self._target.observe().effects).get(key)


def reconcile(ledger: AuditedLedger, target: Target, story: str) -> None:
    """What a story that goes on no more left open is looked for on the target, before anything else happens there: its orders
    cannot arrive any more, since whoever acts by now has a newer token or stands in its place."""
    left = [one.key for one in ledger.effects(story=story) if one.state is EffectState.INTENT]
    happened = dict(target.observe().effects) if left else {}
    for key in left:
        if happened.get(key):
            ledger.settle(key, EffectState.DONE, "had taken effect when its story ended")
        else:
            seen = "it was begun and is not seen to have" if key in happened else "it is seen not to have"
            ledger.settle(key, EffectState.FAILED, f"its story ended, and {seen} taken effect")


def carry_out(target: Target, order: Order, command: Mapping[str, Any]) -> None:
    """One command to one call of the target. Raises ValueError for a command that it does not know."""
    service, op = command["service"], command["op"]
    if op == "switch":
        target.switch(order, service, switch_of(command))
    elif op == "start":
        target.start(order, service, SlotName(command["slot"]), command["release"])
    elif op == "stop":
        target.stop(order, service, SlotName(command["slot"]), command["drain_s"])
    elif op == "restart":
        target.restart(order, service, SlotName(command["slot"]), command["pid"])
    else:
        raise ValueError(f"unknown command {op!r}")


def effect_json(effect: Effect) -> dict[str, Any]:
    values = {name: getattr(effect, name) for name in Effect.__dataclass_fields__}
    return {**values, "state": effect.state.value}


def effect_of(values: Mapping[str, Any]) -> Effect:
    return Effect(**{**values, "state": EffectState(values["state"])})
