"""Searches bytes for hundreds of thousands of patterns at once, at tens of megabytes a second on one core.

Each pattern is known by one window of eight bytes (six for the shortest). The windows of the data are hashed in numpy
and looked up in two bit tables; the few that pass are looked up among the windows themselves, and what is left is
compared in full. No pattern is kept: the one to compare with is encoded again.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dev.leak_encodings import digests, encodings

_WIDTHS: Final = (8, 6)
SHORTEST: Final = _WIDTHS[-1]
"""Bytes below which a pattern would be found by chance."""

_BLOCK_BYTES: Final = 4 << 20
_MULTIPLIERS: Final = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)  # odd, without structure: multiplicative hashing
_SMALLEST_TABLE_BITS: Final = 16
_LARGEST_TABLE_BITS: Final = 24

_Encode = Callable[[str], Mapping[str, bytes]]
_Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Match:
    """A pattern found: where, which spelling (its number in the sequence given) and in which encoding."""

    offset: int
    spelling: int
    encoding: str


class PatternIndex:
    """All encodings and digests of a sequence of spellings.

    Raises:
        ValueError: an encoding of a spelling is shorter than `SHORTEST`; the text names encoding and position only.
    """

    def __init__(self, spellings: Sequence[str]) -> None:
        self._windows = {width: _WindowIndex(width) for width in _WIDTHS}
        self._spellings = spellings
        self.encodings: set[str] = set()
        common = Counter(window for _, _, pattern in self._patterns(encodings) for _, window in _choices(pattern))
        for spelling, name, pattern in self._patterns(encodings):
            offset, window = min(_choices(pattern), key=lambda choice: common[choice[1]])
            self._windows[len(window)].add(window, spelling, name, offset)
        for spelling, name, pattern in self._patterns(digests):
            self._windows[_WIDTHS[0]].add(pattern[: _WIDTHS[0]], spelling, name, 0)
        for windows in self._windows.values():
            windows.freeze()

    def __len__(self) -> int:
        return sum(map(len, self._windows.values()))

    def search(self, data: bytes) -> Iterator[Match]:
        """Every occurrence of every pattern."""
        padded = data + bytes(_WIDTHS[0])
        for windows in self._windows.values():
            for at, spelling, name, offset in windows.candidates(padded):
                pattern = self._pattern(spelling, name)
                start = at - offset
                if start >= 0 and data[start : start + len(pattern)] == pattern:
                    yield Match(start, spelling, name)

    def _patterns(self, encode: _Encode) -> Iterator[tuple[int, str, bytes]]:
        for number, spelling in enumerate(self._spellings):
            for name, pattern in encode(spelling).items():
                if len(pattern) < SHORTEST:
                    raise ValueError(f"spelling {number} is too short in {name} to be told from chance")
                self.encodings.add(name)
                yield number, name, pattern

    def _pattern(self, spelling: int, name: str) -> bytes:
        text = self._spellings[spelling]
        return encodings(text).get(name) or digests(text)[name]


class _WindowIndex:
    """The windows of one width: which pattern each stands for, and where in it the window is."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._keys = array("Q")
        self._owners: list[tuple[int, str, int]] = []
        self._sorted: _Words = np.empty(0, np.uint64)
        self._order: NDArray[np.intp] = np.empty(0, np.intp)
        self._tables: list[tuple[np.uint64, NDArray[np.bool_]]] = []
        self._shift = np.uint64(0)

    def __len__(self) -> int:
        return len(self._owners)

    def add(self, window: bytes, spelling: int, name: str, offset: int) -> None:
        self._keys.append(int.from_bytes(window, "little"))
        self._owners.append((spelling, name, offset))

    def freeze(self) -> None:
        keys = np.array(self._keys, np.uint64)
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]
        bits = min(max(len(keys).bit_length() + 4, _SMALLEST_TABLE_BITS), _LARGEST_TABLE_BITS)
        self._shift = np.uint64(64 - bits)
        for number in _MULTIPLIERS:
            table = np.zeros(1 << bits, np.bool_)
            table[self._hash(keys, np.uint64(number))] = True
            self._tables.append((np.uint64(number), table))

    def candidates(self, padded: bytes) -> Iterator[tuple[int, int, str, int]]:
        """(place of a window in the data, spelling, encoding, place of the window in the pattern), unchecked."""
        if not self._owners:
            return
        for block in range(0, len(padded) - 7, _BLOCK_BYTES):
            for start in range(block, block + 8):
                places, found = self._known(padded, start)
                left = np.searchsorted(self._sorted, found, "left")
                right = np.searchsorted(self._sorted, found, "right")
                for place, first, last in zip(places.tolist(), left.tolist(), right.tolist(), strict=True):
                    for owner in self._order[first:last].tolist():
                        yield start + 8 * place, *self._owners[owner]

    def _known(self, padded: bytes, start: int) -> tuple[NDArray[np.intp], _Words]:
        """Every eighth window of a block from `start` on that may be one of ours."""
        count = min(_BLOCK_BYTES // 8, (len(padded) - start) // 8)
        if count <= 0:
            return np.empty(0, np.intp), np.empty(0, np.uint64)
        words: _Words = np.frombuffer(padded, "<u8", count, start)
        if self._width < 8:
            words = words & np.uint64((1 << 8 * self._width) - 1)
        places = np.arange(0)
        for number, (multiplier, table) in enumerate(self._tables):
            passed = np.flatnonzero(table[self._hash(words, multiplier)])
            places = passed if number == 0 else places[passed]
            words = words[passed]
        return places, words

    def _hash(self, words: _Words, multiplier: np.uint64) -> NDArray[np.int64]:
        return ((words * multiplier) >> self._shift).view(np.int64)


def _choices(pattern: bytes) -> list[tuple[int, bytes]]:
    """A few windows of a pattern, spread over it: the index takes the one that fewest patterns share."""
    width = next(width for width in _WIDTHS if width <= len(pattern))
    room = len(pattern) - width
    return [(offset, pattern[offset : offset + width]) for offset in sorted({0, room // 3, 2 * room // 3, room})]
