"""What a call used, in the words of /api/calls: `input` without cached tokens, `output` with reasoning."""

from dataclasses import dataclass
from random import Random

_random = Random(20260801)


@dataclass(frozen=True)
class Used:
    model: str | None
    input: int | None = None
    cacheRead: int | None = None
    cacheWrite: int | None = None
    output: int | None = None
    reasoning: int | None = None

    @property
    def total(self) -> int | None:
        """All tokens; `None` where the provider says nothing of any."""
        return None if self.input is None else self.prompt + self.output

    @property
    def prompt(self) -> int:
        """All of the prompt, as most providers count it."""
        return sum(part or 0 for part in (self.input, self.cacheRead, self.cacheWrite))


def draw(model: str | None, *parts: str) -> Used:
    """Numbers for a call that reports `parts`; `input` and `output` it always does."""
    numbers = {part: _random.randint(100, 9_000) for part in ("input", *parts)}
    numbers["output"] = _random.randint(10, 900) + numbers.get("reasoning", 0)
    return Used(model, **numbers)


def draw_input(model: str | None) -> Used:
    """Numbers for a call that generates nothing, such as embeddings."""
    return Used(model, input=_random.randint(1, 9_000), output=0)
