"""What the warehouse should know, said as plainly as possible: lists of deliveries and the stated rules.

Days are counted from 0; a file's export is made at the midnight that begins its day. Nothing here reads a file, asks a
database or hurries.
"""

from dataclasses import dataclass, field, replace
from math import inf

ALL, WINDOW = "all", 4  # days
COVERS = {"appointments": ALL, "visits": WINDOW, "responses": None, "surveys": WINDOW}


@dataclass(frozen=True)
class Row:
    """A record in a file: where it stands, its id, what it says, and the rules that it breaks."""

    number: int
    record: str | None
    says: tuple = field(repr=False)
    day: float = field(repr=False)
    breaks: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    breaks_until_mended: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    is_repeat: bool = field(default=False, repr=False)
    to_come: tuple | None = field(default=None, repr=False)  # what it says while its day is still to come


@dataclass(frozen=True)
class File:
    """A file in the exports folder."""

    source: str
    name: str
    day: int
    rows: tuple[Row, ...] = field(repr=False)
    lines: tuple[str, ...]


@dataclass
class Delivery:
    """A file as it was last read: what was accepted, what was held back, and under which rules."""

    file: File
    load: int
    wording: int  # of the clinic file
    accepted: dict[str, tuple[tuple, float]]
    held: list[tuple[Row, str, str]]
    reread_from: float
    came: tuple  # the day of the export, the file's time at its first loading, and the load that first read it

    @property
    def shows(self) -> set[str]:
        return {row.record for row in self.file.rows if row.record}

    @property
    def age(self) -> tuple[int, int, str]:
        """What makes one delivery's last reading newer than another's."""
        return self.file.day, self.load, self.file.name

    @property
    def is_identified(self) -> bool:
        return all(row.record for row in self.file.rows)

    def covers(self, day: float) -> bool:
        covered = COVERS[self.file.source] if self.is_identified else None
        if covered == ALL:
            return True
        return covered is not None and self.file.day - (covered - 1) <= day < self.file.day


@dataclass
class Held:
    """A line of the quarantine."""

    file: File
    row: Row
    rule: str
    column: str
    state: str = "waiting"

    @property
    def place(self) -> tuple:
        return self.file, self.row.number, self.rule, self.column

    @property
    def complaint(self) -> tuple:
        return self.file.source, self.row.record, self.rule, self.column


@dataclass(frozen=True)
class Said:
    """What is known of a record: what it says, its day, the day of the export that showed it last, and its time."""

    says: tuple
    day: float
    shown: int
    came: tuple = (0, 0, 0)


@dataclass
class Model:
    """Every delivery ever read, what is known, the quarantine, and what was known after each night."""

    known: dict[str, dict[str, Said]] = field(default_factory=lambda: {source: {} for source in COVERS})
    deliveries: dict[File, Delivery] = field(default_factory=dict)
    by_name: dict[str, File] = field(default_factory=dict)
    quarantine: list[Held] = field(default_factory=list)
    nights: list[tuple[int, dict]] = field(default_factory=list)  # the night's day, and what was known after it
    is_mended: bool = False
    wording: int = 0
    written: dict[str, int] = field(default_factory=dict)  # a file's name, and its time in the folder

    def __str__(self) -> str:
        ordered = sorted(self.deliveries.values(), key=lambda each: (each.file.source, *each.age))
        return "\n".join(
            f"{each.file.name} of load {each.load}: accepted {each.accepted}, shows {sorted(each.shows)}"
            + ("" if each.is_identified else " and one unknown")
            for each in ordered
        )

    def night(self, load: int, now: float, folder: list[File]) -> None:
        """A night that published."""
        there = sorted((file for file in folder if file.day <= now), key=lambda file: (file.day, file.name))
        unread = [file for file in there if not self._says_nothing_new(file, now)]
        read = [file for file in unread if not self._is_copy_of_latest(file, unread, now)]
        covered = {source: self._covered(source) for source in COVERS}
        for file in unread:
            if file not in read:
                self._wait_in_copy(self._latest(file.source).file, file)
            is_known = self.by_name.get(file.name) == file
            came = self.deliveries[file].came if is_known else (file.day, self.written[file.name], load)
            self.deliveries[file] = replace(self._reading(file, load, now), came=came)
            self.by_name[file.name] = file
        self._settle(read, there)
        for source in COVERS:
            self._learn(source, [file for file in unread if file.source == source], covered[source])
        known = {(source, record): said.says for source in COVERS for record, said in self.known[source].items()}
        self.nights.append((int(now), known))

    def discard(self, held: Held) -> None:
        """A person decided that it will not be mended."""
        held.state = "discarded"
        self.nights.append(self.nights[-1])

    def known_on(self, day: int) -> dict:
        """What was known after the last night of a day or before it."""
        return next((known for when, known in reversed(self.nights) if when <= day), {})

    # Which files are read

    def _says_nothing_new(self, file: File, now: float) -> bool:
        if self.by_name.get(file.name) != file:
            return False
        before = self.deliveries[file]
        return before.wording == self.wording and before.reread_from > now

    def _is_copy_of_latest(self, file: File, unread: list[File], now: float) -> bool:
        """Its bytes are those of its source's latest delivery, and nothing else of the source is to be read."""
        latest = self._latest(file.source)
        alone = [other for other in unread if other.source == file.source] == [file]
        if latest is None or not alone or self.by_name.get(file.name) == file or COVERS[file.source] == WINDOW:
            return False
        same = latest.file.lines == file.lines and latest.file.day < file.day
        return same and latest.wording == self.wording and latest.reread_from > now and self._is_only_latest(latest)

    def _latest(self, source: str) -> Delivery | None:
        return max(self._of(source), key=lambda each: each.age, default=None)

    def _is_only_latest(self, latest: Delivery) -> bool:
        days = [each.file.day for each in self._of(latest.file.source)]
        return days.count(latest.file.day) == 1

    def _of(self, source: str) -> list[Delivery]:
        return [each for each in self.deliveries.values() if each.file.source == source]

    # What a file says

    def _reading(self, file: File, load: int, now: float) -> Delivery:
        accepted, held = {}, []
        for row in file.rows:
            if row.is_repeat:
                continue
            broken = row.breaks + (() if self.is_mended else row.breaks_until_mended)
            held += [(row, rule, column) for rule, column in broken]
            if not broken:
                accepted[row.record] = (row.to_come if row.to_come and row.day > now else row.says), row.day
        reread_from = min((row.day for row in file.rows if row.to_come and row.day > now), default=inf)
        return Delivery(file, load, self.wording, accepted, held, reread_from, ())

    # What is known

    def _learn(self, source: str, read: list[File], covered: tuple) -> None:
        """The newest export that could be read says what a record is; a newer one that covers it and shows nothing of
        it, that it is gone. A row that is held back says nothing, but its record has not vanished.

        `covered`: when the newest whole export of earlier nights came, which showed what was known until now.
        """
        known, all_shown = self.known[source], self._shown(source)
        for record, said in list(known.items()):
            known[record] = replace(said, shown=max(said.shown, covered[0]), came=max(said.came, covered))
        for file in sorted(read, key=lambda each: self.deliveries[each].came):
            came = self.deliveries[file].came
            for record, (says, day) in self.deliveries[file].accepted.items():
                if record not in known or came >= known[record].came:
                    known[record] = Said(says, day, file.day, came)
        for record, said in list(known.items()):
            if any(each.covers(said.day) and each.file.day > all_shown[record] for each in self._of(source)):
                del known[record]

    def _shown(self, source: str) -> dict[str, int]:
        """The newest export that shows each record, whatever became of the row."""
        shown: dict[str, int] = {}
        for each in self._of(source):
            shown |= {record: max(each.file.day, shown.get(record, 0)) for record in each.shows}
        return shown

    def _covered(self, source: str) -> tuple:
        whole = [each.came for each in self._of(source) if each.is_identified and COVERS[source] == ALL]
        return max(whole, default=(0, 0, 0))

    # The quarantine

    def _settle(self, read: list[File], there: list[File]) -> None:
        held = [Held(file, *each) for file in read for each in self.deliveries[file].held]
        places = {each.place for each in held}
        for each in self.quarantine:
            if each.state == "waiting" and each.file in read and each.place not in places:
                each.state = "released"
            if each.state == "source_gone" and each.place in places:
                each.state = "waiting"
        standing = {each.place for each in self.quarantine if each.state != "released"}
        decided = {each.complaint for each in self.quarantine if each.state == "discarded" and each.row.record}
        for each in held:
            if each.place not in standing:
                each.state = "discarded" if each.complaint in decided else "waiting"
                self.quarantine.append(each)
        for each in self.quarantine:
            if each.state == "waiting":
                each.state = self._state(each, there)

    def _state(self, held: Held, there: list[File]) -> str:
        """A newer export of the record answers for it: accepted, or held in its place."""
        came = self.deliveries[held.file].came
        newer = [each for each in self._of(held.file.source) if each.file.day > held.file.day]
        others = [each for each in self._of(held.file.source) if each.came > came]
        showing = [each for each in others if held.row.record in each.shows]
        if showing:
            last = max(each.came for each in showing)
            accepted = any(held.row.record in each.accepted for each in showing if each.came == last)
            return "released" if accepted else "source_gone"
        is_replaced = COVERS[held.file.source] == ALL and newer
        return "source_gone" if is_replaced or held.file not in there else "waiting"

    def _wait_in_copy(self, original: File, copy: File) -> None:
        for each in self.quarantine:
            if each.file == original and each.state == "waiting":
                each.file = copy
