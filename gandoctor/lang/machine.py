"""The machine: one checked expression over one frame and one window."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.lang.arithmetic import COMPARE, OPERATORS, calculated
from gandoctor.lang.frame import (
    FALSE,
    MISSING,
    NAN,
    TRUE,
    Floats,
    Frame,
    Ints,
    Marks,
    Missing,
    Span,
    Test,
    Told,
    Value,
    all_of,
    any_of,
    folded,
    joined_reasons,
    word_of,
)
from gandoctor.lang.functions import (
    FUNCTIONS,
    Function,
    Points,
    UndecidedError,
    interval_of,
    quantile_of,
)
from gandoctor.lang.rowwise import (
    joined_codes,
    meeting,
    negated,
    slack_of,
    slack_of_one,
    tightest,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gandoctor.lang.tree import Node

# Least part of a window that a signal must span to speak for it, and least part of its rows that
# must be numbers.
COVER: Final = 0.5
# Rows of a series up to which its parts are kept: there are many of them.
MOST_KEPT: Final = 20_000


class Evaluation:
    """One expression over one frame and one window."""

    def __init__(
        self,
        frame: Frame,
        span: Span | None,
        window_text: str = "",
        *,
        dating: bool = False,
        blocked: str = "",
    ) -> None:
        self.frame = frame
        self.blocked = blocked
        self.span = span
        self.window_text = window_text
        self.is_dating = dating
        self.seen: dict[tuple[str, str], Any] = {}

    @property
    def unit(self) -> str:
        """What the steps of the log are called."""
        return {"epochs": "epochs", "kimg": "thousand images"}.get(self.frame.step_unit, "steps")

    def dating(self) -> Evaluation:
        """The same, each level of a window (``median(x)``) replaced by the smoothed signal."""
        return Evaluation(self.frame, self.span, self.window_text, dating=True)

    # ------------------------------------------------ values

    def value(self, node: Node) -> Value:
        """Value of a series or a number."""
        key = ("value", node.key)
        if key not in self.seen:
            self.seen[key] = self._value(node)
        found: Value = self.seen[key]
        return found

    def _value(self, node: Node) -> Value:
        if node.op == "const":
            return node.value
        if node.op == "signal":
            return self._signal(node.name)
        if node.op == "number":
            return self._number(node.name)
        if node.op == "call":
            return self._call(node)
        args = [self.value(a) for a in node.args]
        if node.op == "neg":
            found = args[0]
            if isinstance(found, Points):
                return Points(found.steps, -found.values, higher=not found.higher)
            return found if isinstance(found, Missing) else -found
        return self._arithmetic(node, args[0], args[1])

    def _signal(self, name: str) -> Value:
        series = self.frame.series.get(name)
        if series is None or not series.steps.size:
            return Missing(self.frame.absent.get(name) or f"{name} was not logged")
        points: Points = self.frame.memo.get(
            ("signal", name),
            lambda: Points(series.steps, series.values, higher=series.higher_is_better),
        )
        return points

    def _number(self, name: str) -> Value:
        frame = self.frame
        number = frame.numbers.get(name)
        if isinstance(number, str) or (number is None and name in frame.words):
            text = number if isinstance(number, str) else frame.words[name]
            return Missing(f"{name} was read as text ({text!r:.40}), not as a number")
        if number is None:
            # A rate that only the log knows (lr_d as a curve) is what it mostly was.
            series = frame.series.get(name)
            if series is not None and series.steps.size:
                number = quantile_of(series.values[np.isfinite(series.values)], 0.5)
        if number is None or math.isnan(number):
            return Missing(frame.absent.get(name) or f"{name} is not known")
        return float(number)

    def _arithmetic(self, node: Node, left: Value, right: Value) -> Value:
        if isinstance(left, Missing) or isinstance(right, Missing):
            return Missing(
                joined_reasons([v.reason for v in (left, right) if isinstance(v, Missing)])
            )
        if isinstance(left, float) and isinstance(right, float):
            found = calculated(node.op, left, right)
            return Missing(f"`{node.text}` has no value") if math.isnan(found) else found
        with np.errstate(all="ignore"):
            joined = self._aligned([left, right], node)
            if isinstance(joined, Missing):
                return joined
            steps, (a, b) = joined
            values = np.asarray(OPERATORS[node.op](a, b), dtype=np.float64)
        higher = (
            left.higher if isinstance(left, Points) else isinstance(right, Points) and right.higher
        )
        number = next((v for v in (left, right) if isinstance(v, float)), 1.0)
        turned = (node.op in ("-", "/") and not isinstance(left, Points)) ^ (
            node.op in ("*", "/") and number < 0
        )
        return Points(steps, values, higher=higher ^ turned)

    def _aligned(
        self, parts: Sequence[Points | float], node: Node
    ) -> tuple[Ints, list[Any]] | Missing:
        """Values on the common steps: those of the slowest series, the others as of then."""
        series = [p for p in parts if isinstance(p, Points)]
        steps = series[0].steps
        rows: list[NDArray[np.intp] | None] = [None]
        for other in series[1:]:
            met = meeting(steps, other.steps)
            if met is None:
                rows.append(None)
                continue
            steps, mine, theirs = met
            if not steps.size:
                texts = " and ".join(f"`{a.text}`" for a in node.args if a.kind == "series")
                return Missing(f"{texts} have no steps in common")
            rows = [mine if r is None else r[mine] for r in rows]
            rows.append(theirs)
        picked = iter(
            [s.values if r is None else s.values[r] for s, r in zip(series, rows, strict=True)]
        )
        return steps, [next(picked) if isinstance(p, Points) else p for p in parts]

    def _call(self, node: Node) -> Value:
        function = FUNCTIONS[node.name]
        known: list[Points | float] = []
        gone: list[str] = []
        for arg in node.args:
            value = self.value(arg)
            if isinstance(value, Missing):
                gone.append(value.reason)
            else:
                known.append(value)
        if gone:
            return Missing(joined_reasons(gone))
        if function.how == "point":
            return self._pointwise(function, known, node)
        if self.is_dating and function.level and isinstance(known[0], Points):
            function, known = FUNCTIONS["smooth"], known[:1]
            return self._run(function, known, node)
        windowed = node.windowed or self.is_dating
        place = (
            (self.span.first, self.span.last, self.span.after)
            if windowed and self.span is not None
            else None
        )
        found: Value = self.frame.memo.get(
            (node.key, place, self.is_dating), lambda: self._run(function, known, node)
        )
        return found

    def _pointwise(self, function: Function, args: list[Points | float], node: Node) -> Value:
        assert function.call is not None  # noqa: S101 - only `ask` has none
        with np.errstate(all="ignore"):
            if not any(isinstance(a, Points) for a in args):
                found = float(function.call(*(np.float64(a) for a in args)))  # type: ignore[arg-type]
                return Missing(f"`{node.text}` has no value") if math.isnan(found) else found
            joined = self._aligned(args, node)
            if isinstance(joined, Missing):
                return joined
            steps, values = joined
            higher = next(a.higher for a in args if isinstance(a, Points))
            return Points(
                steps, np.asarray(function.call(*values), dtype=np.float64), higher=higher
            )

    @np.errstate(all="ignore")  # exploded losses overflow; what is NaN then is told as unknown
    def _run(self, function: Function, args: list[Points | float], node: Node) -> Value:
        assert function.call is not None  # noqa: S101 - only `ask` has none
        text = node.args[0].text
        first, *rest = args
        assert isinstance(first, Points)  # noqa: S101 - kinds were checked when the rule was loaded
        try:
            if function.how == "series":
                short = self._short(first, function, text)
                return short or Points(
                    first.steps, function.call(first, *rest), higher=first.higher
                )
            if function.how == "whole":
                if self.frame.resumed and function.name == "early":
                    return Missing(
                        "the log starts in mid-training, so it does not hold the run's early part"
                    )
                short = self._short(first, function, text)
                found = short or function.call(first.known(), *(float(s) for s in self.frame.span))
            elif function.how == "pair":
                found = self._paired(function, args, node)
            else:
                part = self._part(first, node.args[0])
                if isinstance(part, Missing):
                    return part
                found = self._short(part, function, text) or function.call(part.known(), *rest)
        except UndecidedError as e:
            return Missing(f"{text}: {e}")
        if isinstance(found, Missing):
            return found
        if math.isnan(found):
            return Missing(f"`{node.text}` has no value")
        return float(found)

    def _paired(
        self, function: Function, args: list[Points | float], node: Node
    ) -> float | Missing:
        assert function.call is not None  # noqa: S101 - only `ask` has none
        joined = self._aligned([a for a in args if isinstance(a, Points)], node)
        if isinstance(joined, Missing):
            return joined
        steps, (a, b) = joined
        both = ~(np.isnan(a) | np.isnan(b))
        x = self._cut(Points(steps[both], a[both]), node.text)
        y = self._cut(Points(steps[both], b[both]), node.text)
        if isinstance(x, Missing) or isinstance(y, Missing):
            return x if isinstance(x, Missing) else Missing("")
        return self._short(x, function, node.text) or float(
            function.call(x, y, *(r for r in args if isinstance(r, float)))
        )

    def _part(self, points: Points, node: Node) -> Points | Missing:
        """As `_cut`, kept for the other functions of the same part where it is small."""
        if self.span is None or len(points) > MOST_KEPT:
            return self._cut(points, node.text)
        key = ("part", node.key, self.span, not self.window_text, self.blocked)
        found: Points | Missing = self.frame.memo.get(key, lambda: self._cut(points, node.text))
        return found

    def _cut(self, points: Points, text: str) -> Points | Missing:
        """The rows inside the window, or why they cannot speak for it (or there is no window)."""
        if self.blocked:
            return Missing(self.blocked)
        if self.span is None:
            return points
        low, high = self.span.rows(points.steps)
        why_not = self.too_narrow(points.steps, low, high) or self.unfit(
            points.steps, low, high, text
        )
        if why_not:
            return Missing(why_not)
        part = Points(points.steps[low:high], points.values[low:high], higher=points.higher)
        unknown = (len(part) - part.count) / len(part)
        if unknown > 1 - COVER:
            return Missing(f"{text} is NaN on {unknown:.0%} of the window")
        return part

    def _short(self, points: Points, function: Function, text: str) -> Missing | None:
        n = points.count
        if n >= function.least:
            return None
        return Missing(
            f"only {n} point{'s' * (n != 1)} of {text}, {function.name}() needs {function.least}"
        )

    def too_narrow(self, steps: Ints, low: int, high: int) -> str:
        """That the window lies between two logged points, as it were; empty where it does not.

        Parameters
        ----------
        steps : ndarray of int64, shape (n,), non-decreasing
        low, high : int
            First row inside the window, and one past the last.
        """
        span = self.span
        # Four rows inside the window outvote the gaps at its edges.
        if span is None or not self.window_text or span.last <= span.first or high - low >= 4:
            return ""
        # The interval around the window: logging may be dense here and sparse elsewhere.
        every = interval_of(steps[max(0, low - 1) : high + 1]) or interval_of(steps)
        width = span.last - span.first
        return (
            f"logged every {every:,.4g} {self.unit}, the window is {width:,.4g}"
            if width < every
            else ""
        )

    def unfit(self, steps: Ints, low: int, high: int, text: str) -> str:
        """Why the rows from `low` to `high` cannot speak for the window; empty where they can.

        Parameters
        ----------
        steps : ndarray of int64, shape (n,), non-decreasing
        low, high : int
            First row inside the window, and one past the last.
        text : str
            What they are the rows of.
        """
        span = self.span
        if span is None:
            return ""
        if high <= low:
            return f"{text} has no point between steps {span.first:,.0f} and {span.last:,.0f}"
        # A side is covered where rows go on beyond it; an outer row reaches half an interval
        # further.
        width = span.last - span.first
        left = span.first if low > 0 else max(span.first, steps[low])
        right = span.last if high < steps.size else min(span.last, steps[high - 1])
        if right - left >= COVER * width:
            return ""
        reach = interval_of(steps) / 2
        left, right = max(span.first, left - reach), min(span.last, right + reach)
        if right - left < COVER * width:
            return f"{text} was logged over only {(right - left) / width:.0%} of the window"
        return ""

    # ------------------------------------------------ tests

    def test(self, node: Node) -> Test:
        """Answer of a mask or a truth; a mask that lacks a whole signal is `Missing`."""
        key = ("test", node.key)
        if key not in self.seen:
            self.seen[key] = self._test(node)
        found: Test = self.seen[key]
        return found

    def _test(self, node: Node) -> Test:
        if node.op == "switch":
            return self._switch(node.name)
        if node.op == "not":
            return negated(self.test(node.args[0]))
        if node.op in ("and", "or"):
            return self._both(node, [self.test(a) for a in node.args])
        if node.op == "call":
            return self._asked(node)
        return self._compared(node)

    def _switch(self, name: str) -> Told:
        word = word_of(name, self.frame)
        if word is None or folded(word) not in ("true", "false", "1", "0"):
            return Told(None, reason=self.frame.absent.get(name) or f"{name} is not known")
        return Told(folded(word) in ("true", "1"))

    def _asked(self, node: Node) -> Test:
        frame, name = self.frame, node.args[0].name
        if node.name == "logged":
            series = frame.series.get(name)
            known = series is not None and bool(series.steps.size)
            return Told(known or frame.numbers.get(name) is not None or name in frame.words)
        if node.name == "is_text":
            if name not in frame.words and frame.numbers.get(name) is None:
                return Told(None, reason=frame.absent.get(name) or f"{name} is not known")
            return Told(isinstance(frame.numbers.get(name), str) or frame.numbers.get(name) is None)
        if node.name == "fired":
            truth = frame.flags.get(name)
            return Told(
                truth, reason="" if truth is not None else f"whether {name} holds is not known"
            )
        function = FUNCTIONS[node.name]
        if function.how == "reduce":
            found = self._call(node)
            if isinstance(found, Missing):
                return Told(None, reason=found.reason)
            return Told(bool(found))
        assert function.call is not None  # noqa: S101 - only `ask` has none
        value = self.value(node.args[0])
        if isinstance(value, Missing):
            return value if node.kind == "mask" else Told(None, reason=value.reason)
        if isinstance(value, float):
            return Told(bool(function.call(np.float64(value))))
        return Marks(
            value.steps, np.where(function.call(value.values), TRUE, FALSE).astype(np.int8)
        )

    def _compared(self, node: Node) -> Test:
        left, right = self.value(node.args[0]), self.value(node.args[1])
        if isinstance(left, Missing) or isinstance(right, Missing):
            reason = joined_reasons([v.reason for v in (left, right) if isinstance(v, Missing)])
            return Missing(reason) if node.kind == "mask" else Told(None, reason=reason)
        compare = COMPARE[node.op]
        if isinstance(left, float) and isinstance(right, float):
            threshold = left if node.args[0].op == "const" else right
            slack = slack_of_one(node.op, left, right, abs(threshold))
            return Told(bool(compare(left, right)), slack)
        joined = self._aligned([left, right], node)
        if isinstance(joined, Missing):
            return joined
        steps, (a, b) = joined
        with np.errstate(invalid="ignore"):
            codes = np.asarray(compare(a, b)).astype(np.int8) * np.int8(TRUE)
        unknown = np.isnan(a)
        if not isinstance(b, float) or math.isnan(b):
            unknown = unknown | np.isnan(b)
        if unknown.any():
            codes[unknown] = NAN
        if self.is_dating:
            return Marks(steps, codes)
        return Marks(steps, codes, slack_of(node.op, a, b, self._scale(node, left, right)))

    def _scale(self, node: Node, left: Points | float, right: Points | float) -> Floats | float:
        """What a distance from the threshold is measured in: the threshold's own size."""
        threshold = (
            left
            if isinstance(left, float) and (isinstance(right, Points) or node.args[0].op == "const")
            else right
        )
        if isinstance(threshold, float):
            return abs(threshold)
        joined = self._aligned([left, right], node)
        assert not isinstance(joined, Missing)  # noqa: S101 - it was joined a moment ago
        return np.asarray(np.abs(joined[1][1]), dtype=np.float64)

    def _both(self, node: Node, parts: list[Test]) -> Test:
        told = [p for p in parts if isinstance(p, Told)]
        if node.kind == "truth":
            truth = (all_of if node.op == "and" else any_of)(p.truth for p in told)
            slacks = [p.slack for p in told if p.slack is not None]
            tight = (
                (min if node.op == "and" else max)(slacks) if slacks and truth is not None else None
            )
            return Told(
                truth,
                tight,
                joined_reasons([p.reason for p in told if p.truth is None])
                if truth is None
                else "",
            )
        gone = joined_reasons([p.reason for p in parts if isinstance(p, Missing)])
        marks = [p for p in parts if isinstance(p, Marks)]
        if not marks:
            return Missing(gone)
        out = marks[0]
        for other in marks[1:]:
            met = meeting(out.steps, other.steps)
            steps, mine, theirs = met if met is not None else (out.steps, slice(None), slice(None))
            if not steps.size:
                return Missing(f"the signals of `{node.text}` have no steps in common")
            codes = joined_codes(node.op, out.codes[mine], other.codes[theirs])
            slack = tightest(node.op, out.slack, mine, other.slack, theirs)
            out = Marks(steps, codes, slack, joined_reasons([out.reason, other.reason]))
        if gone:
            codes = joined_codes(
                node.op, out.codes, np.full(out.codes.shape, MISSING, dtype=np.int8)
            )
            out = Marks(out.steps, codes, out.slack, joined_reasons([out.reason, gone]))
        return out
