"""What holds values under names: dicts, classes, options, configs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from gandoctor.configs.python.index import Store
from gandoctor.configs.python.naming import Naming
from gandoctor.configs.python.ways import DEEPEST, End, EndlessError, Frame, Known, Way
from gandoctor.configs.references import dotted, last_name

if TYPE_CHECKING:
    from gandoctor.configs.python.units import Unit

_MOST_CONFIGS: Final = 100  # dicts with the same key
_NOWHERE: Final = 1 << 30
_HOLDERS: Final = frozenset(
    {
        "dict", "Namespace", "SimpleNamespace", "AttrDict", "EasyDict", "edict", "Munch", "create",
        "DotDict", "Box", "ConfigDict", "attrdict", "Config", "dotdict", "ParamDict", "HParams",
        "Dict", "OrderedDict", "HParam", "munchify", "deepcopy", "copy", "namedtuple", "Struct",
    }
)  # fmt: skip
_READERS: Final = frozenset(
    {"load", "safe_load", "loads", "full_load", "parse_file", "fromfile", "from_json", "read_text"}
)
_PARSERS: Final = frozenset(
    {"parse_args", "parse_known_args", "parse", "FLAGS", "parse_intermixed_args"}
)


class Holding(Naming):
    """Follows attributes and entries to what holds them."""

    def returned(self, node: ast.Call, frame: Frame) -> tuple[ast.expr, Frame] | None:
        """What a function of the code gives back, where that is one expression."""
        name = last_name(node.func)
        several = self.index.functions.get(name, ())
        unit = self._its_unit(node)
        mine = [f for f in several if unit is not None and self.index.of[f] is unit]
        several = mine or several
        if len(several) != 1 or name in ("__init__", "main"):
            return None
        back = [
            n.value
            for n in ast.walk(several[0])
            if isinstance(n, ast.Return)
            and n.value is not None
            and self.index.function_of(n) is several[0]
        ]
        if not back:
            return None
        return back[-1], Frame(several[0], node, frame)

    # ------------------------------------------------------------ attributes, keys

    def _part_of(self, node: ast.Attribute | ast.Subscript, frame: Frame, way: Way) -> End:
        if isinstance(node, ast.Attribute):
            return self.member(node.value, node.attr, frame, way)
        index = node.slice
        if isinstance(index, ast.Constant):
            if isinstance(index.value, str):
                return self.member(node.value, index.value, frame, way)
            if isinstance(index.value, int):
                return self._item(node, index.value, frame, way)
        elif isinstance(index, ast.Name | ast.Attribute | ast.Subscript):
            key = self.part(index, frame, way.depth)  # `RATES[gan_type]`
            if isinstance(key, str):
                return self.member(node.value, key, frame, way)
        return None

    def _item(self, node: ast.Subscript, place: int, frame: Frame, way: Way) -> End:
        found = self.follow(node.value, frame, way)
        if isinstance(found, tuple) and isinstance(found[0], ast.Call):  # `a, b = rates(kind)`
            back = self.returned(*found)  # type: ignore[arg-type]
            listed = self.follow(*back, Way(depth=way.depth)) if back is not None else None
            is_listed = isinstance(listed, tuple) and isinstance(listed[0], ast.Tuple | ast.List)
            found = listed if is_listed else found
        if isinstance(found, tuple) and isinstance(found[0], ast.Tuple | ast.List):
            items = found[0].elts
            if -len(items) <= place < len(items):
                return self.follow(items[place], found[1], way)
        if isinstance(found, tuple) and isinstance(found[0], ast.Call) and place == 0:
            return found  # `opt = parser.parse_known_args()[0]`
        return self._config(str(place), node.value)

    def member(self, base: ast.expr, key: str, frame: Frame, way: Way) -> End:
        """The attribute or entry `key` of an expression."""
        mark = len(way.trail)
        owner = self._self_class(base)
        found: End = None
        if owner is not None:
            found = self._attribute(owner, key, frame, way)
        elif isinstance(base, ast.Attribute) and base.attr == "hparams":
            found = self._saved(base, key, way)
        else:
            inner = Way(depth=way.depth)
            try:
                holder = self.follow(base, frame, inner)
            except EndlessError:
                holder = None
            if isinstance(holder, tuple):
                found = self._held(holder[0], holder[1], key, base, way)
        if found is None:
            del way.trail[mark:]
            found = self._by_name(key, base, way)
        return found

    def _self_class(self, base: ast.expr) -> ast.ClassDef | None:
        if isinstance(base, ast.Name) and base.id in ("self", "cls") and base in self.index.parents:
            return self.index.class_of(base)
        return None

    def _saved(self, base: ast.Attribute, key: str, way: Way) -> End:
        """``self.hparams.lr`` after ``save_hyperparameters()``: what ``__init__`` was given."""
        owner = self._self_class(base.value)
        for made in owner.body if owner is not None else ():
            if isinstance(made, ast.FunctionDef) and made.name == "__init__":
                for binding in self.index.defined(made, key):
                    if binding.kind == "parameter":
                        return self._parameter(binding, key, made, Frame(made), way)
        return None

    def _held(self, holder: ast.AST, where: Frame, key: str, base: ast.expr, way: Way) -> End:
        """What a dict, class, module or call holds under a key."""
        if isinstance(holder, ast.ClassDef):
            return self._attribute(holder, key, where, way)
        if isinstance(holder, ast.Import | ast.ImportFrom):
            return self.of_module(holder, base, key, way)
        if isinstance(holder, ast.Dict):
            return self._entry(holder, where, key, base, way)
        if isinstance(holder, ast.Call):
            return self._of_call(holder, where, key, base, way)
        return None

    def _entry(self, holder: ast.Dict, where: Frame, key: str, base: ast.expr, way: Way) -> End:
        later = self._stored(key, base, holder)
        if later is not None:
            way.how, way.key = "dict", key
            return self.follow(later.value, self.frame(later.value), way)
        for its, value in zip(reversed(holder.keys), reversed(holder.values), strict=True):
            if isinstance(its, ast.Constant) and its.value == key:
                way.how, way.key = "dict", key
                return self.follow(value, where, way)
            if its is None:  # `{**base, "lr": 1}`
                inner = Way(depth=way.depth)
                spread = self.follow(value, where, inner)
                if isinstance(spread, tuple):
                    found = self._held(spread[0], spread[1], key, value, way)
                    if found is not None:
                        return found
        return None

    def _stored(self, key: str, base: ast.expr, after: ast.AST) -> Store | None:
        """The last assignment to an entry of a holder of this name."""
        name = last_name(base)
        unit = self.index.of[self.index.scope_of(after)] if after in self.index.parents else None
        found = [
            s
            for s in self.index.stores.get(key, ())
            if name
            and isinstance(s.target, ast.Attribute | ast.Subscript)
            and last_name(s.target.value) == name
            and dotted(s.target.value)[:1] not in (("self",), ())
            and (unit is not s.unit or s.value.lineno > getattr(after, "lineno", 0))
            and not self._loops(s)
            and not self._is_inside_itself(s, key)
            and (not self.preferred or s.unit in self.preferred or s.unit is unit)
            and not self.is_idle(s.target)
        ]
        return found[-1] if found else None

    def _is_inside_itself(self, store: Store, key: str) -> bool:
        """``h.batch_size = h.batch_size // n``: another value of the same."""
        names = (n for n in ast.walk(store.value) if isinstance(n, ast.Attribute | ast.Subscript))
        return any(dotted(n)[-1:] == (key,) for n in names)

    def _loops(self, store: Store) -> bool:
        """Whether it is changed while the training goes on."""
        return any(
            isinstance(p, ast.For | ast.While | ast.AsyncFor)
            for p in self.index.around(store.target)
            if not isinstance(p, ast.Module)
        )

    def _of_call(self, holder: ast.Call, where: Frame, key: str, base: ast.expr, way: Way) -> End:
        name = last_name(holder.func)
        if name in _PARSERS or (key in self.index.options and name in ("vars", "Namespace")):
            later = self._stored(key, base, holder)
            if later is not None:
                way.how, way.key = "attribute", key
                return self.follow(later.value, self.frame(later.value), way)
            found = self.option(key, way)
            if found is not None or name == "parse_args":
                return found
        if name in self.index.classes:
            return self._attribute(
                self.one(self.index.classes[name], self._its_unit(holder)),
                key,
                where,
                way,
                made=holder,
                base=base,
            )
        given = self._of_tuple(holder, where, key)
        if given is not None:
            way.how, way.key = "dict", key
            return self.follow(given[0], given[1], way)
        if name in _HOLDERS or name == "vars":
            return self._of_holder(holder, where, key, base, way)
        if name in _READERS:
            later = self._stored(key, base, holder)
            if later is not None:
                return self.follow(later.value, self.frame(later.value), way)
            return self._config(key, base)
        for argument in holder.args:  # `tyro.cli(Config)`
            if isinstance(argument, ast.Name) and argument.id in self.index.classes:
                if key in self.commands:
                    return self.given(self.commands[key], key)
                owner = self.one(self.index.classes[argument.id], self._its_unit(holder))
                return self._attribute(owner, key, where, way, base=base)
        made = self.returned(holder, where)
        if made is not None:
            inner = Way(depth=way.depth)
            found = self.follow(made[0], made[1], inner)
            if isinstance(found, tuple) and found[0] is not holder:
                way.depth += 1
                if way.depth > DEEPEST:
                    raise EndlessError
                return self._held(found[0], found[1], key, base, way)
        return None

    def _of_tuple(self, holder: ast.Call, where: Frame, key: str) -> tuple[ast.expr, Frame] | None:
        """What ``Params(64, lr=1e-4)`` holds under a name, of ``Params = namedtuple(...)``."""
        if not last_name(holder.func)[:1].isupper():
            return None
        found = self.follow(holder.func, where, Way(depth=DEEPEST // 2))
        made = found[0] if isinstance(found, tuple) else None
        if not isinstance(made, ast.Call) or last_name(made.func) != "namedtuple":
            return None
        words = {k.arg: k.value for k in made.keywords}
        listed = made.args[1] if len(made.args) > 1 else words.get("field_names")
        names = self._words_in(listed)
        if key not in names:
            return None
        place = names.index(key)
        given = _handed_at(holder, place, key)
        if given is not None:
            return given, where
        defaults = self._items(words.get("defaults"))
        place -= len(names) - len(defaults)
        return (defaults[place], self.frame(made)) if place >= 0 else None

    def _words_in(self, node: ast.expr | None) -> list[str]:
        """The words of ``["a", "b"]`` and ``"a b"``."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value.replace(",", " ").split()
        items = self._items(node)
        return [str(i.value) if isinstance(i, ast.Constant) else "" for i in items]

    def _items(self, node: ast.expr | None) -> list[ast.expr]:
        found = self.follow(node, self.frame(node), Way()) if node is not None else None
        end = found[0] if isinstance(found, tuple) else None
        return end.elts if isinstance(end, ast.Tuple | ast.List) else []

    def _its_unit(self, node: ast.AST) -> Unit | None:
        return self.unit(node) if node in self.index.parents else None

    def _of_holder(self, holder: ast.Call, where: Frame, key: str, base: ast.expr, way: Way) -> End:
        later = self._stored(key, base, holder)
        if later is not None:
            way.how, way.key = "dict", key
            return self.follow(later.value, self.frame(later.value), way)
        for keyword in holder.keywords:
            if keyword.arg == key:
                way.how, way.key = "dict", key
                return self.follow(keyword.value, where, way)
        spread = [k.value for k in holder.keywords if k.arg is None]
        for inner_node in (*spread, *holder.args[:2]):
            inner = Way(depth=way.depth)
            found = self.follow(inner_node, where, inner)
            if isinstance(found, tuple):
                way.depth += 1
                if way.depth > DEEPEST:
                    raise EndlessError
                held = self._held(found[0], found[1], key, inner_node, way)
                if held is not None:
                    return held
        return None

    def _attribute(
        self,
        owner: ast.ClassDef,
        key: str,
        where: Frame,
        way: Way,
        *,
        made: ast.Call | None = None,
        base: ast.expr | None = None,
        depth: int = 0,
    ) -> End:
        """An attribute of a class or of its object."""
        index = self.index
        outer = self._stored(key, base, owner) if base is not None else None
        if outer is not None:
            way.how, way.key = "class", key
            return self.follow(outer.value, self.frame(outer.value), way)
        if made is not None:
            fields_ = _fields_of(owner)
            place = fields_.index(key) if key in fields_ else _NOWHERE
            given = _handed_at(made, place, key)
            if given is not None and (place != _NOWHERE or index.defined(owner, key)):
                way.how, way.key = "class", key
                return self.follow(given, self.frame(made), way)
        store = self._own_store(owner, key)
        if store is not None:
            method = index.function_of(store.target)
            frame = Frame(method)
            if made is not None and getattr(method, "name", "") == "__init__":
                frame = Frame(method, made, self.frame(made))
            elif where.scope is method:
                frame = where
            way.key = way.key or key
            if isinstance(store.value, ast.Constant):
                way.how = "class"
            return self.follow(store.value, frame, way)
        fields = [b for b in index.defined(owner, key) if b.value is not None]
        if fields and fields[-1].value is not None:
            way.how, way.key = "class", key
            return self.follow(fields[-1].value, self.outside(owner), way)
        for parent in owner.bases:
            several = index.classes.get(last_name(parent), ())
            if several and depth < 6 and self.one(several) is not owner:
                found = self._attribute(
                    self.one(several), key, where, way, made=made, depth=depth + 1
                )
                if found is not None:
                    return found
        return None

    def _own_store(self, owner: ast.ClassDef, key: str) -> Store | None:
        """The last ``self.key = ...`` of a class, that of ``__init__`` first."""
        mine = [
            s
            for s in self.index.stores.get(key, ())
            if isinstance(s.target, ast.Attribute)
            and last_name(s.target.value) == "self"
            and self.index.class_of(s.target) is owner
            and not self._loops(s)
        ]
        # `self.net = None` keeps a place for what is made later
        mine = [s for s in mine if not _is_none(s.value)] or mine
        mine = [s for s in mine if not self.is_branched(s.target)] or mine
        # `if args: self.epochs = args.epochs`, and `else: self.epochs = epochs`
        mine = [s for s in mine if not isinstance(s.value, ast.Name)] or mine
        first = [s for s in mine if getattr(s.scope, "name", "") == "__init__"]
        return (first or mine)[-1] if mine else None

    # ------------------------------------------------------------ options, configs

    def option(self, key: str, way: Way) -> End:
        """The default of an option, or what a command line gives."""
        if key in self.commands:
            return self.given(self.commands[key], key)
        several = self.index.options.get(key, [])
        if not several:
            return None
        way.how, way.key = "option", key
        changed = [
            (value, unit)
            for value, call, unit in self.index.entries.get(key, ())
            if isinstance(call, ast.Call) and last_name(call.func) == "set_defaults"
        ]
        if changed:
            best = min(self.rank(u) for _, u in changed)
            value = [v for v, u in changed if self.rank(u) == best][-1]
            return self.follow(value, self.frame(value), way)
        best_rank = min(self.rank(o.unit) for o in several)
        option = [o for o in several if self.rank(o.unit) == best_rank][-1]
        if option.default is None:
            return None
        return self.follow(option.default, Frame(self.index.function_of(option.call)), way)

    def _config(self, key: str, base: ast.expr) -> Known | None:
        """What a config file holds under the longest end of ``cfg.optim_d.lr`` that it has."""
        if not self.configs:
            return None
        path = (*self._path(base), key)
        for start in range(len(path)):
            given = self.configs.get(".".join(path[start:]))
            if given is not None:
                return self.given(given, key)
        return None

    def _path(self, base: ast.expr, depth: int = 0) -> tuple[str, ...]:
        """``opt.lr`` after ``opt = cfg["train"]`` -> ("cfg", "train")."""
        path = dotted(base)
        first: ast.AST = base
        while isinstance(first, ast.Attribute | ast.Subscript):
            first = first.value
        if not isinstance(first, ast.Name) or first not in self.index.parents or depth > 3:
            return path
        bound = self.bound(first, self.frame(first))
        if bound is not None and isinstance(bound[0].value, ast.Attribute | ast.Subscript):
            return (*self._path(bound[0].value, depth + 1), *path[1:])
        return path

    def _by_name(self, key: str, base: ast.expr, way: Way) -> End:
        """By the name alone: an option, an attribute of some config, an entry of a file or dict."""
        mark = way.guessed
        way.guessed = True
        found = self.option(key, way)
        if found is not None:
            way.guessed = mark and key not in self.index.options
            return found
        fields = [
            b.value
            for several in self.index.classes.values()
            for c in several
            for b in self.index.defined(c, key)
            if b.value is not None
        ]
        if len(fields) == 1:
            way.how, way.key = "class", key
            return self.follow(fields[0], self.frame(fields[0]), way)
        given = self._config(key, base)
        if given is not None:
            return given
        stores = [
            s
            for s in self.index.stores.get(key, ())
            if isinstance(s.value, ast.Constant | ast.UnaryOp) and not self._loops(s)
        ]
        if len(stores) > 1 and len(end := (*self._path(base)[-1:], key)) > 1:
            # `config.d.lr = 1` is another than `config.g.lr = 2`
            stores = [s for s in stores if dotted(s.target)[-2:] == end]
        if len(stores) == 1:
            way.how, way.key = "attribute", key
            return self.follow(stores[0].value, self.frame(stores[0].value), way)
        entries = [(v, d) for v, d, _ in self.index.entries.get(key, ()) if not self._told(d)]
        entries = [e for e in entries if isinstance(e[0], ast.Constant)] or entries
        # of several configs what most of them say
        if len(entries) > _MOST_CONFIGS:
            return None
        said = [getattr(v, "value", id(v)) for v, _ in entries]
        most = next((i for i, v in enumerate(said) if said.count(v) * 2 > len(said)), None)
        if most is not None:
            way.how, way.key = "dict", key
            return self.follow(entries[most][0], self.frame(entries[most][0]), way)
        return None

    def _told(self, node: ast.AST) -> bool:
        """Whether a dict is there to be logged or saved."""
        for parent in self.index.around(node):
            if isinstance(parent, ast.Call) and last_name(parent.func) in ("log", "save", "dump"):
                return True
            if isinstance(parent, ast.stmt):
                return False
        return False


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _fields_of(owner: ast.ClassDef) -> list[str]:
    """What a dataclass or named tuple is handed by place; nothing where ``__init__`` says it."""
    if any(isinstance(n, ast.FunctionDef) and n.name == "__init__" for n in owner.body):
        return []
    return [
        n.target.id
        for n in owner.body
        if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
    ]


def _handed_at(call: ast.Call, place: int, key: str) -> ast.expr | None:
    """What a call hands over under a name, or at its place."""
    for keyword in call.keywords:
        if keyword.arg == key:
            return keyword.value
    before = call.args[: place + 1]
    if len(before) <= place or any(isinstance(a, ast.Starred) for a in before):
        return None
    return before[place]
