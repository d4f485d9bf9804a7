"""The questionnaires in an export: recognised by the names of columns, or by the public words of their answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from rapport.transforms.sources.canonical.answer_points import known_words
from rapport.transforms.sources.canonical.status_words import plain
from rapport.transforms.sources.drafting.columns import Column
from rapport.warehouse.instruments import Instrument

_NUMBERED = re.compile(
    r"^(.*?)(?:[\s_.\-]+(?:item|q))?[\s_.\-\[(]*(?:SQ)?0*(\d{1,2})[\])]?(?:\. .*)?$", re.IGNORECASE | re.DOTALL
)
_NO_ANSWER = {
    "n/a",
    "na",
    "#n/a",
    "nan",
    "null",
    "none",
    "missing",
    "-",
    "--",
    "---",
    ".",
    "?",
    "x",
    "skipped",
    "#null!",
}
_NUMBER, _WITH_COMMA = r"^-?\d+([.,]\d+)?$", r"^-?\d+,\d+$"
_NUMBER_IN_WORD = re.compile(r"^(\d{1,2})\b\D*$|^\D+\(?\b(\d{1,2})\)?$")


@dataclass(frozen=True)
class Questionnaire:
    """A questionnaire that an export seems to hold."""

    instrument: str
    items: Sequence[Column]  # in the order of the items
    told: str = ""  # what is to be looked at, where its columns' names do not say it
    points: Mapping[str, float] = field(default_factory=dict)  # the answers' words
    form: str = ""  # the export's own name for it


def recognised(columns: Sequence[Column], instruments: Mapping[str, Instrument]) -> list[Questionnaire]:
    """The questionnaires among an export's columns, each column in one of them."""
    numbered = [
        Questionnaire(name, items, points=_points(items, instruments[name]))
        for name, items in numbered_items(columns, instruments).items()
    ]
    taken = {item.place for each in numbered for item in each.items}
    return [*numbered, *_by_words([each for each in columns if each.place not in taken], instruments)]


def numbered_items(columns: Iterable[Column], instruments: Mapping[str, Instrument]) -> dict[str, list[Column]]:
    """The instruments all of whose items are among the columns, numbered after a name like theirs."""
    groups: dict[str, dict[int, Column]] = {}
    for column in columns:
        if match := _NUMBERED.match(column.name):
            groups.setdefault(_bare(match[1]), {}).setdefault(int(match[2]), column)
    found = {}
    for name, instrument in instruments.items():
        for prefix in {_bare(name), _bare(name).removesuffix(str(instrument.item_count))}:
            places = groups.get(prefix, {})
            if instrument.item_count and set(range(1, instrument.item_count + 1)) <= places.keys():
                found[name] = [places[number] for number in range(1, instrument.item_count + 1)]
    return found


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _by_words(columns: Sequence[Column], instruments: Mapping[str, Instrument]) -> Iterator[Questionnaire]:
    """Columns side by side whose answers are the public words of questionnaires, as many as these have items."""
    named = {name: known_words(each) for name, each in instruments.items() if each.words}
    for vocabulary in {frozenset(words): words for words in named.values()}.values():
        names = [name for name, words in named.items() if words == vocabulary]
        for run in _runs(columns, vocabulary):
            yield from _shared(run, [instruments[name] for name in names])


def _runs(columns: Sequence[Column], words: Mapping[str, str]) -> Iterator[list[Column]]:
    """Columns side by side whose values are all among the words."""

    def key(pair: tuple[int, Column]) -> tuple[bool, int]:
        values = pair[1].values
        return values.len() > 0 and all(plain(each) in words for each in values.unique()), pair[1].place - pair[0]

    for (is_of_words, _), run in groupby(enumerate(columns), key):
        if is_of_words:
            yield [column for _, column in run]


def _shared(run: Sequence[Column], instruments: Sequence[Instrument]) -> Iterator[Questionnaire]:
    """A run of columns as one questionnaire, or as two that are asked together, where the number of items fits."""
    ways = [[each] for each in instruments] + [[one, two] for one in instruments for two in instruments if one != two]
    told = "by the words of its answers: are these its questions, in this order?"
    for way in sorted(ways, key=lambda way: [_is_main(each) for each in way], reverse=True):
        if sum(each.item_count for each in way) == len(run):
            start = 0
            for each in way:
                items = run[start : start + each.item_count]
                yield Questionnaire(each.name, items, told, _points(items, each))
                start += each.item_count
            return


def _is_main(instrument: Instrument) -> tuple[bool, bool]:
    """The PHQ-9 rather than a version of it, and before the GAD-7, as they are asked together."""
    return instrument.name in ("phq9", "gad7"), instrument.name == "phq9"


def _points(items: Sequence[Column], instrument: Instrument) -> dict[str, float]:
    """What the answers' words count: by the questionnaire's public words, or by the number within each word."""
    words = {word for item in items for word in item.values.unique() if not re.match(_NUMBER, word)}
    words = {word for word in words if word.lower() not in _NO_ANSWER}
    public = known_words(instrument)
    if words and all(plain(word) in public for word in words):
        found = {word: float(public[plain(word)]) for word in words}
    else:
        numbers = {word: number for word in words if (number := number_in(word))}
        found = {word: float(number) for word, number in numbers.items()} if len(numbers) == len(words) else {}
    return dict(sorted(found.items(), key=lambda pair: (pair[1], pair[0])))


def number_in(word: str) -> str | None:
    """The number that an answer's words begin or end with.

    >>> number_in("0 - never"), number_in("always (3)"), number_in("often")
    ('0', '3', None)
    """
    match = _NUMBER_IN_WORD.match(word)
    return (match[1] or match[2]) if match else None


def null_words(items: Iterable[Column]) -> list[str]:
    """What stands among the answers for none."""
    return sorted({word for item in items for word in item.values.unique() if word.lower() in _NO_ANSWER})


def have_decimal_commas(items: Iterable[Column]) -> bool:
    return any(item.values.str.contains(_WITH_COMMA).any() for item in items)
