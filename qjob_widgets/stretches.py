"""A long sequence of facts, frozen, whose successors share with it all that has not changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, compress, count
from operator import is_not
from typing import Any, TypeVar, overload

Fact = TypeVar("Fact")
Known = TypeVar("Known", covariant=True)

LENGTH = 100
"""Facts in a stretch: the square root of the ten thousand for which this is made."""


class Stretches(Sequence[Known]):
    """Facts in order, in tuples of `LENGTH`.

    A tuple of ten thousand is copied whole for each fact that changes, and read whole to find it. Here both
    take a stretch and the list of stretches. It equals a tuple of the same facts.
    """

    __slots__ = ("_length", "_stretches")

    def __init__(self, facts: Iterable[Known] = ()) -> None:
        whole = tuple(facts)
        self._fill(whole[at : at + LENGTH] for at in range(0, len(whole), LENGTH))

    @classmethod
    def of(cls, facts: Sequence[Fact]) -> Stretches[Fact]:
        """The same facts; what is in stretches is itself."""
        return facts if isinstance(facts, Stretches) else Stretches(facts)

    def _fill(self, stretches: Iterable[tuple[Known, ...]]) -> None:
        self._stretches = tuple(stretches)
        self._length = sum(map(len, self._stretches))

    @property
    def stretches(self) -> tuple[tuple[Known, ...], ...]:
        """The tuples that it is made of."""
        return self._stretches

    def replacing(self: Stretches[Fact], changes: Mapping[int, Fact]) -> Stretches[Fact]:
        """These facts, with others in the places of `changes`, counted from 0."""
        touched: dict[int, list[Fact]] = {}
        for index, fact in changes.items():
            number, place = divmod(index, LENGTH)
            if number not in touched:
                touched[number] = list(self._stretches[number])
            touched[number][place] = fact
        stretches = list(self._stretches)
        for number, facts in touched.items():
            stretches[number] = tuple(facts)
        return _made(stretches)

    def followed_by(self: Stretches[Fact], more: Iterable[Fact]) -> Stretches[Fact]:
        """These facts and `more`."""
        whole = len(self) // LENGTH
        rest = Stretches((*chain.from_iterable(self._stretches[whole:]), *more))
        return _made((*self._stretches[:whole], *rest._stretches))

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Known]:
        return chain.from_iterable(self._stretches)

    def __reversed__(self) -> Iterator[Known]:
        return chain.from_iterable(map(reversed, reversed(self._stretches)))

    @overload
    def __getitem__(self, where: int) -> Known: ...

    @overload
    def __getitem__(self, where: slice) -> tuple[Known, ...]: ...

    def __getitem__(self, where: int | slice) -> Known | tuple[Known, ...]:
        if isinstance(where, slice):
            return tuple(self)[where]
        index = where + self._length if where < 0 else where
        if not 0 <= index < self._length:
            raise IndexError(f"There is no fact {where} among {self._length}.")
        number, place = divmod(index, LENGTH)
        return self._stretches[number][place]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Stretches):
            return self._stretches == other._stretches
        return tuple(self) == other if isinstance(other, tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))


def _made(stretches: Iterable[tuple[Fact, ...]]) -> Stretches[Fact]:
    made: Stretches[Any] = Stretches()
    made._fill(stretches)
    return made


def replaced(new: Sequence[Fact], old: Sequence[Fact]) -> Iterator[tuple[int, Fact, Fact]]:
    """Where `new` has another object than `old`, which is as long: the place, what is there, and what was.

    A stretch that both share is not looked into.
    """
    pairs = zip(count(0, LENGTH), Stretches.of(new).stretches, Stretches.of(old).stretches)
    return chain.from_iterable(
        compress(zip(count(begin), now, was), map(is_not, now, was))
        for begin, now, was in pairs
        if now is not was
    )
