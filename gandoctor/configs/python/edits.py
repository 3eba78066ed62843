"""New values put into code, where they stand or are used, and proved by reading it again.

A value that both networks share is not changed where it stands: the argument of the one call is
written anew. Every other character of the file stays, and so does every other setting.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gandoctor.configs.python import given
from gandoctor.configs.python import optimisers as opt
from gandoctor.configs.python.commands import commands_of
from gandoctor.configs.python.gathering import Gathered, values_in
from gandoctor.configs.python.making import Applied
from gandoctor.configs.python.reading import Code, Found, read_code
from gandoctor.configs.python.units import unit_of
from gandoctor.configs.references import last_name
from gandoctor.configs.splice import SpliceError, number, number_text
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gandoctor.configs.python.optimisers import Optimiser
    from gandoctor.configs.python.values import Reader
    from gandoctor.configs.python.ways import Given, Plain

_LONGEST: Final = 400  # characters of an argument that is written anew
_MOST_TRIALS: Final = 12


@dataclass(frozen=True, slots=True)
class Change:
    """One piece of a file and what stands there instead.

    Attributes
    ----------
    file : str
    start, end : int
        Half-open span in the file; empty where something is put in.
    old, new : str
    line : str
        As the reader knows it.
    """

    file: str
    start: int
    end: int
    old: str
    new: str
    line: str


@dataclass(frozen=True, slots=True)
class Edited:
    """Files with new values.

    Attributes
    ----------
    texts : dict of str to str
        The files that changed.
    changes : tuple of (setting, Change)
    """

    texts: Mapping[str, str]
    changes: tuple[tuple[str, Change], ...]


class Editor:
    """Edits of one code.

    Parameters
    ----------
    code : Code
    gathered : Gathered
        What it was read from.
    """

    def __init__(self, code: Code, gathered: Gathered) -> None:
        # The choice stays the one that was made.
        self.hint = replace(code.hint, program=code.home)
        self.gathered = gathered
        near = {u.file for u in code.reader.preferred}
        for found in code.found.values():
            near |= {u.file for u, _ in found.trail}
        self.files = {n: t for n, t in gathered.files.items() if n in near}
        self.texts = {**self.files, **gathered.texts}
        self.code = code

    def edit(self, wanted: Mapping[str, Plain]) -> Edited:
        """Give settings new values, each with the smallest change that changes nothing else.

        Parameters
        ----------
        wanted : Mapping of str to value
            By setting, as `Code.found` names them.

        Raises
        ------
        SpliceError
            Where that cannot be done; it says why.
        """
        code = self._read(self.texts)
        if code is None or any(
            s in code.found and code.found[s].value != f.value for s, f in self.code.found.items()
        ):
            raise SpliceError("the code is not read the same way by itself")
        texts = dict(self.texts)
        changes: list[tuple[str, Change]] = []
        for setting, value in wanted.items():
            now = code.found.get(setting)
            if now is not None and reads_as(now.value, value) and changes:
                continue  # it stands where another one stood that was asked for
            change, code = self._one(code, texts, setting, value, wanted)
            texts[change.file] = _put(texts[change.file], change)
            changes.append((setting, change))
        return Edited(
            {n: t for n, t in texts.items() if t != self.texts[n]},
            tuple(changes),
        )

    def normed(self) -> Edited:
        """Put spectral norm around each layer of D.

        Raises
        ------
        SpliceError
            Where that is not one small change a layer; it says why, and where D is.
        """
        from gandoctor.configs.python.norming import layers_of

        code = self._read(self.texts)
        if code is None:
            raise SpliceError("the code is not read the same way by itself")
        changes: list[Change] = []
        for call, unit, norm in layers_of(code):
            place = unit.place(call)
            if place.start < 0 or place.file not in self.texts:
                raise SpliceError(f"{place.file}:{place.line}: the layer's place is not known")
            changes.append(Change(place.file, place.start, place.start, "", f"{norm}(", place.line))
            end = str(unit.line(call.end_lineno or call.lineno))
            changes.append(Change(place.file, place.end, place.end, "", ")", end))
        texts = dict(self.texts)
        for change in sorted(changes, key=lambda c: c.start, reverse=True):
            texts[change.file] = _put(texts[change.file], change)
        after = self._read(texts)
        wanted = {"spectral_norm": True}
        at = f"{changes[0].file}:{changes[0].line}"
        if after is None or [u.mended for u in after.units] != [u.mended for u in code.units]:
            raise SpliceError(f"{at}: it would be no Python any more")
        fault = _fault(fingerprint(code), fingerprint(after), "spectral_norm", wanted)
        if fault:
            raise SpliceError(f"{at}: {fault}")
        changed = {n: t for n, t in texts.items() if t != self.texts[n]}
        return Edited(changed, tuple(("spectral_norm", c) for c in changes))

    def _one(
        self,
        code: Code,
        texts: Mapping[str, str],
        setting: str,
        value: Plain,
        wanted: Mapping[str, Plain],
    ) -> tuple[Change, Code]:
        why = ""
        before = fingerprint(code)
        for count, change in enumerate(self._candidates(code, setting, value)):
            if count >= _MOST_TRIALS:
                break
            if change.file not in texts:
                continue
            text = texts[change.file]
            if text[change.start : change.end] != change.old:
                continue
            after = self._read({**texts, change.file: _put(text, change)})
            if after is None:
                why = why or "it would be no Python any more"
                continue
            fault = _fault(before, fingerprint(after), setting, wanted)
            if not fault and [u.mended for u in after.units] == [u.mended for u in code.units]:
                return change, after
            why = fault or why
        raise SpliceError(why or f"nothing in the code can be changed for `{setting}` alone")

    def _read(self, texts: Mapping[str, str]) -> Code | None:
        files = {n: texts[n] for n in self.files}
        gathered = self.gathered
        commands: list[tuple[str, Mapping[str, Given]]] = []
        configs: dict[str, Given] = {}
        for name in gathered.texts:
            if any(g.place.file == name for g in gathered.configs.values()):
                configs |= {
                    k: g for k, g in values_in(name, texts[name]).items() if k in gathered.configs
                }
            elif any(g.place.file == name for _, o in gathered.commands for g in o.values()):
                commands += commands_of(texts[name], name)
        return read_code(files, self.hint, commands=commands, configs=configs)

    # ------------------------------------------------------------ what may be changed

    def _candidates(self, code: Code, setting: str, value: Plain) -> Iterator[Change]:
        found = code.found.get(setting)
        made = {"_d": code.d, "_g": code.g}.get(setting[-2:])
        if found is not None and found.how != "default":
            yield from self._in_place(found, value)
        if made is not None and setting[:-2] in ("lr", "beta1", "beta2"):
            yield from _argument(code, made, setting, value, found)
            if setting[:-2] == "lr":
                yield from _anew(code, made, setting[-1:], _noted(found, value))

    def _in_place(self, found: Found, value: Plain) -> Iterator[Change]:
        """Where the value stands, and then along the way to where it is used."""
        place = found.place
        if not found.trail and 0 <= place.start < place.end:
            old = self.texts.get(place.file, "")[place.start : place.end]
            new = written(old.strip("\"'"), value)
            yield Change(place.file, place.start, place.end, old, new, place.line)
        notation = ""
        for unit, node in found.trail:
            place = unit.place(node)
            old = unit.written(place)
            if place.start < 0 or not old or len(old) > _LONGEST or "\n" in old:
                continue
            notation = notation or (old if number(old) is not None else "")
            new = unit.escaped(written(notation or old, value))
            if new != old:
                yield Change(place.file, place.start, place.end, old, new, place.line)


def written(old: str, new: Plain) -> str:
    """A value as Python, numbers in the notation of the old one."""
    if isinstance(new, int | float) and not isinstance(new, bool):
        return number_text(old, new)
    return repr(new)


def _noted(found: Found | None, value: Plain) -> str:
    """A value in the notation of what stands there now."""
    old = ""
    if found is not None and found.trail:
        unit, node = found.trail[0]
        old = unit.written(unit.place(node))
    elif found is not None and isinstance(found.value, int | float):
        old = f"{found.value:g}"
    return written(old if number(old) is not None else "", value)


def _argument(
    code: Code, made: Optimiser, setting: str, value: Plain, found: Found | None
) -> Iterator[Change]:
    """The argument of the optimiser's call, or a new one behind the others."""
    reader = code.reader
    new = _noted(found, value)
    if setting[:-2] == "lr":
        slot = given.rate_of(made, reader)
        if slot.node is not None and any(
            slot.node is k.value for k in made.call.keywords if k.arg is None
        ):
            held = made.unit.written(made.unit.place(slot.node))
            word = slot.known.key if slot.known is not None else ""
            if word and "\n" not in held:
                yield from _rewritten(made, slot.node, f'{{**{held}, "{word}": {new}}}')
        elif slot.node is not None:
            yield from _rewritten(made, slot.node, new)
        elif slot.node is None:
            text = f"{given.rate_word(made)}={new}"
            spelled = not made.unit.written(made.unit.place(made.call)).endswith(")")
            yield from _of_word(made, reader, text) if spelled else _inserted(made, text)
        return
    which = 0 if setting.startswith("beta1") else 1
    pair = next((k.value for k in made.call.keywords if k.arg == "betas"), None)
    slots = given.betas_of(made, reader)
    if pair is not None:
        values = [s.known.value if s.known is not None else None for s in slots]
        values[which] = value
        if None not in values:
            yield from _rewritten(made, pair, f"({', '.join(written('', v) for v in values)})")
        return
    if slots[which].node is not None:
        yield from _rewritten(made, slots[which].node, new)
    elif made.style == "torch":
        pair_text = f"({new}, 0.999)" if which == 0 else f"(0.9, {new})"
        yield from _inserted(made, f"betas={pair_text}")
    else:
        word = "beta" if _is_old_tensorflow(made) else "beta_"
        yield from _inserted(made, f"{word}{which + 1}={new}")


def _anew(code: Code, made: Optimiser, side: str, new: str) -> Iterator[Change]:
    """The rate where a helper is called, or an optimiser of its own where both share one."""
    reader = code.reader
    slot = given.rate_of(made, reader)
    site = made.frame.call
    if isinstance(made.call, Applied) and made.call.site is not None:
        there = replace(made, call=made.call.site)
        yield from _inserted(there, f"{given.rate_word(made)}={new}")
    if site is not None and isinstance(slot.node, ast.Name):
        there = replace(made, call=site, unit=reader.unit(site))
        yield from _inserted(there, f"{slot.node.id}={new}")
    whole = made.unit.place(made.call)
    text = made.unit.written(whole)
    if "\n" in text or (slot.known is None and slot.node is not None):
        return
    if slot.node is None:
        gap = ", " if made.call.args or made.call.keywords else ""
        text = f"{text[:-1]}{gap}{given.rate_word(made)}={new})"
    else:
        at = made.unit.place(slot.node)
        text = text[: at.start - whole.start] + new + text[at.end - whole.start :]
    for node in opt.handed_to(made, "d" if side == "d" else "g", reader):
        place = made.unit.place(node)
        yield Change(place.file, place.start, place.end, made.unit.written(place), text, place.line)


def _of_word(made: Optimiser, reader: Reader, text: str) -> Iterator[Change]:
    """``optimizer="adam"`` made a call, by a name that the file knows."""
    known = reader.index.names
    tree = made.unit.tree
    name = {"rmsprop": "RMSprop", "sgd": "SGD"}.get(made.name, made.name.capitalize())
    for first, path in ((name, ""), ("keras", "keras.optimizers."), ("tf", "tf.keras.optimizers.")):
        if (tree, first) in known:
            yield from _rewritten(made, made.call, f"{path}{name}({text})")
            return


def _is_old_tensorflow(made: Optimiser) -> bool:
    return last_name(made.call.func).endswith("Optimizer")


def _rewritten(made: Optimiser, node: ast.expr | None, new: str) -> Iterator[Change]:
    if node is None:
        return
    place = made.unit.place(node)
    old = made.unit.written(place)
    if place.start >= 0 and old and len(old) <= _LONGEST:
        yield Change(place.file, place.start, place.end, old, made.unit.escaped(new), place.line)


def _inserted(made: Optimiser, text: str) -> Iterator[Change]:
    """A new keyword behind the last argument."""
    call = made.call
    last: list[ast.expr] = [*call.args, *(k.value for k in call.keywords)]
    if any(k.arg is None for k in call.keywords):
        return
    unit = made.unit
    if last:
        end = max((unit.place(n) for n in last), key=lambda p: p.end)
        at, new = end.end, f", {text}"
        # `Adam((p for p in params))`, `Adam(p for p in params)`
        if any(isinstance(n, ast.GeneratorExp) for n in call.args):
            return
    else:
        end = unit.place(call)
        at, new = end.end - 1, text
    if at > 0:
        yield Change(end.file, at, at, "", unit.escaped(new), end.line)


# ---------------------------------------------------------------- proof


def fingerprint(code: Code) -> dict[str, object]:
    """All settings, and what each optimiser is given."""
    out: dict[str, object] = {s: f.value for s, f in code.found.items()}
    for i, made in enumerate(code.made):
        rate = given.rate_of(made, code.reader).known
        betas = given.betas_of(made, code.reader)
        key = str(i)
        if _same(made, code.d) or _same(made, code.g):
            key = "d" if _same(made, code.d) else "g"
        out[f"#{key}"] = (
            made.unit.file,
            made.side,
            rate.value if rate is not None else None,
            *(b.known.value if b.known is not None else None for b in betas),
        )
    return out


def _same(one: Optimiser, other: Optimiser | None) -> bool:
    return (
        other is not None
        and one.call is other.call
        and one.frame.call is other.frame.call
        and one.side == other.side
    )


def _fault(
    before: Mapping[str, object],
    after: Mapping[str, object],
    setting: str,
    wanted: Mapping[str, Plain],
) -> str:
    """Why a change is not the one that was asked for; empty where it is."""
    if not reads_as(after.get(setting), wanted[setting]):
        return f"`{setting}` would not be read back as {wanted[setting]}"
    sides = {w[-1] for w in wanted if w[-2:] in ("_d", "_g")}
    for key in before.keys() | after.keys():
        if before.get(key) == after.get(key):
            continue
        if key in wanted and reads_as(after.get(key), wanted[key]):
            continue
        if key.startswith("#") and _side(before.get(key)) in sides:
            continue  # D_X and D_Y take their rate from one place
        if key.startswith("#"):
            return f"`{setting}` shares its value with another optimiser"
        return f"`{key}` would change with `{setting}`"
    return ""


def _side(told: object) -> object:
    """Whose an optimiser is, of its part of a fingerprint."""
    return told[1] if isinstance(told, tuple) else ""


def reads_as(got: object, wanted: Plain) -> bool:
    """Whether a value that was read is the one that was written."""
    if isinstance(wanted, bool) or not isinstance(wanted, int | float):
        return got == wanted
    if isinstance(got, bool) or not isinstance(got, int | float):
        return False
    return abs(got - wanted) <= 1e-5 * abs(wanted)


def _put(text: str, change: Change) -> str:
    return text[: change.start] + change.new + text[change.end :]


def is_only(file: str, old: str, new: str, pieces: Sequence[tuple[str, str]]) -> bool:
    """Whether two texts differ in so many pieces and no more, and are read to the same extent."""
    before, after = old.split("\n"), new.split("\n")
    if len(before) != len(after):
        return False
    differing = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    if not 0 < len(differing) <= len(pieces):
        return False
    for a, b in differing:
        if not any(x in a and y in b for x, y in pieces):
            return False
    if not file.endswith((".py", ".ipynb")):
        return True
    return unit_of(file, old).mended == unit_of(file, new).mended
