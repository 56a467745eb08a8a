"""A model that plays a script: what it asks for, request by request, and all that it was ever told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import RequestUsage


@dataclass(frozen=True, slots=True)
class Say:
    """One answer: words, and tools with their arguments (a str is sent as it is, also where it is no JSON). seconds: it takes."""

    text: str = ""
    calls: tuple[tuple[str, dict[str, Any] | str], ...] = ()
    seconds: float = 0.0
    usage: tuple[int, int] | None = None


def use(tool: str, **arguments: Any) -> Say:
    return Say(calls=((tool, arguments),))


def finish(fixed: bool = True, summary: str = "It was off by one.") -> Say:
    return use("finish", fixed=fixed, summary=summary)


class Script:
    """Plays its answers in order, then the last one for ever. heard: every text that it was sent; answers: those of tools."""

    def __init__(self, says: Iterable[Say] | Callable[[int], Say]) -> None:
        self._next = _from(says)
        self._taken: list[str] = []
        self.heard: list[str] = []
        self.answers: list[str] = []
        self.tools: set[str] = set()
        self.asked = 0

    def model(self) -> FunctionModel:
        return FunctionModel(self._answer, model_name="scripted")

    @property
    def all_heard(self) -> str:
        return "\n".join(self.heard)

    async def _answer(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        self.tools |= {tool.name for tool in info.function_tools}
        self.asked += 1
        for part in messages[-1].parts:
            if isinstance(part, UserPromptPart | ToolReturnPart):
                self.heard.append(str(part.content))
            if isinstance(part, ToolReturnPart):
                self.answers.append(str(part.content))
        if isinstance(told := getattr(messages[-1], "instructions", None), str):
            self.heard.append(told)
        say = next(self._next)
        await asyncio.sleep(say.seconds)
        parts: list[TextPart | ToolCallPart] = [TextPart(say.text)] if say.text else []
        parts += [ToolCallPart(tool, arguments) for tool, arguments in say.calls]
        usage = RequestUsage(input_tokens=say.usage[0], output_tokens=say.usage[1]) if say.usage else RequestUsage()
        return ModelResponse(parts=parts, usage=usage)


def _from(says: Iterable[Say] | Callable[[int], Say]) -> Iterator[Say]:
    if callable(says):
        at = 0
        while True:
            yield says(at)
            at += 1
    last = Say()
    for say in says:
        last = say
        yield say
    while True:
        yield last
