"""A pickle machine that looks nothing up and calls nothing: a pickle comes out as plain data.

What a pickle would import is a `Global`, what it would call a `Made`; both are only names with what
they were given. Nothing of the file is hashed, compared, printed or formatted here: a few bytes can
hold an object whose `repr` or hash never ends.
"""

from __future__ import annotations

import codecs
import struct
from typing import TYPE_CHECKING, Any, Final, NoReturn

from gandoctor.checkpoint.inert import OPAQUE, Global, Made, Opaque, Pairs, Persistent
from gandoctor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gandoctor.checkpoint.windows import Window

MOST_OPCODES: Final = 1_000_000
MOST_TEXT: Final = 32 << 20  # bytes of names and texts that are kept
LONGEST_LINE: Final = 1 << 20
LONGEST_NUMBER: Final = 1_024  # bytes or digits
KEPT: Final = 1 << 16  # longer strings of bytes stay in the file
_BLOCK: Final = 1 << 18
_FRAME: Final = 0x95


class _Mark:
    __slots__ = ()


_MARK: Final = _Mark()


class Machine:
    """Reads pickles off a window, one after the other.

    Parameters
    ----------
    window : Window
    at : int
        Where the first begins.
    budget : int
        Opcodes that are followed at most.
    """

    def __init__(self, window: Window, at: int = 0, budget: int = MOST_OPCODES) -> None:
        self._window = window
        self._start = at  # of the block, in the window
        self._block = b""
        self._at = 0
        self.budget = budget
        self._text = 0
        self.globals: list[Global] = []
        self.persistents: list[Persistent] = []
        self.stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    @property
    def position(self) -> int:
        """How far the window was read."""
        return self._start + self._at

    def refuse(self, why: str) -> NoReturn:
        """Give up, and say where.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(
            f"is damaged, or no pickle (at byte {self.position:,}: {why})", self._window.name
        )

    def take(self, count: int) -> bytes:
        """The next bytes."""
        end = self._at + count
        if end > len(self._block):
            if count > KEPT:
                self.refuse("a string is longer than what is kept")
            self._start += self._at
            self._block = self._window.some(self._start, max(_BLOCK, count))
            self._at, end = 0, count
            if count > len(self._block):
                self.refuse("it ends too early")
        found = self._block[self._at : end]
        self._at = end
        return found

    def line(self) -> bytes:
        """What is left of the line."""
        parts: list[bytes] = []
        length = 0
        while True:
            end = self._block.find(b"\n", self._at)
            if end >= 0:
                parts.append(self._block[self._at : end])
                self._at = end + 1
                self._keep(length + len(parts[-1]))
                return b"".join(parts)
            parts.append(self._block[self._at :])
            length += len(parts[-1])
            if length > LONGEST_LINE:
                self.refuse("a line never ends")
            self._start += len(self._block)
            self._block, self._at = self._window.some(self._start, _BLOCK), 0
            if not self._block:
                self.refuse("it ends within a line")

    def stretch(self, count: int) -> bytes | Window:
        """The next bytes; of many only where they stand."""
        if count <= KEPT:
            self._keep(count)
            return self.take(count)
        where = self.position
        if where + count > self._window.length:
            self.refuse("a string is longer than the file")
        self._start, self._block, self._at = where + count, b"", 0
        return self._window.part(where, count)

    def text(self, count: int) -> str | Opaque:
        """The next bytes as text; of a long one nothing is kept."""
        found = self.stretch(count)
        return _text_of(found) if isinstance(found, bytes) else OPAQUE

    def _keep(self, count: int) -> None:
        self._text += count
        if self._text > MOST_TEXT:
            self.refuse("it holds more text than any checkpoint")

    # ------------------------------------------------------------ the stack

    def pop(self) -> Any:
        """The topmost value."""
        if not self.stack or self.stack[-1] is _MARK:
            self.refuse("its stack is empty")
        return self.stack.pop()

    def top(self) -> Any:
        """The topmost value, which stays."""
        if not self.stack or self.stack[-1] is _MARK:
            self.refuse("its stack is empty")
        return self.stack[-1]

    def since_mark(self) -> list[Any]:
        """All above the topmost mark."""
        stack = self.stack
        for at in range(len(stack) - 1, -1, -1):
            if stack[at] is _MARK:
                found = stack[at + 1 :]
                del stack[at:]
                return found
        return self.refuse("a mark is missing")

    def named(self, module: object, name: object) -> Global:
        """A global, noted down."""
        if not isinstance(module, str) or not isinstance(name, str):
            module, name = "?", "?"
        found = Global(module, name)
        self.globals.append(found)
        return found

    def outside(self, pid: object) -> Persistent:
        """A reference to something outside, noted down."""
        found = Persistent(pid)
        self.persistents.append(found)
        return found

    def recall(self, index: int) -> None:
        """Push what was remembered under a number."""
        if index not in self._memo:
            self.refuse("it refers to what it never stored")
        self.stack.append(self._memo[index])

    def remember(self, index: int) -> None:
        """Remember the topmost value under a number."""
        self._memo[index] = self.top()

    def remember_next(self) -> None:
        """Remember the topmost value under the next number."""
        self._memo[len(self._memo)] = self.top()

    def fill(self, them: list[Any]) -> None:
        """Append to what is topmost."""
        target = self.top()
        if isinstance(target, list):
            target.extend(them)
        elif isinstance(target, Made):
            target.items.extend(them)
        else:
            self.refuse("it appends to what is no list")

    def set_items(self, them: list[Any]) -> None:
        """Set items of what is topmost: keys and values take turns."""
        target = self.top()
        if len(them) % 2:
            self.refuse("a key lacks its value")
        if not isinstance(target, Pairs | Made):
            self.refuse("it sets items of what is no dict")
        target.rows.extend(zip(them[::2], them[1::2], strict=True))

    def build(self) -> None:
        """Note the state of what is topmost."""
        state = self.pop()
        target = self.top()
        if isinstance(target, Made):
            target.state = state
        elif not isinstance(target, Global | Persistent):
            self.refuse("it gives a state to what has none")

    def run(self) -> object:
        """What the next pickle holds.

        Raises
        ------
        InputError
            It is damaged, cut off, or asks for more than the budget.
        """
        self.stack, self._memo = [], {}
        left = self.budget
        while left:
            left -= 1
            code = self.take(1)[0]
            if code == 0x2E:  # STOP
                self.budget = left
                return self.pop()
            step = _STEPS[code]
            if step is None:
                self._at -= 1
                self.refuse("unknown opcode")
            step(self)
        raise InputError("asks for more steps than any checkpoint needs", self._window.name)


def _text_of(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


def _integer(m: Machine, size: int) -> int:
    return int.from_bytes(m.take(size), "little")


def _long(m: Machine, size: int) -> None:
    if size > LONGEST_NUMBER:
        m.stretch(size)
        m.stack.append(OPAQUE)
    else:
        m.stack.append(int.from_bytes(m.take(size), "little", signed=True))


def _written_number(m: Machine) -> None:
    found = m.line().strip().removesuffix(b"L")
    if found in (b"00", b"01"):
        m.stack.append(found == b"01")
        return
    try:
        m.stack.append(int(found) if len(found) <= LONGEST_NUMBER else OPAQUE)
    except ValueError:
        m.refuse("a number is none")


def _written_float(m: Machine) -> None:
    try:
        m.stack.append(float(m.line()))
    except ValueError:
        m.refuse("a number is none")


def _written_string(m: Machine) -> None:
    found = m.line().strip()
    if len(found) < 2 or found[:1] != found[-1:] or found[:1] not in (b"'", b'"'):
        m.refuse("a string lacks its quotes")
    try:
        data = codecs.escape_decode(found[1:-1])[0]
    except ValueError:
        m.refuse("a string is none")
    m.stack.append(data.decode("latin-1"))


def _unicode_line(m: Machine) -> None:
    m.stack.append(m.line().decode("raw-unicode-escape", errors="replace"))


def _global_line(m: Machine) -> None:
    module, name = _text_of(m.line()), _text_of(m.line())
    m.stack.append(m.named(module, name))


def _inst(m: Machine) -> None:
    found = m.named(_text_of(m.line()), _text_of(m.line()))
    m.stack.append(Made(found, tuple(m.since_mark())))


def _obj(m: Machine) -> None:
    them = m.since_mark()
    if not them:
        m.refuse("an object lacks its class")
    m.stack.append(Made(them[0], tuple(them[1:])))


def _stack_global(m: Machine) -> None:
    name, module = m.pop(), m.pop()
    m.stack.append(m.named(module, name))


def _extension(size: int) -> Callable[[Machine], None]:
    def step(m: Machine) -> None:
        m.stack.append(m.named("copyreg extension", str(_integer(m, size))))

    return step


def _reduce(m: Machine) -> None:
    args, by = m.pop(), m.pop()
    m.stack.append(Made(by, args))


def _newobj_ex(m: Machine) -> None:
    m.pop()  # keyword arguments
    _reduce(m)


def _tuple_of(count: int) -> Callable[[Machine], None]:
    def step(m: Machine) -> None:
        them = [m.pop() for _ in range(count)]
        m.stack.append(tuple(reversed(them)))

    return step


def _append(m: Machine) -> None:
    one = m.pop()
    m.fill([one])


def _set_item(m: Machine) -> None:
    value, key = m.pop(), m.pop()
    m.set_items([key, value])


def _pop(m: Machine) -> None:
    if not m.stack:
        m.refuse("its stack is empty")
    m.stack.pop()


def _index_line(m: Machine) -> int:
    found = m.line().strip()
    if len(found) > 20 or not found.isdigit():
        m.refuse("a place in its memory is no number")
    return int(found)


def _pop_mark(m: Machine) -> None:
    m.since_mark()


def _protocol(m: Machine) -> None:
    m.take(1)


def _frame(m: Machine) -> None:
    m.take(8)


def _push(value: object) -> Callable[[Machine], None]:
    return lambda m: m.stack.append(value)


def _number(form: str) -> Callable[[Machine], None]:
    read = struct.Struct(form)
    return lambda m: m.stack.append(read.unpack(m.take(read.size))[0])


def _sized(kind: Callable[[Machine, int], object], size: int) -> Callable[[Machine], None]:
    return lambda m: m.stack.append(kind(m, _integer(m, size)))


def _latin(m: Machine, count: int) -> object:
    found = m.stretch(count)
    return found.decode("latin-1") if isinstance(found, bytes) else found


_NAMED: Final[dict[str, Callable[[Machine], None]]] = {
    "(": lambda m: m.stack.append(_MARK),
    "0": _pop,
    "1": _pop_mark,
    "2": lambda m: m.stack.append(m.top()),
    "F": _written_float,
    "I": _written_number,
    "J": _number("<i"),
    "K": _number("<B"),
    "L": _written_number,
    "M": _number("<H"),
    "N": _push(None),
    "P": lambda m: m.stack.append(m.outside(_text_of(m.line()))),
    "Q": lambda m: m.stack.append(m.outside(m.pop())),
    "R": _reduce,
    "S": _written_string,
    "T": _sized(_latin, 4),
    "U": _sized(_latin, 1),
    "V": _unicode_line,
    "X": _sized(Machine.text, 4),
    "a": _append,
    "b": Machine.build,
    "c": _global_line,
    "d": lambda m: m.stack.append(_paired(m, m.since_mark())),
    "e": lambda m: m.fill(m.since_mark()),
    "g": lambda m: m.recall(_index_line(m)),
    "h": lambda m: m.recall(_integer(m, 1)),
    "i": _inst,
    "j": lambda m: m.recall(_integer(m, 4)),
    "l": lambda m: m.stack.append(m.since_mark()),
    "o": _obj,
    "p": lambda m: m.remember(_index_line(m)),
    "q": lambda m: m.remember(_integer(m, 1)),
    "r": lambda m: m.remember(_integer(m, 4)),
    "s": _set_item,
    "t": lambda m: m.stack.append(tuple(m.since_mark())),
    "u": lambda m: m.set_items(m.since_mark()),
    "}": lambda m: m.stack.append(Pairs()),
    "]": lambda m: m.stack.append([]),
    ")": _push(()),
    "G": _number(">d"),
    "B": _sized(Machine.stretch, 4),
    "C": _sized(Machine.stretch, 1),
    "\x80": _protocol,
    "\x81": _reduce,
    "\x82": _extension(1),
    "\x83": _extension(2),
    "\x84": _extension(4),
    "\x85": _tuple_of(1),
    "\x86": _tuple_of(2),
    "\x87": _tuple_of(3),
    "\x88": _push(True),
    "\x89": _push(False),
    "\x8a": lambda m: _long(m, _integer(m, 1)),
    "\x8b": lambda m: _long(m, _integer(m, 4)),
    "\x8c": _sized(Machine.text, 1),
    "\x8d": _sized(Machine.text, 8),
    "\x8e": _sized(Machine.stretch, 8),
    "\x8f": lambda m: m.stack.append([]),  # a set: its members are never compared
    "\x90": lambda m: m.fill(m.since_mark()),
    "\x91": lambda m: m.stack.append(m.since_mark()),
    "\x92": _newobj_ex,
    "\x93": _stack_global,
    "\x94": Machine.remember_next,
    "\x95": _frame,
    "\x96": _sized(Machine.stretch, 8),
    "\x97": _push(OPAQUE),  # a buffer outside the pickle
    "\x98": lambda _: None,
}


def _paired(m: Machine, them: list[Any]) -> Pairs:
    if len(them) % 2:
        m.refuse("a key lacks its value")
    return Pairs(list(zip(them[::2], them[1::2], strict=True)))


_STEPS: Final = [_NAMED.get(chr(code)) for code in range(256)]
