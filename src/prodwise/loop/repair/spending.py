"""How much one repair by a model may cost, in four currencies; each bound ends it by its own name."""

from __future__ import annotations

from dataclasses import dataclass

from prodwise.model.errors import ConfigError

ANSWER_TOKENS_MAX, ANSWER_TOKENS_MIN = 8_192, 256
CHARS_PER_TOKEN = 3.0
"""Fewer than any tokenizer in use makes of code, so that an estimate is too high rather than too low."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    input: float
    output: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one repair. steps: requests to the model; dollars: 0 = not bounded by money."""

    steps: int = 30
    tokens: int = 400_000
    dollars: float = 0.0
    seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What a repair has cost so far."""

    steps: int = 0
    input: int = 0
    output: int = 0

    @property
    def tokens(self) -> int:
        return self.input + self.output

    def plus(self, asked: int, answered: int) -> Spent:
        return Spent(self.steps + 1, self.input + max(0, asked), self.output + max(0, answered))

    def dollars(self, price: Price | None) -> float | None:
        """None where the model's price is not known."""
        return None if price is None else cost(price, self.input, self.output)


@dataclass(frozen=True, slots=True)
class Room:
    """What the next answer may have. over: the bound that forbids another one, "" if none does."""

    over: str = ""
    answer_tokens: int = 0
    seconds: float = 0.0


def check(bounds: Bounds, price: Price | None, model: str) -> None:
    """Raises ConfigError where money is bounded and nobody knows what the model costs."""
    if bounds.dollars and price is None:
        raise ConfigError(
            f"the price of {model!r} is not known, so its cost cannot be bounded by money",
            f'write it under [repair.prices."{model}"], or take `dollars` out and bound it by tokens',
        )


def room(bounds: Bounds, price: Price | None, spent: Spent, prompt_tokens: int, elapsed: float) -> Room:
    """What one more request with a prompt of this size may cost: its worst case must fit into every bound."""
    if spent.steps >= bounds.steps:
        return Room("steps")
    if elapsed >= bounds.seconds:
        return Room("time")
    most = min(ANSWER_TOKENS_MAX, bounds.tokens - spent.tokens - prompt_tokens)
    if most < ANSWER_TOKENS_MIN:
        return Room("tokens")
    if bounds.dollars and price is not None:
        left = bounds.dollars - cost(price, spent.input + prompt_tokens, spent.output)
        most = min(most, int(left * 1e6 / price.output) if price.output else most)
        if left <= 0 or most < ANSWER_TOKENS_MIN:
            return Room("money")
    return Room("", most, bounds.seconds - elapsed)


def cost(price: Price, asked: int, answered: int) -> float:
    return (asked * price.input + answered * price.output) / 1e6


def tokens_of(chars: int) -> int:
    """About how many tokens a text of so many characters is, at most."""
    return int(chars / CHARS_PER_TOKEN) + 1
