"""The ways to add one thing, each tried as CONTRIBUTING.md says it, on what nobody has.

What is data goes into a rules folder of one's own; what is code into a copy of the package.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from gandoctor import api, rulebook, ruletest
from gandoctor.api import Options

ROOT = Path(__file__).resolve().parents[1]

VOCABULARY = {
    "vocabulary/signals.yaml": """
        roles:
          sharpness: {title: sharpness, shown: true, doc: how sharp samples are, better: higher,
            judges: metric, margin: [0.05, 0], rare: true, picture: Sharpness,
            log_it: 'writer.add_scalar("eval/sharpness", sharpness, step)'}
        words:
          sharpness: [sharpness, acutance]
        decide:
          - {role: sharpness, any: [sharpness], because: how sharp samples are}
    """,
    "vocabulary/settings.yaml": """
        settings:
          haze_weight: {kind: number, doc: weight of the haze, keys: [haze weight], low: 0}
    """,
}
EVIDENCE = {
    "evidence/still-sharp.yaml": """
        id: still-sharp
        title: The samples are sharp
        why: Sharp samples are no blur, whatever else is wrong with them.
        where: median(sharpness) > 0.5
        over: last 50%
        says: "samples were sharp ({median(sharpness)})"
    """,
    "evidence/still-sharp.test.yaml": """
        holds:
          - {name: sharp, signals: {sharpness: "0.9 + 0*t"}}
          - {name: just sharp enough, signals: {sharpness: "0.55 + 0*t"}}
        clear:
          - {name: soft, signals: {sharpness: "0.1 + 0*t"}}
          - {name: not quite sharp, signals: {sharpness: "0.46 + 0*t"}}
        unknown:
          - {name: nothing was logged, signals: {d_loss: "1.4 + 0*t"}}
    """,
}
RULE = {
    "symptoms/gone-soft.yaml": """
        id: gone-soft
        kind: symptom
        symptom: no-convergence
        title: The samples have gone soft
        severity: medium
        status: preview
        since: "0.1"
        why: Samples that lose their sharpness are on their way to the mean of the data.
        evidence:
          softer: {where: change(sharpness) < -0.3, over: last 50%, says: "sharpness fell by {change(sharpness)}"}
          sharp: still-sharp
        when: softer and not sharp
        false_positives:
          - {when: the data are soft, do: ignore it}
        references:
          - {url: "https://arxiv.org/abs/1611.07004", says: pixel losses blur}
    """,
    "symptoms/gone-soft.test.yaml": """
        fires:
          - {name: it falls, signals: {sharpness: "linear(0.8, 0.05)"}}
        clear:
          - {name: it stays, signals: {sharpness: "0.8 + 0*t"}}
        unknown:
          - {name: nothing was logged, signals: {d_loss: "1.4 + 0*t"}}
    """,
}
MEASURE = {
    "measures/sharpness-late.yaml": """
        id: sharpness-late
        group: quality
        title: How sharp the samples are at the end
        value: late(sharpness)
        over: all
        scale: linear
        curve: [[0, 1.0], [0.5, 0], [1, -1.0]]
        low: no-convergence
        why: Blurred samples are what a network makes that has learned the mean alone.
        says: "sharpness was {value} at the end"
    """,
    "measures/sharpness-late.test.yaml": """
        against:
          - {name: soft, signals: {sharpness: "0.1 + 0*t"}, value: 0.1, tolerance: 0.01}
        for:
          - {name: sharp, signals: {sharpness: "0.9 + 0*t"}}
        unknown:
          - {name: nothing was logged, signals: {d_loss: "1.4 + 0*t"}}
    """,
}
CAUSE = {
    "causes/pixels-outweigh-d.yaml": """
        id: pixels-outweigh-d
        title: The pixel loss outweighs D
        story: Where the pixel loss weighs most, G draws the mean of all that might be right.
        prior: -1
        explains: {no-convergence: 1.5}
        for:
          - {if: haze_weight > 50, weight: 4, says: "{haze_weight}"}
        settings: [haze_weight]
    """,
    "causes/pixels-outweigh-d.test.yaml": """
        first:
          - name: a hundred times the adversarial part
            symptoms: [no-convergence]
            signals: {sharpness: "linear(0.8, 0.05)"}
            settings: {haze_weight: 100}
        not_first:
          - name: as much as the adversarial part
            symptoms: [no-convergence]
            signals: {sharpness: "linear(0.8, 0.05)"}
            settings: {haze_weight: 1, lr_d: 0.0002}
    """,
}
REMEDY = {
    "remedies/weigh-pixels-less.yaml": """
        id: weigh-pixels-less
        title: Weigh the pixel loss less
        treats: {pixels-outweigh-d: 0.9}
        effort: config
        risk: safe
        only_if:
          - {if: haze_weight > 50}
        changes:
          - {setting: haze_weight, to: 10}
        why: D has a say where the pixel loss leaves it one.
        expect: The samples become sharper.
        references:
          - {url: "https://arxiv.org/abs/1611.07004", says: pixel losses blur}
    """,
    "remedies/weigh-pixels-less.test.yaml": """
        changes:
          - name: a hundred
            config: |
              haze_weight: 100
            after: ['haze_weight: 10']
        leaves:
          - name: one
            config: |
              haze_weight: 1
            because: does not hold
    """,
}
RULES = VOCABULARY | EVIDENCE | RULE | MEASURE | CAUSE | REMEDY


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    return folder


def a_run(folder: Path) -> Path:
    """A run whose samples go soft, its log and its config."""
    rng = np.random.default_rng(0)
    rows = [
        f"{i},{1.39 + 0.02 * rng.normal():.4f},{0.7 + 0.02 * rng.normal():.4f},{0.8 - 0.0037 * i:.4f}"
        for i in range(200)
    ]
    return write(
        folder,
        {
            "log.csv": "step,d_loss,g_loss,acutance\n" + "\n".join(rows) + "\n",
            "config.yaml": "haze_weight: 100\nlr: 0.0002\n",
        },
    )


@pytest.fixture
def my_rules(tmp_path: Path) -> Path:
    return write(tmp_path / "my-rules", RULES)


def test_rules_of_ones_own_are_tested_by_the_cases_beside_them(my_rules: Path):
    folders = api.rule_folders(Options(rules=(my_rules,), use_preferences=False))
    result = ruletest.run(rulebook.load(folders), folders)
    assert result.passed, result.format(verbose=False)
    mine = {"still-sharp", "gone-soft", "sharpness-late", "pixels-outweigh-d", "weigh-pixels-less"}
    assert mine <= {case.rule for case in result.cases}


def test_a_role_a_setting_a_rule_a_measure_a_cause_and_a_remedy_of_ones_own_are_used(
    my_rules: Path, tmp_path: Path
):
    options = Options(rules=(my_rules,), use_preferences=False)
    report = api.analyze(a_run(tmp_path / "run"), options)
    roles = {s.tag: s.role for s in report.signals}
    assert roles["acutance"] == "sharpness"
    assert "haze_weight" in {s.name for s in report.settings}
    assert "gone-soft" in {f.rule for f in report.findings}
    assert "sharpness-late" in {b.evidence for b in report.belief}
    assert "pixels-outweigh-d" in {d.cause for d in report.diagnoses}
    changed = next(p for p in report.prescriptions if p.remedy == "weigh-pixels-less")
    assert "+haze_weight: 10\n" in changed.diff


# --- code, in a copy of the package


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    home = tmp_path / "copy"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "gandoctor", home / "gandoctor", ignore=ignored)
    (home / "rules").symlink_to(ROOT / "rules")
    return home


def run(home: Path, *args: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "gandoctor", *map(str, args)],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def put(path: Path, before: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, new + before), encoding="utf-8")


def test_an_output_is_one_module(copy: Path, tmp_path: Path):
    write(
        copy / "gandoctor/reporters",
        {
            "shout.py": '''
                """The verdict, loud."""

                NAME = "shout"
                SUFFIX = ".shout"


                def render(report):
                    """Say one report."""
                    return report.verdict.upper() + "!"


                def render_many(reports):
                    """Say several."""
                    return "\\n".join(map(render, reports))
            '''
        },
    )
    target = tmp_path / "out.shout"
    run(copy, "analyze", a_run(tmp_path / "run"), "-o", target, "-q")
    assert target.read_text(encoding="utf-8").rstrip().endswith("!")


def test_a_log_format_is_one_module(copy: Path, tmp_path: Path):
    write(
        copy / "gandoctor/parsers/formats",
        {
            "semicolons.py": '''
                """``name@step=value;`` without line ends."""

                import re

                import numpy as np

                from gandoctor.errors import InputError
                from gandoctor.model.signals import Reading, Signal

                NAME = "semicolons"
                _POINT = re.compile(r"(\\w+)@(\\d+)=([^;]*);")


                def sniff(path, head):
                    """How sure we are that it is one."""
                    return 1.0 if head.startswith(b"SEMICOLONS;") else 0.0


                def read(path):
                    """Read it."""
                    points = _POINT.findall(path.read_text(encoding="utf-8"))
                    if not points:
                        raise InputError("holds no point", path.name)
                    signals = []
                    for tag in dict.fromkeys(name for name, _, _ in points):
                        own = [(int(s), float(v)) for name, s, v in points if name == tag]
                        steps, values = zip(*own, strict=True)
                        signals.append(Signal(tag, np.array(steps), np.array(values)))
                    return Reading(signals=tuple(signals))
            '''
        },
    )
    points = "".join(f"d_loss@{i}={1.38 - i / 500};g_loss@{i}={0.7 + i / 500};" for i in range(60))
    (tmp_path / "train.semi").write_text("SEMICOLONS;" + points, encoding="utf-8")
    said = json.loads(run(copy, "signals", tmp_path / "train.semi", "--format", "json"))
    assert '"d_loss"' in json.dumps(said)


def test_a_config_format_is_one_module(copy: Path, tmp_path: Path):
    write(
        copy / "gandoctor/configs/formats",
        {
            "arrows.py": '''
                """``key -> value``, one a line."""

                import re

                from gandoctor.configs.entries import Entries, FullError, printed
                from gandoctor.configs.splice import Way, number_text, splice_at

                SUFFIXES = (".arrows",)
                _LINE = re.compile(r"^(\\w+) -> (.*)$", re.MULTILINE)


                def scan(text):
                    """Where each value stands."""
                    entries = Entries()
                    try:
                        for m in _LINE.finditer(text):
                            line = text.count("\\n", 0, m.start()) + 1
                            printed(entries, (m[1],), m[2], line, m.start(2))
                    except FullError:
                        entries.full()
                    return entries


                def _literal(old, new):
                    return number_text(old, new)


                def splice(text, targets):
                    """Put new values in."""
                    return splice_at(text, targets, Way(scan, _literal, "arrows"))
            '''
        },
    )
    folder = a_run(tmp_path / "run")
    (folder / "config.yaml").unlink()
    (folder / "config.arrows").write_text("lr -> 0.0002\nhaze_weight -> 100\n", encoding="utf-8")
    my_rules = write(tmp_path / "my-rules", RULES)
    assert "+haze_weight -> 10" in run(copy, "patch", folder, "--rules", my_rules)


def test_a_loss_family_is_one_entry_and_its_name(copy: Path, tmp_path: Path):
    put(
        copy / "gandoctor/objective/families.py",
        '    Family("other", -3.0),',
        '    Family("bounty", -2.0, (3.0, 1.5), words=(("bounty", 6.0),)),\n',
    )
    put(copy / "gandoctor/model/signals.py", '    "relativistic",\n', '    "bounty",\n')
    rng = np.random.default_rng(1)
    rows = "".join(
        f"{i},{3 + 0.1 * rng.normal():.4f},{1.5 + 0.1 * rng.normal():.4f}\n" for i in range(200)
    )
    log = write(tmp_path, {"log.csv": "step,bounty_d_loss,bounty_g_loss\n" + rows}) / "log.csv"
    run(copy, "analyze", log, "-o", tmp_path / "r.json", "-q")
    game = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["run"]["objective"]
    assert (game["family"], game["chance_d"]) == ("bounty", 3.0)
    words = {
        "vocabulary/objectives.yaml": """
            families:
              bounty: {doc: D is paid for each catch, words: [bounty, reward]}
        """
    }
    write(tmp_path, {"config.yaml": "loss: reward\n"})
    my_rules = write(tmp_path / "my-rules", words)
    run(copy, "analyze", log, "--rules", my_rules, "-o", tmp_path / "r.json", "-q")
    game = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["run"]["objective"]
    assert "the config says loss: bounty" in game["because"]


def test_an_option_is_one_entry_and_its_use(copy: Path, tmp_path: Path):
    home = copy / "gandoctor"
    put(
        home / "options.py",
        '    "format": Wish(',
        '    "greet": Wish("word", ("--greet",), "Whom to greet first.", "NAME"),\n',
    )
    put(
        home / "cli/asking.py",
        "QuietOption =",
        'GreetOption = Annotated[str | None, _option("greet")]\n',
    )
    commands = home / "cli/commands.py"
    put(commands, "    FormatOption,\n", "    GreetOption,\n")
    text = commands.read_text(encoding="utf-8")
    head, tail = text.split("    quiet: QuietOption = False,\n", 1)
    tail = tail.replace("    targets,", "    print('hello', greet)\n    targets,", 1)
    text = f"{head}    quiet: QuietOption = False,\n    greet: GreetOption = None,\n{tail}"
    commands.write_text(text, encoding="utf-8")
    assert "Whom to greet first." in run(copy, "analyze", "--help")
    log = a_run(tmp_path / "run")
    assert "hello you" in run(
        copy, "analyze", log, "--greet", "you", "-q", "-o", tmp_path / "r.json"
    )
