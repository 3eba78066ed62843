"""The rule language: what it refuses, what it means, and that it claims nothing it cannot know."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from gandoctor.errors import RuleError
from gandoctor.lang.evaluate import Frame, Outcome, Series, decide, judge, number_of
from gandoctor.lang.functions import FUNCTIONS, Points, cells, quantile_of
from gandoctor.lang.functions.trends import _stretches
from gandoctor.lang.syntax import MAX_LENGTH, compile_test, compile_value, compile_when, scaled
from gandoctor.lang.tree import MAX_NODES, ExpressionError, Scope
from gandoctor.lang.window import parse_amount, parse_window

SIGNALS = ("d_loss", "g_loss", "fid", "grad_norm_d", "grad_norm_g", "acc", "lr_d")
NUMBERS = ("lr_d", "lr_g", "chance_d", "batch_size", "amp")
SCOPE = Scope(
    signals=frozenset(SIGNALS),
    numbers=frozenset(NUMBERS),
    words=frozenset({"optimizer", "output"}),
    flags=frozenset({"mode_collapse", "d_low"}),
    switches=frozenset({"amp"}),
)


def series(values, *, every=10, start=0, steps=None, higher=False):
    values = np.asarray(values, dtype=float)
    steps = start + every * np.arange(values.size) if steps is None else np.asarray(steps)
    return Series(steps, values, higher)


def frame(numbers=None, words=None, flags=None, **signals):
    own = {k: signals.pop(k) for k in list(signals) if k in Frame.__dataclass_fields__}
    return Frame({k: v if isinstance(v, Series) else series(v) for k, v in signals.items()},
                 numbers or {}, words or {}, flags or {}, **own)  # fmt: skip


def ask(test, over=None, for_=None, where=None, *, given_=None, onsets=None):
    expression = compile_test(test, SCOPE) if test else None
    return judge(
        expression, given_ or {}, parse_window(over), parse_amount(for_), where or frame(), onsets
    )


def refusal(make):
    """What a maker refuses in words, and what it makes."""
    try:
        return "", make()
    except RuleError as e:
        return str(e), None


# ---------------------------------------------------------------- over and for


@pytest.mark.parametrize(
    ("text", "kind", "amount", "unit", "of"),
    [
        (None, "all", 0, "%", ""),
        ("whole run", "all", 0, "%", ""),
        ("first 100 steps", "first", 100, "steps", ""),
        ("first 1 step", "first", 1, "steps", ""),
        ("last 50%", "last", 50, "%", ""),
        ("last 12.5 %", "last", 12.5, "%", ""),
        ("first 3 epochs", "first", 3, "epochs", ""),
        ("after 10_000 steps", "after_step", 10000, "steps", ""),
        ("after  20%", "after_step", 20, "%", ""),
        ("after best(g_loss)", "after_best", 0, "%", "g_loss"),
        ("after best(smooth(g_loss, 5))", "after_best", 0, "%", "smooth(g_loss, 5)"),
        ("after d_falls", "after_clause", 0, "%", "d_falls"),
    ],
)
def test_windows(text, kind, amount, unit, of):
    window = parse_window(text)
    assert (window.kind, window.amount, window.unit, window.of) == (kind, amount, unit, of)


@pytest.mark.parametrize(
    ("text", "kind", "amount", "unit"),
    [
        (None, "ever", 0, "steps"),
        ("ever", "ever", 0, "steps"),
        ("always", "always", 0, "steps"),
        ("80% of steps", "share", 0.8, "steps"),
        ("12.5 %", "share", 0.125, "steps"),
        ("100 steps in a row", "row", 100, "steps"),
        ("3 epochs in a row", "row", 3, "epochs"),
    ],
)
def test_amounts(text, kind, amount, unit):
    parsed = parse_amount(text)
    assert (parsed.kind, parsed.amount, parsed.unit) == (kind, pytest.approx(amount), unit)


@pytest.mark.parametrize(
    "text", ["", "last", "last 0%", "last 101%", "first -3 steps", "frist 100 steps", "first 100",
    "after best()",
             "between 1 and 2", "last 50% of rows", "first 1e3 steps", "first ٣ steps", "x" * 500,
             "first\n\n\n"],
)  # fmt: skip
def test_windows_that_are_none(text):
    with pytest.raises(RuleError) as e:
        parse_window(text)
    assert "first 100 steps" in str(e.value) or "at most 100%" in str(e.value)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sometimes",
        "0%",
        "101% of steps",
        "80",
        "80% of rows",
        "0 steps in a row",
        "evr",
        "5 in a row",
    ],
)
def test_amounts_that_are_none(text):
    with pytest.raises(RuleError):
        parse_amount(text)


def test_a_near_miss_is_named():
    with pytest.raises(RuleError, match="did you mean `first`"):
        parse_window("frist 100 steps")
    with pytest.raises(RuleError, match="did you mean `always`"):
        parse_amount("alway")


# ---------------------------------------------------------------- what is read, what is refused


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("d_loss < 0.1", "mask"),
        ("smooth(d_loss) < 0.1 and not isnan(g_loss)", "mask"),
        ("0.1 < d_loss <= 1", "mask"),
        ("grad_norm_d > 5 * grad_norm_g", "mask"),
        ("smooth(g_loss) > 1.1 * best(g_loss)", "mask"),
        ("d_loss > 2 * median(d_loss)", "mask"),
        ("trend(g_loss) > 0.5 and trend(d_loss) < -0.5 and change(g_loss) > 0.1", "truth"),
        ("lr_d > 3 * lr_g", "truth"),
        ("lr_d >= lr_g and not logged(fid)", "truth"),
        ("is_text(lr_d)", "truth"),
        ("constant(d_loss)", "truth"),
        ("fired(mode_collapse) or amp", "truth"),
        ("amp", "truth"),
        ("amp >= 1", "truth"),
        ("last(lr_d) < 1e-9", "truth"),
        ("maximum(d_loss, g_loss, 1) > 2 ** 3", "mask"),
        ("d_loss\n  < 0.1", "mask"),
    ],
)
def test_kinds(text, kind):
    assert compile_test(text, SCOPE).kind == kind


REFUSED = [
    ("mean(d_loss) < 1 and d_loss < 2", "make them two clauses", "d_loss < 2"),
    ("d_los < 0.1", "did you mean `d_loss`", "d_los"),
    ("smoth(d_loss) < 0.1", "did you mean `smooth`", "smoth"),
    ("fired(mode_colapse)", "did you mean `mode_collapse`", "mode_colapse"),
    ("trend(g_loss)", "a number, not a test", "trend(g_loss)"),
    ("d_loss", "a series, not a test", "d_loss"),
    ("d_loss and g_loss > 1", "joins tests", "d_loss"),
    ("not d_loss", "joins tests", "d_loss"),
    ("(d_loss > 1) + 1 > 2", "where a value is needed", "d_loss > 1"),
    ("trend(lr_g) > 1", "needs a series", "lr_g"),
    ("quantile(d_loss, g_loss) > 1", "needs a number", "g_loss"),
    ("smooth(d_loss, 0) > 1", "whole number", "0"),
    ("smooth(d_loss, 2.5) > 1", "whole number", "2.5"),
    ("smooth(d_loss, 5, 6) > 1", "takes 1 to 2 arguments", "smooth(d_loss, 5, 6)"),
    ("smooth() > 1", "arguments", "smooth()"),
    ("smooth(x=d_loss) > 1", "no names", "smooth(x=d_loss)"),
    ("smooth(*d_loss) > 1", "a star", "*d_loss"),
    ("optimizer == 3", "given", "optimizer"),
    ("mode_collapse", "write `fired(mode_collapse)`", "mode_collapse"),
    ("smooth > 1", "write `smooth(x[, n])`", "smooth"),
    ("logged(d_loss + 1)", "asks about a name", "d_loss + 1"),
    ("logged(nope)", "no signal, setting or fact", "nope"),
    ("is_text(d_loss)", "no number among the settings", "d_loss"),
    ("1 < 2", "two plain numbers", "1 < 2"),
    ("d_loss = 3", "compares with `==`", "="),
    ("d_loss < 0.1 &", "does not read", None),
    ("d_loss < 0.1 & g_loss < 1", "write `and`", None),
    ("d_loss % 2 > 1", "there are + - * / **", "d_loss % 2"),
    ("d_loss // 2 > 1", "there are + - * / **", "d_loss // 2"),
    ("~d_loss > 1", "write `not`", "~d_loss"),
    ("d_loss in (1, 2)", "", None),
    ("d_loss is 1", "mean nothing here", "d_loss is 1"),
    ("d_loss ** g_loss > 1", "plain number of at most 8", "g_loss"),
    ("d_loss ** 9 > 1", "plain number of at most 8", "9"),
    ("9**9**9 > d_loss", "plain number of at most 8", "9"),
    ("2**2**2 > d_loss", "plain number of at most 8", "2**2"),
    ("d_loss > 1e999", "too large", "1e999"),
    ("d_loss > " + "9" * 400, "too large", "9" * 400),
    ("'a' < d_loss", "given", "'a'"),
    ("d_loss > True", "no number", "True"),
    ("d_loss > None", "no number", "None"),
    ("d_loss > 1j", "no number", "1j"),
    ("d_loss > ...", "no number", "..."),
    ("d_loss.max() > 1", "only functions can be called", "d_loss.max"),
    ("d_loss.shape > 1", "a dot after a name", "d_loss.shape"),
    ("d_loss[0] > 1", "an index", "d_loss[0]"),
    ("(lambda: 1) > d_loss", "a lambda", "lambda: 1"),
    ("[d_loss for x in g_loss] > 1", "a loop", None),
    ("sum(x for x in d_loss) > 1", "no function is called `sum`", "sum"),
    ("{d_loss: 1} > 1", "a dict", "{d_loss: 1}"),
    ("(d_loss if amp else g_loss) > 1", "an if / else", None),
    ("(x := d_loss) > 1", "an assignment", "x := d_loss"),
    ("f'{d_loss}' > 1", "text", "f'{d_loss}'"),
    ("d_loss, g_loss", "a comma", None),
    ("__import__('os').system('true')", "only functions can be called", None),
    ("__import__('os')", "no function is called", "__import__"),
    ("__builtins__ > 1", "is called `__builtins__`", "__builtins__"),
    ("eval(d_loss) > 1", "no function is called", "eval"),
    ("open(d_loss) > 1", "no function is called", "open"),
    ("d_lоss < 0.1", "no plain character", None),  # the o is Cyrillic
    ("d_loss < 0.1\x00", "no plain character", None),
    ("import os", "does not read", None),
    ("d_loss < 0.1; g_loss < 1", "does not read", None),
    ("", "empty", None),
    ("   ", "empty", None),
]


@pytest.mark.parametrize(("text", "says", "under"), REFUSED)
def test_refused_with_the_caret_under_the_fault(text, says, under):
    with pytest.raises(ExpressionError) as e:
        compile_test(text, SCOPE)
    shown = str(e.value)
    assert says in shown
    line, carets = shown.split("\n")[1:]
    assert set(carets.strip()) == {"^"}
    if under is not None:
        assert line[carets.index("^") : carets.rindex("^") + 1] == under


@pytest.mark.parametrize("text", [None, 3, True, ["d_loss"], {"a": 1}, b"d_loss < 1"])
def test_a_test_is_text(text):
    with pytest.raises(ExpressionError, match="a test is text"):
        compile_test(text, SCOPE)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 150 + "d_loss" + ")" * 150 + " < 1",
        "(" * 240 + "d_loss" + ")" * 240 + " < 1",
        "not " * 120 + "d_loss < 1",
        "-" * 400 + "d_loss < 1",
        "abs(" * 100 + "d_loss" + ")" * 100 + " < 1",
        " and ".join(["d_loss<1"] * 49),
        "+".join(["1"] * 240) + " < d_loss",
        "d_loss < 1 " + "or d_loss < 1 " * 100,
        "d_loss < 1" + " " * 40 + "and d_loss < 1" * 2000,
        "<".join(["d_loss"] * 70),
        "**".join(["d_loss"] * 50) + " < 1",
        "[" * 400,
        "{" * 490,
        "(" * MAX_LENGTH,
    ],
)
def test_depth_and_size_are_bounded(text):
    started = time.process_time()
    refused, expression = refusal(lambda: compile_test(text, SCOPE))
    assert len(refused) < 3 * MAX_LENGTH
    if expression is not None:
        assert sum(1 for _ in expression.tree.walk()) <= 2 * MAX_NODES
        judge(expression, {}, parse_window(None), parse_amount("always"), frame(d_loss=[1, 2, 3]))
    assert time.process_time() - started < 0.5


def test_powers_and_large_numbers_stay_numbers():
    where = frame(d_loss=[1e300] * 20)
    out = ask("((d_loss ** 8) ** 8) ** 8 > 1", for_="always", where=where)
    assert out.truth is True
    assert (
        ask("1e308 * 10 * d_loss - 1e308 * 10 * d_loss > 0", for_="always", where=where).truth
        is None
    )


_PIECES = st.sampled_from(
    [*SIGNALS, *NUMBERS, *FUNCTIONS, "(", ")", ",", "<", ">", "<=", "==", "+", "-", "*", "/", "**",
        "and", "or", "not",
     "0.1", "1", "1e9", "then", "if", "else", "lambda", ":", "[", "]", ".", "'", '"', "{", "}", "@",
     ":=", "\n", "\t",
     "__class__", "for", "in", "is", "yield", "await", "0x", "1_0", "f'", "\\", "#", "%", ";"]
)  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(
    st.one_of(
        st.lists(_PIECES, max_size=25).map(" ".join),
        st.lists(_PIECES, max_size=25).map("".join),
        st.text(max_size=60),
    )
)
@example("\ud800")
@example("d_loss < \\")
@example("'''")
def test_no_text_ends_in_anything_but_an_expression_or_a_rule_error(text):
    for read in (lambda: compile_test(text, SCOPE), lambda: compile_when(text, ["a", "d_loss"])):
        refused, expression = refusal(read)
        assert (expression is None) == bool(refused)
        assert "Traceback" not in refused
    for parse in (parse_window, parse_amount):
        refused, parsed = refusal(lambda parse=parse: parse(text))
        assert (parsed is None) == bool(refused)


_NUMBER = st.deferred(
    lambda: st.one_of(
        st.sampled_from(
            [
                "lr_d",
                "lr_g",
                "chance_d",
                "0.5",
                "2",
                "median(d_loss)",
                "trend(g_loss)",
                "early(fid)",
            ]
        ),
        st.tuples(_NUMBER, st.sampled_from("+-*/"), _NUMBER).map(lambda t: f"({' '.join(t)})"),
    )
)
_SERIES = st.deferred(
    lambda: st.one_of(
        st.sampled_from(SIGNALS[:6]),
        st.tuples(
            st.sampled_from(["smooth", "best", "delta", "abs", "log", "jump", "swing", "sqrt"]),
            _SERIES,
        ).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(_SERIES, st.sampled_from("+-*/"), st.one_of(_SERIES, _NUMBER)).map(
            lambda t: f"({' '.join(t)})"
        ),
    )
)


@st.composite
def _any_series(draw):
    n = draw(st.integers(0, 40))
    odd = st.sampled_from([0.0, -0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 1e-300, 1e300, 0.1])
    values = draw(st.lists(st.one_of(odd, st.floats(-10, 10)), min_size=n, max_size=n))
    steps = sorted(draw(st.lists(st.integers(-5, 60), min_size=n, max_size=n)))
    return Series(
        np.array(steps, dtype=np.int64), np.array(values, dtype=float), draw(st.booleans())
    )


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(
        st.tuples(_SERIES, st.sampled_from(["<", ">=", "=="]), st.one_of(_SERIES, _NUMBER)).map(
            " ".join
        ),
        st.tuples(
            _NUMBER, st.sampled_from(["<", ">="]), st.sampled_from(["median(g_loss)", "lr_d"])
        ).map(" ".join),
    ),
    st.dictionaries(st.sampled_from(SIGNALS[:6]), _any_series(), max_size=4),
    st.sampled_from(
        [
            None,
            "first 5 steps",
            "last 30%",
            "after best(d_loss)",
            "after best(smooth(g_loss))",
            "last 2 epochs",
        ]
    ),
    st.sampled_from(["ever", "always", "50% of steps", "7 steps in a row"]),
)
def test_any_test_of_any_run_gives_an_outcome(text, signals, over, for_):
    try:
        expression = compile_test(text, SCOPE)
    except RuleError:
        return  # too deep, or two plain numbers
    where = Frame(signals, {"lr_d": 0.1, "lr_g": "1e-4", "chance_d": None})
    out = judge(expression, {}, parse_window(over), parse_amount(for_), where)
    assert out.truth in (True, False, None)
    assert (out.reason != "") == (out.truth is None) or out.truth is False
    assert out.margin is None or (out.margin >= 0 and math.isfinite(out.margin))
    assert out.share is None or 0 <= out.share <= 1 + 1e-9
    assert all(isinstance(v, float) for v in out.values.values())
    if out.truth and out.window and out.onset is not None and over in (None, "first 5 steps"):
        assert out.window[0] <= out.onset <= out.window[1]


# ---------------------------------------------------------------- when


TRUTHS = (True, False, None)


def outcome(truth, onset=None):
    return Outcome(truth, onset=onset)


def test_kleene_tables():
    both, either, no = (compile_when(t, ["a", "b"]) for t in ("a and b", "a or b", "not a"))
    for a, b in itertools.product(TRUTHS, TRUTHS):
        out = {"a": outcome(a), "b": outcome(b)}
        assert decide(both, out)[0] is (
            False if False in (a, b) else None if None in (a, b) else True
        )
        assert decide(either, out)[0] is (
            True if True in (a, b) else None if None in (a, b) else False
        )
        assert decide(no, out)[0] is (None if a is None else not a)


_WHEN = st.recursive(
    st.sampled_from(["a", "b", "c"]),
    lambda inner: st.one_of(
        inner.map(lambda x: f"not ({x})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda t: f"({t[0]}) {t[1]} ({t[2]})"
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(_WHEN, st.tuples(*[st.sampled_from(TRUTHS)] * 3))
def test_unknown_stays_unknown_only_while_it_matters(text, truths):
    """Kleene's law of information.

    What is decided with an unknown stays so whatever the unknown turns out to be.
    """
    when = compile_when(text, ["a", "b", "c"])
    found, _ = decide(when, dict(zip("abc", map(outcome, truths), strict=True)))
    filled = [[t] if t is not None else [True, False] for t in truths]
    all_ways = {
        decide(when, dict(zip("abc", map(outcome, way), strict=True)))[0]
        for way in itertools.product(*filled)
    }
    assert found is None or all_ways == {found}
    if None not in truths:
        assert found is not None


@settings(max_examples=100, deadline=None)
@given(_WHEN, _WHEN, st.tuples(*[st.sampled_from(TRUTHS)] * 3))
def test_de_morgan(x, y, truths):
    names = ["a", "b", "c"]
    out = dict(zip(names, map(outcome, truths), strict=True))
    left = decide(compile_when(f"not (({x}) and ({y}))", names), out)[0]
    right = decide(compile_when(f"not ({x}) or not ({y})", names), out)[0]
    assert left is right


@pytest.mark.parametrize(
    ("a", "b", "truth", "onset"),
    [
        (outcome(True, 10), outcome(True, 20), True, 20),
        (outcome(True, 20), outcome(True, 10), False, None),
        (outcome(True, 10), outcome(True, 10), None, None),
        (outcome(True), outcome(True, 10), None, None),
        (outcome(False), outcome(None), False, None),
        (outcome(True, 10), outcome(None), None, None),
    ],
)
def test_then_is_the_order_of_onsets(a, b, truth, onset):
    assert decide(compile_when("a then b", ["a", "b"]), {"a": a, "b": b}) == (truth, onset)


def test_then_binds_tighter_than_not_and_or():
    out = {"a": outcome(True, 5), "b": outcome(True, 3), "c": outcome(False)}
    assert decide(compile_when("not a then b", ["a", "b", "c"]), out)[0] is True
    assert decide(compile_when("c or b then a", ["a", "b", "c"]), out) == (True, 5)
    assert decide(compile_when("b then a and c", ["a", "b", "c"]), out)[0] is False


def test_onset_of_the_whole():
    out = {"a": outcome(True, 5), "b": outcome(True, 30), "c": outcome(False, 1)}
    assert decide(compile_when("a and b", out), out) == (True, 30)
    assert decide(compile_when("a or b or c", out), out) == (True, 5)
    assert decide(compile_when("a and not c", out), out) == (True, 5)
    assert decide(compile_when("c", out), out) == (False, None)


@pytest.mark.parametrize(
    "text", ["a + b", "a < 1", "f(a)", "1", "a @ b", "nope", "a b", "a then", "then", ""]
)
def test_when_joins_clauses_and_no_more(text):
    with pytest.raises(ExpressionError):
        compile_when(text, ["a", "b"])


def test_when_names_the_nearest_clause():
    with pytest.raises(ExpressionError, match="did you mean `stays_down`"):
        compile_when("collapsed and stay_down", ["collapsed", "stays_down"])


def test_a_clause_that_is_not_there_is_unknown():
    assert decide(compile_when("a or b", ["a", "b"]), {"a": outcome(False)}) == (None, None)


# ---------------------------------------------------------------- absence


def test_what_was_not_logged_is_unknown_with_its_name():
    out = ask("grad_norm_d > 5 * grad_norm_g", for_="ever", where=frame(grad_norm_g=[1.0] * 20))
    assert out.truth is None
    assert out.reason == "grad_norm_d was not logged"


def test_the_frame_may_know_better_why():
    out = ask(
        "d_loss < 1",
        for_="ever",
        where=frame(absent={"d_loss": "d_loss is in the log, but holds text"}),
    )
    assert out.reason == "d_loss is in the log, but holds text"


def test_an_empty_series_was_not_logged():
    where = frame(d_loss=series([]), g_loss=[1.0] * 5)
    assert ask("d_loss < 1", for_="ever", where=where).reason == "d_loss was not logged"
    assert ask("logged(d_loss)", where=where).truth is False


def test_logged_is_the_one_function_that_answers_about_absence():
    where = frame({"lr_d": 1e-4, "lr_g": None}, {"optimizer": "adam"}, d_loss=[1.0] * 5)
    answers = {
        n: ask(f"logged({n})", where=where).truth
        for n in ("d_loss", "fid", "lr_d", "lr_g", "optimizer")
    }
    assert answers == {"d_loss": True, "fid": False, "lr_d": True, "lr_g": False, "optimizer": True}
    assert ask("not logged(fid) or trend(fid) < 0", where=where).truth is True


@pytest.mark.parametrize("function", sorted(n for n, f in FUNCTIONS.items() if f.how != "ask"))
def test_every_function_of_what_is_missing_is_unknown(function):
    f = FUNCTIONS[function]
    kinds = {"series": "d_loss", "number": "0.5", "count": "3", "series or number": "d_loss"}
    args = [kinds[k] for k in f.takes[: len(f.takes) - f.optional]] * max(
        1, f.many // len(f.takes) if f.many else 1
    )
    call = f"{function}({', '.join(args)})"
    text = call if f.gives in ("truth", "test") else f"{call} > 0"
    expression = compile_test(text, SCOPE)
    out = judge(
        expression, {}, parse_window(None), parse_amount("always"), frame(g_loss=[1.0] * 50)
    )
    assert out.truth is None
    assert out.reason == "d_loss was not logged"


@pytest.mark.parametrize(
    "function", sorted(n for n, f in FUNCTIONS.items() if f.least > 1 and f.takes[0] == "series")
)
def test_every_function_says_how_many_points_it_needs(function):
    f = FUNCTIONS[function]
    second = {"correlation": ", g_loss"}.get(function, "")
    call = f"{function}(d_loss{second})"
    text = call if f.gives == "truth" else f"{call} > 0"
    values = np.random.default_rng(0).normal(size=f.least - 1)
    out = judge(
        compile_test(text, SCOPE),
        {},
        parse_window(None),
        parse_amount("ever"),
        frame(d_loss=values, g_loss=values),
    )
    assert out.truth is None
    assert out.reason.startswith(f"only {f.least - 1} point")
    assert f"{function}() needs {f.least}" in out.reason


def test_trend_needs_twelve_points():
    assert FUNCTIONS["trend"].least == 12
    assert ask("trend(g_loss) > 0.5", where=frame(g_loss=range(12))).truth is True
    assert (
        ask("trend(g_loss) > 0.5", where=frame(g_loss=range(7))).reason
        == "only 7 points of g_loss, trend() needs 12"
    )


def test_every_function_has_a_doc_a_unit_and_a_usage():
    for name, f in FUNCTIONS.items():
        assert f.doc.endswith((".", ":")) or "." in f.doc, name
        assert f.unit, name
        assert f.usage.startswith(f"{name}("), name


# ---------------------------------------------------------------- words, numbers, flags


def test_given_words():
    where = frame({"batch_size": 1.0}, {"optimizer": "Adam-W", "output": "tanh"})
    assert ask(None, where=where, given_={"optimizer": ("adamw", "sgd")}).truth is True
    assert ask(None, where=where, given_={"optimizer": ("sgd",)}).truth is False
    assert ask(None, where=where, given_={"nope": ("sgd",)}).truth is None
    assert ask(None, where=where, given_={"nope": ("sgd",), "output": ("sigmoid",)}).truth is False
    assert ask(None, where=where, given_={"batch_size": ("1",)}).truth is True


def test_given_and_where_are_joined():
    where = frame(words={"optimizer": "adam"}, d_loss=[0.01] * 20)
    assert (
        ask("d_loss < 0.1", for_="always", where=where, given_={"optimizer": ("adam",)}).truth
        is True
    )
    assert (
        ask("d_loss < 0.1", for_="always", where=where, given_={"optimizer": ("sgd",)}).truth
        is False
    )
    unknown = ask("d_loss < 0.1", for_="always", where=where, given_={"output": ("tanh",)})
    assert (unknown.truth, unknown.reason, unknown.onset) == (None, "output is not known", None)
    assert (
        ask("d_loss > 0.1", for_="always", where=where, given_={"output": ("tanh",)}).truth is False
    )


def test_a_number_that_is_text_is_unknown_but_for_is_text():
    where = frame({"lr_d": "5e-5", "lr_g": 1e-4})
    assert ask("is_text(lr_d)", where=where).truth is True
    assert ask("is_text(lr_g)", where=where).truth is False
    assert ask("is_text(batch_size)", where=where).truth is None
    out = ask("lr_d > 3 * lr_g", where=where)
    assert out.truth is None
    assert "'5e-5'" in out.reason
    also_as_a_word = frame(words={"lr_d": "5e-5"})
    assert ask("is_text(lr_d)", where=also_as_a_word).truth is True
    assert ask("lr_d > 1", where=also_as_a_word).truth is None


def test_a_name_that_is_signal_and_number():
    where = frame({"lr_d": 3e-4}, lr_d=[1e-4, 1e-5, 1e-6, 1e-12])
    assert ask("lr_d > 1e-4", where=where).truth is True
    assert ask("last(lr_d) < 1e-9", where=where).truth is True
    only_logged = frame(lr_d=[2e-4] * 9 + [1e-9])
    assert ask("lr_d == 2e-4", where=only_logged).truth is True
    assert ask("lr_d > 1", where=frame(d_loss=[1.0])).reason == "lr_d is not known"


def test_flags_and_switches():
    where = frame({"amp": 1.0}, flags={"mode_collapse": True, "d_low": None})
    assert ask("fired(mode_collapse)", where=where).truth is True
    assert ask("fired(d_low)", where=where).truth is None
    assert ask("amp and amp >= 1", where=where).truth is True
    assert ask("not amp", where=frame(words={"amp": "false"})).truth is True
    assert ask("amp", where=frame()).truth is None


def test_numbers_without_a_value():
    assert ask("lr_d / lr_g > 1", where=frame({"lr_d": 1.0, "lr_g": 0.0})).truth is None
    assert ask("lr_d > 1", where=frame({"lr_d": math.nan})).truth is None
    assert ask("log(lr_d) < 0 or lr_g > 1", where=frame({"lr_d": 0.0, "lr_g": 2.0})).truth is True


def test_a_test_of_settings_has_no_window():
    out = ask("lr_d > 3 * lr_g", where=frame({"lr_d": 1e-3, "lr_g": 1e-4}, d_loss=[1.0] * 9))
    assert (out.truth, out.window, out.onset, out.intervals, out.names) == (
        True,
        None,
        None,
        (),
        (),
    )
    assert out.values == pytest.approx({"lr_d": 1e-3, "3 * lr_g": 3e-4, "lr_g": 1e-4})
    assert out.margin == pytest.approx(7 / 3)


# ---------------------------------------------------------------- windows


RISING = np.arange(0, 101, dtype=float)  # at steps 0, 10, ... 1000: value = step / 10


@pytest.mark.parametrize(
    ("over", "first", "last"),
    [
        (None, 0, 1000),
        ("first 100 steps", 0, 100),
        ("last 100 steps", 900, 1000),
        ("first 25%", 0, 250),
        ("last 50%", 500, 1000),
        ("after 300 steps", 300, 1000),
        ("after 30%", 300, 1000),
        ("first 5000 steps", 0, 1000),
    ],
)
def test_where_windows_lie(over, first, last):
    out = ask("d_loss >= 0", over, "always", frame(d_loss=RISING))
    assert (out.truth, out.window, out.share) == (True, (first, last), 1.0)
    assert out.intervals == ((first, last),)


def test_first_steps_count_from_the_runs_own_first_step():
    where = frame(d_loss=series([0.05] * 10 + [1.0] * 90, start=5000))
    assert ask("d_loss < 0.1", "first 50 steps", "always", where).truth is True
    assert ask("d_loss < 0.1", "after 50 steps", "always", where).window == (5050, 5990)


def test_a_resumed_run_does_not_hold_its_first_steps():
    where = frame(d_loss=series([0.05] * 100, start=5000), resumed=True)
    for over in ("first 50 steps", "first 2 epochs"):
        out = ask("d_loss < 0.1", over, "ever", where)
        assert out.truth is None
        assert "mid-training" in out.reason
    assert ask("d_loss < 0.1", "last 50%", "ever", where).truth is True
    assert ask("d_loss > 2 * early(d_loss)", None, "ever", where).truth is None
    assert ask("d_loss < 0.1", "after 5500 steps", "always", where).window == (5500, 5990)


def test_a_window_narrower_than_the_logging_interval_is_unknown():
    where = frame(d_loss=series([0.05] * 20, every=500))
    for for_ in ("ever", "always", "80% of steps"):
        out = ask("d_loss < 0.1", "first 100 steps", for_, where)
        assert (out.truth, out.reason) == (None, "logged every 500 steps, the window is 100")
    assert ask("median(d_loss) < 0.1", "first 100 steps", where=where).truth is None
    assert ask("d_loss < 0.1", "first 500 steps", "ever", where).truth is True


def test_dense_logging_where_the_window_is_counts():
    steps = np.concatenate((np.arange(0, 100, 10), np.arange(100, 50_000, 1000)))
    where = frame(d_loss=series(np.where(steps < 100, 0.05, 1.0), steps=steps))
    assert ask("d_loss < 0.1", "first 80 steps", "always", where).truth is True


def test_a_log_of_epochs_has_no_first_hundred_steps():
    where = frame(d_loss=series([0.05] * 30, every=1), step_unit="epochs")
    out = ask("d_loss < 0.1", "first 100 steps", "ever", where)
    assert (out.truth, out.reason) == (None, "the log counts epochs, not steps")
    assert ask("d_loss < 0.1", "first 10 epochs", "always", where).window == (0, 10)
    told = frame(d_loss=series([0.05] * 30, every=1), step_unit="epochs", steps_per_epoch=500)
    assert (
        ask("d_loss < 0.1", "first 100 steps", "ever", told).reason
        == "logged every 1 epochs, the window is 0.2"
    )
    assert ask("d_loss < 0.1", "after 5000 steps", "always", told).window == (10, 29)


def test_epochs_of_a_log_of_steps():
    values = [0.05] * 100
    assert ask("d_loss < 0.1", "first 2 epochs", "ever", frame(d_loss=values)).truth is None
    told = frame(d_loss=values, steps_per_epoch=100)
    assert ask("d_loss < 0.1", "first 2 epochs", "always", told).window == (0, 200)
    images = frame(d_loss=values, step_unit="kimg")
    assert "thousands of images" in ask("d_loss < 0.1", "first 100 steps", "ever", images).reason
    assert ask("d_loss < 0.1", "first 10%", "ever", images).truth is True


def test_what_needs_no_window_may_settle_it():
    epochs = frame(d_loss=series([1.0] * 30, every=1), step_unit="epochs")
    assert (
        ask("not logged(fid) or trend(d_loss) > 0", "first 100 steps", None, epochs).truth is True
    )
    assert ask("logged(fid) and trend(d_loss) > 0", "first 100 steps", None, epochs).truth is False
    assert ask("not logged(fid) or trend(fid) > 0", "after best(fid)", None, epochs).truth is True
    out = ask("logged(d_loss) and trend(d_loss) > 0", "first 100 steps", None, epochs)
    assert (out.truth, out.reason) == (None, "the log counts epochs, not steps")


def test_a_run_that_ends_before_the_window():
    out = ask("d_loss < 0.1", "after 10000 steps", "ever", frame(d_loss=[0.05] * 10))
    assert out.truth is None
    assert "ends at step 90" in out.reason


def test_a_signal_that_stops_early_cannot_speak_for_the_end():
    where = frame(d_loss=[1.0] * 100, fid=[50.0] * 30)
    for test, for_ in (
        ("fid > 1", "always"),
        ("fid > 1", "80% of steps"),
        ("median(fid) > 1", None),
    ):
        assert "no point between" in ask(test, "last 50%", for_, where).reason
        assert "logged over only" in ask(test, None, for_, where).reason
    assert ask("fid > 1", None, "ever", where).truth is True
    assert ask("fid > 60", None, "ever", where).truth is None
    assert ask("fid > 60", None, "always", where).truth is False


def test_after_best():
    values = [5, 4, 3, 2, 1, 2, 3, 4, 5, 6]
    out = ask("g_loss > best(g_loss)", "after best(g_loss)", "always", frame(g_loss=values))
    assert (out.truth, out.window, out.onset) == (True, (40, 90), 50)
    higher = frame(acc=series([1, 2, 3, 2, 1, 0], higher=True))
    assert ask("acc < best(acc)", "after best(acc)", "always", higher).onset == 30
    assert ask("fid > 1", "after best(fid)", "always", frame()).reason == "fid was not logged"


def test_what_was_best_at_its_very_end_is_not_worse_since():
    out = ask("g_loss > 0", "after best(g_loss)", "ever", frame(g_loss=[5, 4, 3, 2, 1]))
    assert (out.truth, out.onset) == (False, None)
    assert "very end" in out.reason
    assert (
        ask("g_loss > 0", "after best(g_loss)", "ever", frame(g_loss=[math.nan] * 9)).truth is None
    )


def test_after_a_clause():
    where = frame(d_loss=[1.0] * 10 + [0.1] * 10, g_loss=[1.0] * 15 + [9.0] * 5)
    falls = ask("d_loss < 0.5", None, "ever", where)
    assert falls.onset == 100
    rises = ask("g_loss > 5", "after falls", "50% of steps", where, onsets={"falls": falls})
    assert (rises.window, rises.onset) == ((100, 190), 150)
    assert ask("g_loss > 5", "after falls", "ever", where, onsets={"falls": 150}).window == (
        150,
        190,
    )
    for never in (Outcome(False), None):
        assert (
            ask("g_loss > 5", "after falls", "ever", where, onsets={"falls": never}).truth is False
        )
    unknown = ask(
        "g_loss > 5",
        "after falls",
        "ever",
        where,
        onsets={"falls": Outcome(None, reason="so it is")},
    )
    assert (unknown.truth, unknown.reason) == (None, "so it is")


# ---------------------------------------------------------------- amounts: steps, not rows


def test_per_cent_counts_steps_not_rows():
    # 90 rows in the first tenth of the run, 9 in the rest.
    steps = np.concatenate((np.arange(0, 90), np.arange(100, 1000, 100)))
    early = frame(d_loss=series(np.where(steps < 95, 0.0, 1.0), steps=steps))
    out = ask("d_loss < 0.5", None, "50% of steps", early)
    assert out.truth is False
    assert out.share == pytest.approx(95 / 900, abs=0.02)
    assert ask("median(d_loss) > 0.5", where=early).truth is True
    assert ask("mean(d_loss) > 0.85", where=early).truth is True


@settings(max_examples=60, deadline=None)
@given(st.floats(0.1, 0.9), st.floats(0.1, 0.9), st.integers(2, 12), st.integers(0, 10_000))
def test_thinning_changes_no_judgement(change, asked, keep, seed):
    """Rows left out at random.

    The share stays, and the judgement with it unless it hangs by a thread.
    """
    n = 2000
    rng = np.random.default_rng(seed)
    steps = np.arange(n)
    values = np.where(steps < change * n, 1.0, 0.0)
    kept = np.sort(rng.choice(n, n // keep, replace=False))
    whole, thin = (
        frame(d_loss=series(values, steps=steps)),
        frame(d_loss=series(values[kept], steps=steps[kept])),
    )
    thin = Frame(thin.series, first_step=0, last_step=n - 1)
    a, b = (ask("d_loss < 0.5", None, f"{100 * asked:.1f}% of steps", w) for w in (whole, thin))
    assert a.share == pytest.approx(b.share, abs=0.05)
    if abs(1 - change - asked) > 0.06:
        assert a.truth is b.truth is (1 - change > asked)
        if a.truth:
            assert a.onset == pytest.approx(b.onset, abs=0.05 * n)
            assert a.onset == pytest.approx(change * n, abs=2)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 1000), st.integers(-5000, 5000), st.integers(0, 1000))
def test_stretching_the_step_axis_changes_no_judgement(stretch, shift, seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=200).cumsum()
    plain, moved = (
        frame(g_loss=series(values, steps=s))
        for s in (np.arange(200), shift + stretch * np.arange(200))
    )
    for test, over, for_ in [
        ("g_loss > 0", "last 40%", "50% of steps"),
        ("smooth(g_loss) > best(g_loss) + 1", "after best(g_loss)", "80% of steps"),
        ("trend(g_loss) > 0.3", "last 50%", None),
        ("change(g_loss) > 0.1", None, None),
        ("since_best(g_loss) > 0.5", None, None),
        ("g_loss > early(g_loss)", "first 50%", "always"),
    ]:
        a, b = ask(test, over, for_, plain), ask(test, over, for_, moved)
        assert a.truth is b.truth
        assert (a.onset is None) == (b.onset is None)
        if a.onset is not None:
            assert b.onset == shift + stretch * a.onset


def test_the_amounts():
    where = frame(d_loss=[1] * 60 + [0] * 41)
    assert ask("d_loss < 0.5", None, "ever", where).truth is True
    assert ask("d_loss < 0.5", None, "always", where).truth is False
    assert ask("d_loss < 0.5", None, "40% of steps", where).truth is True
    assert ask("d_loss < 0.5", None, "42% of steps", where).truth is False
    assert ask("d_loss < 0.5", None, "400 steps in a row", where).truth is True
    assert ask("d_loss < 0.5", None, "420 steps in a row", where).truth is False
    assert ask("d_loss < 0.5", "last 30%", "always", where).truth is True


def test_in_a_row():
    flicker = frame(d_loss=[0, 1] * 50)
    assert ask("d_loss < 0.5", None, "20 steps in a row", flicker).truth is False
    streak = [1] * 30 + [0] * 12 + [1] * 20 + [0] * 30
    out = ask("d_loss < 0.5", None, "100 steps in a row", frame(d_loss=streak))
    assert (out.truth, out.onset) == (True, 300)
    out = ask("d_loss < 0.5", None, "150 steps in a row", frame(d_loss=streak))
    assert (out.truth, out.onset) == (True, 620)
    broken = [0.0 if i % 5 else math.nan for i in range(100)]
    assert ask("d_loss < 0.5", None, "30 steps in a row", frame(d_loss=broken)).truth is True
    assert ask("d_loss < 0.5", None, "100 steps in a row", frame(d_loss=broken)).truth is None
    out = ask("d_loss < 0.5", None, "5 steps in a row", flicker)
    assert (out.truth, out.reason) == (
        None,
        "logged every 10 steps, which cannot tell 5 steps in a row",
    )
    out = ask("d_loss < 0.5", "last 5%", "100 steps in a row", flicker)
    assert (out.truth, out.reason) == (None, "the window is shorter than 100 steps in a row")
    epochs = frame(d_loss=series([0] * 20, every=1), step_unit="epochs")
    assert ask("d_loss < 0.5", None, "10 epochs in a row", epochs).truth is True
    assert ask("d_loss < 0.5", None, "10 steps in a row", epochs).truth is None


def test_rows_that_share_a_step():
    """Every batch logged under its epoch.

    No row counts more than another, and an epoch counts once.
    """
    steps = np.repeat(np.arange(10), 50)
    where = frame(d_loss=series(np.where(steps < 5, 0.0, 1.0), steps=steps))
    assert ask("d_loss < 0.5", None, "50% of steps", where).share == pytest.approx(0.5)
    one = frame(d_loss=series([0, 0, 0, 1], steps=[7, 7, 7, 7]))
    assert ask("d_loss < 0.5", None, "70% of steps", one).share == pytest.approx(0.75)


def test_a_run_of_one_row():
    where = frame(d_loss=series([0.05], steps=[3]))
    assert ask("d_loss < 0.1", None, "always", where).truth is True
    assert ask("d_loss < 0.1", "last 50%", "80% of steps", where).truth is True
    assert ask("median(d_loss) < 0.1", "last 50%", where=where).truth is True


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 200), min_size=2, max_size=40), st.integers(0, 100), st.integers(1, 150)
)
def test_cells_tile_the_steps(steps, first, width):
    steps = np.sort(np.array(steps))
    weights = cells(steps)
    assert (weights >= 0).all()
    if steps[0] < steps[-1]:
        distinct = np.unique(steps)
        outer = (distinct[1] - distinct[0] + distinct[-1] - distinct[-2]) / 2
        assert weights.sum() == pytest.approx(steps[-1] - steps[0] + outer)
        assert cells(steps, first, first + width).sum() <= width + 1e-6


# ---------------------------------------------------------------- NaN and infinities


def test_nan_in_a_comparison_is_unknown_for_that_row():
    some = [math.nan if i % 3 == 0 else 0.05 for i in range(90)]
    out = ask("d_loss < 0.1", None, "always", frame(d_loss=some))
    assert (out.truth, out.share) == (True, 1.0)
    most = [0.05 if i % 3 == 0 else math.nan for i in range(90)]
    for for_ in ("always", "80% of steps"):
        out = ask("d_loss < 0.1", None, for_, frame(d_loss=most))
        assert out.truth is None
        assert "(NaN) on 67% of the window" in out.reason
    assert ask("d_loss < 0.1", None, "ever", frame(d_loss=most)).truth is True
    assert ask("d_loss > 0.1", None, "always", frame(d_loss=most)).truth is False
    assert ask("d_loss > 0.1", None, "ever", frame(d_loss=most)).truth is None
    assert ask("d_loss > 0.1", None, "80% of steps", frame(d_loss=most)).truth is None


def test_all_nan_is_unknown_and_never_false():
    where = frame(d_loss=[math.nan] * 50)
    for for_ in ("ever", "always", "10% of steps", "20 steps in a row"):
        for test in ("d_loss < 0.1", "not d_loss < 0.1", "d_loss < 0.1 or d_loss > 5"):
            assert ask(test, "last 50%", for_, where).truth is None
    assert "NaN on 100%" in ask("median(d_loss) < 1", where=where).reason


def test_isnan_decides_about_nan():
    where = frame(d_loss=[1.0] * 40 + [math.nan] * 10, g_loss=[1.0] * 45 + [math.inf] * 5)
    out = ask("isnan(d_loss) or isinf(d_loss)", None, "ever", where)
    assert (out.truth, out.onset, out.intervals) == (True, 400, ((400, 490),))
    assert ask("isinf(g_loss)", None, "ever", where).onset == 450
    assert ask("isfinite(d_loss) and isfinite(g_loss)", "first 50%", "always", where).truth is True
    assert ask("isnan(d_loss)", None, "ever", frame(d_loss=[1.0] * 9)).truth is False


def test_a_missing_half_of_and_is_decided_where_the_other_half_is():
    where = frame(d_loss=[1.0] * 50)
    assert ask("d_loss < 0.1 and fid > 10", None, "ever", where).truth is False
    assert ask("d_loss > 0.1 and fid > 10", None, "ever", where).reason == "fid was not logged"
    assert ask("d_loss > 0.1 or fid > 10", None, "always", where).truth is True
    assert ask("d_loss < 0.1 or fid > 10", None, "ever", where).truth is None
    assert ask("not (d_loss > 0.1 and fid > 10)", None, "ever", where).truth is None
    some = frame(d_loss=[1.0] * 30 + [0.0] * 70)
    # At most 30 % could hold: enough for one amount, not for the other.
    assert ask("d_loss > 0.1 and fid > 10", None, "50% of steps", some).truth is False
    assert ask("d_loss > 0.1 and fid > 10", None, "20% of steps", some).truth is None


def test_infinities_are_values():
    where = frame(d_loss=[1.0] * 20 + [math.inf] * 20)
    assert ask("d_loss > 100", "last 40%", "always", where).truth is True
    assert ask("max(d_loss) > 100", where=where).truth is True
    assert ask("mean(d_loss) > 100", where=where).truth is True
    assert ask("median(d_loss) > 100", "last 40%", where=where).truth is True
    assert ask("d_loss - d_loss == 0", "last 40%", "always", where).truth is None


# ---------------------------------------------------------------- alignment


def test_the_slower_series_leads_and_takes_the_others_last_value():
    where = frame(d_loss=series(np.arange(101.0), every=1), fid=series([10.0, 10, 10], every=50))
    out = ask("d_loss > fid", None, "60% of steps", where)
    assert out.truth is True
    assert out.intervals == ((50, 100),)
    assert ask("fid < d_loss", None, "60% of steps", where).share == out.share


def test_rows_that_never_coincide_are_joined_as_of():
    where = frame(d_loss=series([1.0] * 20, every=10), g_loss=series([2.0] * 20, every=10, start=5))
    assert ask("g_loss > d_loss", None, "always", where).truth is True
    assert ask("d_loss < g_loss", None, "always", where).truth is True


def test_nothing_is_joined_over_more_than_one_interval():
    where = frame(
        d_loss=series([1.0] * 20, every=10), g_loss=series([2.0] * 20, every=10, start=5000)
    )
    for over in (None, "last 50%"):
        out = ask("g_loss > d_loss", over, "ever", where)
        assert out.truth is None
        assert "no steps in common" in out.reason
    both = ask("d_loss < 5 and g_loss < 5", None, "ever", where)
    assert (both.truth, "no steps in common" in both.reason) == (None, True)


def test_a_faster_series_that_stopped_is_not_carried_on():
    where = frame(d_loss=series([1.0] * 50, every=1), fid=series([5.0] * 10, every=10))
    assert ask("fid > d_loss", "last 30%", "ever", where).truth is None


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 6), st.integers(0, 6))
def test_alignment_is_symmetric_and_exact_on_common_steps(a, b, start_a, start_b):
    one = series(np.arange(30.0), every=a, start=start_a)
    two = series(np.arange(30.0) + 0.5, every=b, start=start_b)
    where = frame(d_loss=one, g_loss=two)
    left, right = (ask(t, None, "ever", where) for t in ("d_loss < g_loss", "g_loss > d_loss"))
    assert (left.truth, left.intervals, left.share) == (right.truth, right.intervals, right.share)
    difference = ask("g_loss - d_loss < 1e9", None, "always", where)
    for first, last in difference.intervals:
        slow = one if (a, -start_b) >= (b, -start_a) else two
        assert first in slow.steps
        assert last in slow.steps


# ---------------------------------------------------------------- margins, lines to draw, values


def test_margins_are_relative_and_those_of_the_row_that_decides():
    values = np.linspace(1, 2, 101)
    where = frame(d_loss=values)
    assert ask("d_loss > 0.5", None, "always", where).margin == pytest.approx(1.0)
    assert ask("d_loss > 0.5", None, "ever", where).margin == pytest.approx(3.0)
    assert ask("d_loss > 4", None, "ever", where).margin == pytest.approx(0.5)
    assert ask("d_loss > 1", None, "50% of steps", where).margin == pytest.approx(0.5, abs=0.02)
    assert ask("median(d_loss) < 2", where=where).margin == pytest.approx(0.25)
    assert ask("lr_d > 3 * lr_g", where=frame({"lr_d": 6.0, "lr_g": 1.0})).margin == pytest.approx(
        1.0
    )


def test_margins_of_joined_tests_are_those_of_one_of_them():
    where = frame({"lr_d": 2.0, "lr_g": 10.0})
    assert ask("lr_d > 1 and lr_g > 1", where=where).margin == pytest.approx(1.0)
    assert ask("lr_d > 1 or lr_g > 1", where=where).margin == pytest.approx(9.0)
    assert ask("not (lr_d > 1 and lr_g > 1)", where=where).margin == pytest.approx(1.0)


def test_what_has_no_scale_has_no_margin():
    assert ask("isnan(d_loss)", None, "ever", frame(d_loss=[1.0] * 9)).margin is None
    assert ask("d_loss == 1", None, "ever", frame(d_loss=[1.0] * 9)).margin is None
    assert ask("d_loss > 0", None, "always", frame(d_loss=[1.0] * 9)).margin is None
    spread = frame(d_loss=np.linspace(1, 3, 101))
    # In quartile distances.
    assert ask("d_loss > 0", None, "always", spread).margin == pytest.approx(1.0)
    assert ask("logged(d_loss)", where=spread).margin is None


def test_the_line_to_draw():
    where = frame({"chance_d": 1.4}, d_loss=[1.0] * 30, g_loss=[1.0] * 30)
    for test, line, signal in [
        ("d_loss < 0.1", 0.1, "d_loss"),
        ("smooth(d_loss, 5) < 0.1 * chance_d", 0.14, "d_loss"),
        ("0.3 > smooth(g_loss)", 0.3, "g_loss"),
        ("d_loss < 0.1 * early(d_loss)", 0.1, "d_loss"),
        ("g_loss > 1.1 * best(g_loss)", None, "g_loss"),
        ("d_loss > 5 * g_loss", None, "d_loss"),
    ]:
        out = ask(test, None, "ever", where)
        assert (out.threshold, out.primary) == (
            line if line is None else pytest.approx(line),
            signal,
        )
    assert ask("median(smooth(d_loss)) < 0.1", where=where).threshold == pytest.approx(0.1)
    assert ask("trend(d_loss) < 0.1", where=where).threshold is None
    assert ask("iqr(d_loss) < 0.1", where=where).threshold is None


def test_values_of_the_pieces():
    where = frame({"lr_d": 3.0}, d_loss=[1.0] * 50 + [0.0] * 50, g_loss=np.arange(100.0))
    out = ask("d_loss < 0.5 and g_loss > lr_d", None, "ever", where)
    assert out.values["d_loss"] == 0.0
    assert out.values["g_loss"] == pytest.approx(74.5)
    assert out.values["lr_d"] == 3.0
    assert out.names == ("d_loss", "g_loss")
    assert ask("trend(g_loss) > 0.5", where=where).values["trend(g_loss)"] == pytest.approx(1.0)


def test_intervals_are_few_enough_to_draw():
    flicker = frame(d_loss=[0, 1] * 5000)
    out = ask("d_loss < 0.5", None, "ever", flicker)
    assert len(out.intervals) <= 50
    assert out.intervals[0][0] == 0
    assert out.intervals[-1][1] == 99_980


def test_number_of():
    where = frame({"lr_d": 3e-4, "lr_g": 1e-4}, g_loss=[1.0] * 10 + [4.0] * 40)
    assert number_of("lr_d / lr_g", where) == pytest.approx(3)
    assert number_of("median(g_loss)", where) == pytest.approx(4)
    for text in ("lr_d / nope", "g_loss", "lr_d / 0", "lr_d >", "__import__('os')", "lr_d > 1"):
        assert number_of(text, where) is None


# ---------------------------------------------------------------- since when


def test_an_onset_may_lie_before_the_window_that_found_it():
    values = [1.0] * 30 + [0.05] * 70
    noisy = np.array(values) + 0.01 * np.random.default_rng(0).normal(size=100)
    for test, over, for_ in [
        ("d_loss < 0.1", "last 50%", "80% of steps"),
        ("d_loss < 0.1", "last 20%", "always"),
        ("d_loss < 0.1", "last 20%", "ever"),
        ("d_loss < 0.1", "last 20%", "100 steps in a row"),
        ("median(d_loss) < 0.1", "last 50%", None),
        ("mean(d_loss) < 0.1", "last 20%", None),
    ]:
        assert ask(test, over, for_, frame(d_loss=noisy)).onset == pytest.approx(300, abs=20), test


def test_an_early_look_alike_is_not_the_onset():
    values = [0.05] * 10 + [1.0] * 50 + [0.05] * 40
    out = ask("d_loss < 0.1", "last 30%", "80% of steps", frame(d_loss=values))
    assert out.onset == 600
    assert ask("d_loss < 0.1", None, "ever", frame(d_loss=values)).onset == 0
    assert ask(
        "median(d_loss) < 0.1", "last 30%", where=frame(d_loss=values)
    ).onset == pytest.approx(600, abs=30)


def test_windows_that_begin_somewhere_are_not_left():
    values = [0.05] * 100
    where = frame(d_loss=values)
    assert ask("d_loss < 0.1", "after 300 steps", "always", where).onset == 300
    assert ask("d_loss < 0.1", "after then_", "always", where, onsets={"then_": 400}).onset == 400


def test_a_trend_began_where_it_turned():
    turning = np.concatenate((np.linspace(20, 14, 25), np.linspace(14, 17, 75)))
    noisy = turning + 0.05 * np.random.default_rng(1).normal(size=100)
    for over in ("last 50%", "after best(g_loss)", None):
        out = ask("trend(g_loss) > 0.3", over, None, frame(g_loss=noisy))
        assert out.onset == pytest.approx(250, abs=60), over
    assert ask("trend(g_loss) < 0.3", "last 50%", None, frame(g_loss=-noisy)).onset is not None
    falling = ask("change(g_loss) < -0.01", "last 50%", None, frame(g_loss=-turning + 100))
    assert falling.onset == pytest.approx(250, abs=60)


def test_a_frozen_signal_is_dated_by_its_last_move():
    values = np.concatenate((np.random.default_rng(2).normal(size=60), np.full(40, 0.5)))
    out = ask("constant(d_loss)", "last 20%", None, frame(d_loss=values))
    assert (out.truth, out.onset) == (True, 600)


def test_since_best_is_dated_by_the_best():
    values = np.abs(np.arange(100.0) - 20)
    out = ask("since_best(fid) > 0.5", None, None, frame(fid=values))
    assert (out.truth, out.onset) == (True, 200)
    assert ask("argbest_step(fid) == 200", None, None, frame(fid=values)).truth is True


# ---------------------------------------------------------------- functions


def points(values, *, every=1, steps=None, higher=False):
    values = np.asarray(values, dtype=float)
    steps = every * np.arange(values.size) if steps is None else np.asarray(steps)
    return Points(steps, values, higher=higher)


def call(function, *args):
    return FUNCTIONS[function].call(*args)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=12, max_size=80, unique=True))
def test_trend_is_kendalls_tau(values):
    pairs = [np.sign(b - a) for a, b in itertools.combinations(values, 2)]
    expected = sum(pairs) / len(pairs)
    assert call("trend", points(values)) == pytest.approx(expected)


def test_trend_of_a_long_signal_of_a_flat_one_and_of_an_infinite_one():
    n = 100_000
    noise = np.random.default_rng(0).normal(size=n)
    assert call("trend", points(noise + 4 * np.linspace(0, 1, n))) > 0.9
    assert abs(call("trend", points(noise))) < 0.15
    assert call("trend", points(np.ones(50))) == 0
    assert call("trend", points([*range(30), *[math.inf] * 30])) > 0.7


def test_trend_does_not_mind_uneven_logging():
    steps = np.concatenate((np.arange(0, 1000), np.arange(1000, 100_000, 1000)))
    noise = np.random.default_rng(3).normal(size=steps.size)
    # Falls while logged densely, rises over the 99 % of steps after that.
    values = np.where(steps < 1000, 5 - steps / 100, steps / 1000) + 0.1 * noise
    assert call("trend", points(values, steps=steps)) > 0.8


def test_slope_has_the_unit_of_x_a_step():
    values = 3 + 0.25 * np.arange(0, 1000, 5)
    values[7] = 1e9
    assert call("slope", points(values, every=5)) == pytest.approx(0.25)
    where = frame(d_loss=series(np.ones(20), steps=np.full(20, 7)))
    assert ask("slope(d_loss) > 0", where=where).truth is None


def test_change_is_relative_and_robust():
    assert call("change", points(np.linspace(10, 20, 101))) == pytest.approx(
        (19 - 11) / 11, abs=0.01
    )
    assert call("change", points([2.0] * 50 + [1.0] * 50)) == pytest.approx(-0.5)
    assert call("change", points([-2.0] * 50 + [-1.0] * 50)) == pytest.approx(0.5)
    spike = np.full(100, 2.0)
    spike[[0, 99]] = 1e6
    assert call("change", points(spike)) == 0
    assert call("change", points(np.zeros(20))) == 0
    noise = np.random.default_rng(0).normal(size=1000)
    assert abs(call("change", points(noise))) < 0.3
    assert call("change", points(noise + np.linspace(-3, 3, 1000))) > 1
    zero = frame(g_loss=[0.0] * 10 + [1.0] * 20)
    assert ask("change(g_loss) > 0.1", where=zero).truth is None


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 6)), min_size=1, max_size=20),
    st.sampled_from([0.0, 0.25, 0.5, 0.75, 0.9, 1.0]),
)
def test_weighted_quantiles_are_those_of_repeated_values(pairs, q):
    values, counts = (np.array(x, dtype=float) for x in zip(*pairs, strict=True))
    repeated = np.repeat(values, counts.astype(int))
    expected = np.quantile(repeated, q, method="averaged_inverted_cdf")
    assert quantile_of(values, q, counts) == pytest.approx(expected)
    assert quantile_of(repeated, 0.5) == pytest.approx(np.median(repeated))


def test_smooth_is_a_moving_median():
    values = np.ones(100)
    values[50] = 1e9
    assert (call("smooth", points(values)) == 1).all()
    assert (call("smooth", points(values), 5) == 1).all()
    ramp = np.arange(200.0)
    for width in (3, 9, 31, 61):
        middle = call("smooth", points(ramp), width)[width:-width]
        assert middle == pytest.approx(ramp[width:-width], abs=width / 8)
    some = values.copy()
    some[10:20] = math.nan
    assert np.isnan(call("smooth", points(some))[10:20]).all()
    assert not np.isnan(call("smooth", points(some))[[9, 20]]).any()
    assert call("smooth", points([math.inf] * 40 + [1.0] * 40), 30)[0] == math.inf


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=3, max_size=60), st.integers(1, 11))
def test_smooth_stays_within_its_neighbours(values, width):
    out = call("smooth", points(values), width)
    array = np.array(values)
    for i, value in enumerate(out):
        around = array[max(0, i - width) : i + width + 1]
        assert around.min() <= value <= around.max()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.5, 5), min_size=3, max_size=60), st.integers(2, 12))
def test_swing_is_the_largest_over_the_smallest_nearby(values, width):
    out = call("swing", points(values), width)
    array, width = np.array(values), min(width, len(values))
    for i in range(len(values)):
        low = i - (width - 1) // 2
        around = array[max(0, low) : max(0, low + width)]
        assert out[i] == pytest.approx(around.max() / around.min())


def test_swing_of_what_crosses_zero():
    noise = np.random.default_rng(0).normal(size=2000)
    swings = call("swing", points(noise), 50)
    assert 1 < np.median(swings) < 2
    burst = noise.copy()
    burst[1000:1050] *= 10
    assert call("swing", points(burst), 50)[1000:1050].max() > 5
    scaled_by = call("swing", points(1e6 * noise), 50)
    assert scaled_by == pytest.approx(swings)


def test_jump():
    out = call("jump", points([1, 2, 1, 1, 10]))
    assert np.isnan(out[0])
    assert out[1:] == pytest.approx([2, 2, 1, 10])
    noise = np.random.default_rng(0).normal(size=500)
    assert np.median(call("jump", points(noise))[1:]) < 2.5


def test_best_looks_the_right_way_and_only_back():
    assert list(call("best", points([3, 1, 2, 0, 5]))) == [3, 1, 1, 0, 0]
    assert list(call("best", points([3, 1, 2, 7, 5], higher=True))) == [3, 3, 3, 7, 7]
    out = call("best", points([math.nan, 3, -math.inf, 2]))
    assert np.isnan(out[0])
    assert list(out[1:]) == [3, 3, 2]
    turned = frame(acc=series([1, 5, 2, 3], higher=True))
    assert ask("best(-acc) == -5", "last 50%", "always", turned).truth is True
    assert ask("best(smooth(acc, 1)) == 5", "last 50%", "always", turned).truth is True
    assert ask("best(1 - acc) == -4", "last 50%", "always", turned).truth is True


def test_early_and_late_are_of_the_run_whatever_the_window():
    where = frame(d_loss=[1.0] * 20 + [5.0] * 60 + [3.0] * 20)
    for over in (None, "last 30%", "first 10%"):
        out = ask("early(d_loss) == 1 and late(d_loss) == 3", over, None, where)
        assert out.truth is True
    assert ask("d_loss > 4 * early(d_loss)", None, "60% of steps", where).truth is True


def test_reducers_look_at_the_window_alone():
    where = frame(d_loss=[1.0] * 50 + [5.0] * 50)
    assert (
        ask(
            "median(d_loss) == 5 and min(d_loss) == 5 and first(d_loss) == 5",
            "last 40%",
            None,
            where,
        ).truth
        is True
    )
    assert (
        ask(
            "max(d_loss) == 1 and last(d_loss) == 1 and count(d_loss) == 41",
            "first 40%",
            None,
            where,
        ).truth
        is False
    )
    assert ask("max(d_loss) == 1 and count(d_loss) == 40", "first 39.5%", None, where).truth is True
    assert ask("interval(d_loss) == 10 and distinct(d_loss) == 2", None, None, where).truth is True
    assert ask("quantile(d_loss, 2) > 1", None, None, where).reason.endswith("not at 2")
    assert ask("std(d_loss) == 2 and iqr(d_loss) == 4", None, None, where).truth is True


def test_constant_is_bit_for_bit():
    assert ask("constant(d_loss)", where=frame(d_loss=[0.1] * 20)).truth is True
    assert ask("constant(d_loss)", where=frame(d_loss=[0.1] * 19 + [0.1 + 1e-16])).truth is (
        0.1 + 1e-16 == 0.1
    )
    assert ask("constant(d_loss)", where=frame(d_loss=[0.1] * 19 + [0.1 + 1e-15])).truth is False
    assert ask("constant(d_loss)", where=frame(d_loss=[0.0] * 10 + [-0.0] * 10)).truth is False


@pytest.mark.parametrize("shape", ["sine", "square"])
def test_a_cycle_is_found_and_noise_is_none(shape):
    rng = np.random.default_rng(0)
    steps = np.arange(0, 20_000, 10)
    wave = np.sin(2 * np.pi * steps / 800)
    wave = wave if shape == "sine" else np.sign(wave)
    found = call(
        "period", points(wave + 0.3 * rng.normal(size=steps.size) + steps / 5000, steps=steps)
    )
    assert found == pytest.approx(800, rel=0.05)
    assert call("cycle", points(wave, steps=steps)) > 0.8
    for seed in range(10):
        noise = np.random.default_rng(seed).normal(size=500)
        assert call("period", points(noise)) == 0
    assert call("cycle", points(np.ones(100))) == 0
    assert call("cycle", points(np.linspace(0, 1, 100))) == pytest.approx(0, abs=1e-6)


def test_correlation_is_spearmans():
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    y = np.exp(x) + 0.5 * rng.normal(size=300)
    assert call("correlation", points(x), points(y)) == pytest.approx(
        np.corrcoef(x.argsort().argsort(), y.argsort().argsort())[0, 1]
    )
    later = np.concatenate((rng.normal(size=7), x[:-7]))
    assert call("correlation", points(x), points(later), 7) == pytest.approx(1)
    where = frame(d_loss=x, g_loss=y, fid=x[:20])
    assert ask("correlation(d_loss, g_loss) > 0.5", "last 50%", None, where).truth is True
    assert ask("correlation(d_loss, fid) > 0.5", "last 50%", None, where).truth is None


def test_pointwise_functions():
    where = frame({"lr_d": 4.0}, d_loss=[-4.0] * 20, g_loss=[0.0] * 20)
    assert ask("abs(d_loss) == 4 and sqrt(-d_loss) == 2", None, "always", where).truth is True
    assert (
        ask(
            "maximum(d_loss, g_loss, -1) == 0 and minimum(d_loss, g_loss) == -4",
            None,
            "always",
            where,
        ).truth
        is True
    )
    assert ask("log(d_loss) > 0", None, "ever", where).truth is None
    assert ask("ratio(d_loss, g_loss) > 0", None, "ever", where).truth is None
    assert ask("d_loss / g_loss < 0", None, "always", where).truth is True  # minus infinity
    assert ask("smooth(maximum(lr_d, 0)) >= 0", None, "ever", where).reason == "lr_d was not logged"
    assert (
        ask("sqrt(lr_d) == 2 and ratio(lr_d, 2) == 2 and isfinite(lr_d)", where=where).truth is True
    )
    assert ask("delta(d_loss) == 0", None, "always", where).truth is True


# ---------------------------------------------------------------- the machine itself


def test_thresholds_can_be_moved():
    tree = compile_test("d_loss < 0.1 and d_loss > 5 * g_loss", SCOPE).tree
    moved = scaled(tree, 1, 2.0)
    assert [n.value for n in moved.walk() if n.op == "const"] == [0.1, 10.0]
    assert [n.value for n in tree.walk() if n.op == "const"] == [0.1, 5.0]
    assert moved.key != tree.key


def test_results_are_remembered_and_windows_are_told_apart():
    where = frame(d_loss=np.arange(100.0))
    assert ask("median(d_loss) > 70", "last 50%", None, where).truth is True
    assert ask("median(d_loss) > 70", "first 50%", None, where).truth is False
    assert ask("smooth(d_loss - median(d_loss)) > 20", "last 50%", "ever", where).truth is True
    assert ask("smooth(d_loss - median(d_loss)) > 30", "last 50%", "ever", where).truth is False
    kept = len(where.memo.kept)
    assert ask("smooth(d_loss - median(d_loss)) > 30", "last 50%", "ever", where).truth is False
    assert len(where.memo.kept) == kept


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr("gandoctor.lang.frame.MEMO_BYTES", 10_000)
    where = frame(d_loss=np.ones(500))
    for n in range(3, 40, 2):
        ask(f"smooth(d_loss, {n}) > 0", None, "ever", where)
    assert where.memo.held <= 10_000
    assert len(where.memo.kept) >= 1


def test_unsorted_steps_are_put_in_order():
    where = frame(d_loss=series([3.0, 1.0, 2.0], steps=[30, 10, 20]))
    assert ask("last(d_loss) == 3 and first(d_loss) == 1", where=where).truth is True
    with pytest.raises(ValueError, match="one length"):
        Series(np.arange(3), np.arange(4.0))


def test_a_million_points_are_judged_in_a_moment():
    n = 1_000_000
    rng = np.random.default_rng(0)
    where = frame(d_loss=series(0.05 + 0.01 * rng.normal(size=n), every=1))
    ask("smooth(d_loss) < 0.1", "last 50%", "80% of steps", where)
    started = time.process_time()
    out = ask("smooth(d_loss) < 0.2", "last 50%", "80% of steps", where)
    assert out.truth is True
    assert time.process_time() - started < 0.5


def test_expressions_know_their_names():
    expression = compile_test("smooth(d_loss) < 0.1 * chance_d and g_loss > 1", SCOPE)
    assert expression.names == ("d_loss", "chance_d", "g_loss")
    assert expression.signals == ("d_loss", "g_loss")
    assert compile_value("best(smooth(g_loss))", SCOPE).signals == ("g_loss",)
    assert compile_when("a then b or a", ["a", "b"]).names == ("a", "b")


@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.floats(-9, 9) | st.just(np.nan)), min_size=2, max_size=200
    )
)
def test_medians_of_stretches_are_those_of_each_alone(rows: list[tuple[int, float]]) -> None:
    steps = np.sort(np.array([s for s, _ in rows], dtype=np.int64))
    values = np.array([v for _, v in rows])
    assume(steps[0] != steps[-1])
    _, medians = _stretches(Points(steps, values), 10)
    count = min(10, len(rows))
    edges = np.searchsorted(steps, steps[0] + (steps[-1] - steps[0]) * np.arange(1, count) / count)
    edges = np.unique(np.concatenate(([0], edges, [len(rows)])))
    alone = [np.median(values[a:b]) for a, b in itertools.pairwise(edges)]
    np.testing.assert_array_equal(medians, values if len(alone) == len(rows) else alone)
