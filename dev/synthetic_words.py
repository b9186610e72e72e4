"""Korean names, addresses and e-mail addresses of people and organisations that do not exist.

Given names and trade names are put together from the syllables below, which nobody combines in this way; districts are
called 가상구 (imaginary) or 모의구 (mock), and all domains end in `.example`, which is reserved (RFC 2606).
"""

from itertools import product
from random import Random
from typing import Final

_SURNAMES: Final = "김이박최정강조윤장임한오서신권황안송류홍"
_LONG_SURNAMES: Final = ("남궁", "선우", "제갈", "황보")
_FIRST: Final = "옹흙볕숲뜰샘별꽃잎돌들냇밭빛솔콩쌀꿀벗결뫼곰닻"
_SECOND: Final = "뚝갓독솥켜듬밝맑굴릇짚엮닥뜻꾼쪽멧섶붓깃뿔찰콩"
_TRADES: Final = ("저축은행", "신용협동조합", "캐피탈", "자산운용", "손해보험", "투자증권", "새마을금고")
_CITIES: Final = ("서울특별시", "부산광역시", "대구광역시", "인천광역시", "광주광역시", "대전광역시", "제주특별자치도")
_DISTRICTS: Final = ("가상구", "모의구")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


class WordSource:
    """Draws names and addresses of which no two are the same.

    Args:
        random: where the draws come from; the same state gives the same words.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        given = [first + second for first, second in product(_FIRST, _SECOND)]
        self._people: list[str] = [surname + name for surname, name in product([*_SURNAMES, *_LONG_SURNAMES], given)]
        self._organisations: list[str] = [f"가상{name}{trade}" for name, trade in product(given, _TRADES)]
        random.shuffle(self._people)
        random.shuffle(self._organisations)
        self._taken: set[str] = set()

    def person(self) -> str:
        """A person's name of three or four syllables. IndexError after some twelve thousand."""
        return self._people.pop()

    def organisation(self) -> str:
        """An organisation's name. IndexError after some three thousand seven hundred."""
        return self._organisations.pop()

    def address(self) -> str:
        """A street address in a district that no city has."""
        while True:
            place = f"{self._random.choice(_CITIES)} {self._random.choice(_DISTRICTS)}"
            house = f"옹기로{self._random.randint(1, 999)}길 {self._random.randint(1, 199)}"
            address = f"{place} {house}, {self._random.randint(1, 40)}층"
            if self._is_new(address):
                return address

    def letters(self, count: int) -> str:
        """`count` lower-case letters: no digit, so that no check can take a part of them for a number."""
        while True:
            word = "".join(self._random.choices(_LETTERS, k=count))
            if self._is_new(word):
                return word

    def _is_new(self, word: str) -> bool:
        if word in self._taken:
            return False
        self._taken.add(word)
        return True
