"""Files made to cost much or to lose the report: each is bounded, and costs no more than itself."""

from __future__ import annotations

import json

import pytest

from gandoctor.errors import InputError, UsageError
from gandoctor.parsers import notebook
from gandoctor.parsers.configs import bounded, read_config
from gandoctor.preferences import load

# ---------------------------------------------------------------- configs

LONG = ".".join(["a"] * 40_000)
QUOTED = " . ".join(['"a"', "'b'"] * 30)
BOMBS = {
    "key": f"{LONG} = 1",
    "table": f"[{LONG}]\nlr = 1",
    "array of tables": f"[[ {LONG} ]]",
    "inline": "x = {" + LONG + " = 1}",
    "quoted": f"lr = 1\n{QUOTED} = 2",
    "many": "\n".join(f"[{'.'.join('abcdefghijklmnopqrst')}.k{i}]" for i in range(5_000)),
    "braces": "x = [" + "{}," * 100_000 + "]",
    "nested": "x = " + "[" * 20_000,
    "nested tables": "x = " + "{a = " * 20_000,
    "number": "lr = 1\nbatch_size = " + "9" * 5_000,
}


@pytest.mark.parametrize("kind", BOMBS)
def test_toml_that_costs_gigabytes_is_refused_before_it_is_parsed(tmp_path, kind):
    (tmp_path / "config.toml").write_text(BOMBS[kind])
    with pytest.raises(InputError, match=r"dotted parts|tables and lists|nested too deep|too large"):
        read_config(tmp_path / "config.toml", "config.toml")
    (tmp_path / "gandoctor.toml").write_text(BOMBS[kind])
    with pytest.raises(UsageError, match=r"dotted parts|tables and lists|nested too deep|too large"):
        load(tmp_path, tmp_path)


def test_dots_in_strings_comments_and_numbers_are_no_keys():
    dots = ".".join("abcdefgh" * 8)
    text = f'a = "{dots}"\nb = \'{dots}\' # {dots}\nc = """\n{dots}\n\\"""{dots}"""\nd = [1.5, 2.5]\n'
    text += f"e.{'.'.join(['f'] * 31)} = '''{dots}'''\n"
    assert bounded.loads(text)["a"] == dots


HUGE = {
    "config.yaml": "lr: 0.1\nbatch_size: {}\n",
    "config.json": '{{"lr": 0.1, "batch_size": {}}}',
    "config.toml": "lr = 0.1\nbatch_size = {}\n",
    "config.py": "lr = 0.1\nbatch_size = {}\n",
    "config.ini": "lr = 0.1\nbatch_size = {}\n",
}
NUMBERS = {
    "config.yaml": ["9" * 400, "0b" + "1" * 20_000, "1:" + "9" * 5_000, "0x" + "f" * 5_000, ":".join(["59"] * 3_000)],
    "config.json": ["9" * 400, "-" + "9" * 5_000],
    "config.toml": ["9" * 400, "0x" + "f" * 5_000],
    "config.py": ["9" * 400, "0x" + "f" * 5_000],
    "config.ini": ["9" * 400, "9" * 5_000],
}


@pytest.mark.parametrize(("name", "number"), [(n, v) for n, them in NUMBERS.items() for v in them])
def test_a_number_too_large_costs_itself_alone(tmp_path, name, number):
    (tmp_path / name).write_text(HUGE[name].format(number))
    reading = read_config(tmp_path / name, name)
    assert [s.key for s in reading.settings] == ["lr"]
    assert "batch_size is too large to be read" in reading.lost


@pytest.mark.parametrize(
    "content",
    [
        {"worksheets": [{"cells": 5}]},
        {"worksheets": [5]},
        {"worksheets": {"cells": []}},
        {"cells": [{"cell_type": "code", "outputs": 7}]},
        {"cells": [{"cell_type": "code", "outputs": [{"output_type": "stream", "text": {"a": 1}}], "source": 5}]},
    ],
)
def test_an_odd_notebook_is_refused_in_a_sentence(tmp_path, content):
    (tmp_path / "train.ipynb").write_text(json.dumps(content))
    with pytest.raises(InputError, match="notebook"):
        notebook.read(tmp_path / "train.ipynb")
