"""Tables of training metrics as real scripts leave them, and tables that are none."""

from __future__ import annotations

import csv as stdlib_csv
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gandoctor import api
from gandoctor.errors import GandoctorError
from gandoctor.parsers import discover, read_log
from gandoctor.parsers.formats import csv

if TYPE_CHECKING:
    from pathlib import Path

    from gandoctor.model.signals import Reading


@pytest.fixture
def table(tmp_path: Path):
    def write(content: str | bytes, name: str = "metrics.csv") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def values(reading: Reading) -> dict[str, list[float]]:
    return {s.tag: s.values.tolist() for s in reading.signals}


def steps(reading: Reading) -> dict[str, list[int]]:
    return {s.tag: s.steps.tolist() for s in reading.signals}


def sure(path: Path) -> float:
    return csv.sniff(path, path.read_bytes()[: 1 << 16])


def test_header_and_epochs(table) -> None:
    path = table("epoch,d_loss,g_loss\n1,0.7,0.8\n2,0.6,0.9\n")
    got = csv.read(path)
    assert sure(path) >= 0.9
    assert values(got) == {"d_loss": [0.7, 0.6], "g_loss": [0.8, 0.9]}
    assert steps(got) == {"d_loss": [1, 2], "g_loss": [1, 2]}
    assert got.step_unit == "epochs"
    assert got.lost is None


@pytest.mark.parametrize("wild", ["999999999999999999931", "1e30", "inf"])
def test_a_step_beyond_any_takes_the_one_before(table, wild: str) -> None:
    rows = [f"{k},{k / 100},1.5" for k in range(50)]
    rows[30] = f"{wild},0.3,1.5"
    got = csv.read(table("step,d_loss,g_loss\n" + "\n".join(rows) + "\n"))
    assert steps(got)["d_loss"] == [*range(30), 29, *range(31, 50)]
    assert got.lost == "1 step beyond 2**53: damage, the step before was taken"


def test_restarts_with_wild_steps_do_not_overflow(table) -> None:
    rows = [f"{9 * 10**15 + k % 2},{k},0.5" for k in range(2000)]
    rows[1::4] = [f"0,{k},0.5" for k in range(500)]
    got = csv.read(table("step,d_loss,g_loss\n" + "\n".join(rows) + "\n"))
    for s in got.signals:
        assert (np.diff(s.steps) >= 0).all()
        assert s.steps.max() <= 2**53


def wide(*names: str, more: int, rows: int = 8, about: str = "layer") -> str:
    header = [*names, *(f"{about}{j}" for j in range(more))]
    return "".join(
        ",".join(cells) + "\n" for cells in (header, *([str(k)] * len(header) for k in range(rows)))
    )


# The second is read by pandas; the third has a header longer than what is sniffed.
@pytest.mark.parametrize(("more", "rows"), [(2_500, 40), (2_500, 400), (8_000, 10)])
def test_of_very_many_columns_those_of_a_training_are_read(table, more: int, rows: int) -> None:
    path = table(
        wide("global_step", more=more, rows=rows, about="weights/").replace(
            "weights/77,", "d_loss,", 1
        )
    )
    assert sure(path) >= 0.9
    got = csv.read(path)
    assert len(got.signals) == 1999
    assert "d_loss" in steps(got)
    assert steps(got)["weights/0"] == list(range(rows))
    assert got.lost == f"{more - 1999:,} of {more + 1:,} columns: at most 2,000 are read"


def test_very_many_columns_of_something_else_are_refused_in_their_own_words(table) -> None:
    path = table(wide(more=3_000, about="pixel"))
    with pytest.raises(
        GandoctorError, match="3,000 columns, and none is called like a step or a loss"
    ):
        read_log(path)
    with pytest.raises(GandoctorError, match="is the table turned on its side"):
        read_log(path)


def test_a_table_of_something_else_is_refused_in_its_own_words(table) -> None:
    with pytest.raises(
        GandoctorError, match=r"houses.csv: a table, but no training log: .* name the columns"
    ):
        read_log(table("size,price\n1,2\n3,4\n", "houses.csv"))


def test_step_wins_over_epoch(table) -> None:
    got = csv.read(table("epoch,global_step,loss_D\n0,100,1\n0,200,2\n1,300,3\n"))
    assert steps(got) == {"loss_D": [100, 200, 300]}
    assert got.step_unit == "iterations"


def test_rows_count_where_nothing_else_does(table) -> None:
    assert steps(csv.read(table("gen_loss,disc_loss\n1,2\n3,4\n5,6\n")))["disc_loss"] == [0, 1, 2]


def test_batches_that_restart_with_each_epoch(table) -> None:
    got = csv.read(
        table(
            "epoch,batch,d_loss\n"
            + "".join(f"{e},{b},{e + b}\n" for e in (0, 1, 2) for b in (0, 10, 20))
        )
    )
    assert steps(got)["d_loss"] == [0, 10, 20, 30, 40, 50, 60, 70, 80]
    assert got.step_unit == "iterations"


def test_iterations_that_restart_with_each_epoch(table) -> None:
    got = csv.read(
        table(
            "epoch,iter,d_loss\n" + "".join(f"{e},{b},1\n" for e in (1, 2, 3) for b in (100, 200))
        )
    )
    assert steps(got)["d_loss"] == [100, 200, 300, 400, 500, 600]


def test_several_rows_an_epoch_stay_apart(table) -> None:
    got = csv.read(
        table("epoch,d_loss\n" + "".join(f"{e},{e}\n" for e in (0, 1) for _ in range(3)))
    )
    assert steps(got)["d_loss"] == [0, 1, 2, 3, 4, 5]
    assert got.step_unit == "unknown"
    assert "3 rows an epoch" in got.notes[0]


def test_an_index_that_begins_again_is_another_training(table) -> None:
    rows = [*range(5), *range(3)]
    got = csv.read(table(",discriminator,Generator\n" + "".join(f"{i},{i / 8},1\n" for i in rows)))
    assert steps(got)["discriminator"] == list(range(8))
    assert len(values(got)["Generator"]) == 8
    assert "2 trainings" in got.notes[0]


def test_a_resume_writes_again_what_came_before(table) -> None:
    rows = [(s, 1) for s in range(0, 1000, 10)] + [(s, 2) for s in range(970, 1200, 10)]
    got = csv.read(table("step,d_loss\n" + "".join(f"{s},{v}\n" for s, v in rows)))
    assert steps(got)["d_loss"] == list(range(0, 1200, 10))
    assert values(got)["d_loss"] == [1] * 97 + [2] * 23
    assert "resumed" in got.notes[0]
    assert "3 rows" in got.notes[0]


def test_a_resume_from_far_back_keeps_every_point(table) -> None:
    rows = [*range(534), *range(101, 400)]
    got = csv.read(table("step,d_loss\n" + "".join(f"{s},1\n" for s in rows)))
    found = steps(got)["d_loss"]
    assert len(found) == len(rows)
    assert found == sorted(found)


def test_tensors_and_blank_lines(table) -> None:
    got = csv.read(
        table(
            "losses_g,losses_d\n"
            '"tensor(10.5290, grad_fn=<BinaryCrossEntropyBackward0>)","tensor(0.0009, '
            "device='cuda:0')\"\n\n"
            '"tensor([9.9], requires_grad=True)","<tf.Tensor: shape=(), dtype=float32, '
            'numpy=0.25>"\n\n'
            '"[8.5]","np.float32(0.5)"\n'
        )
    )
    assert values(got) == {"losses_g": [10.529, 9.9, 8.5], "losses_d": [0.0009, 0.25, 0.5]}


def test_nothing_is_not_nan(table) -> None:
    got = csv.read(
        table("epoch,d_loss,g_loss,val\n0,nan,1,NA\n1,0.5,,NA\n2,inf,3,NA\n3,-inf,N/A,NA\n")
    )
    np.testing.assert_array_equal(values(got)["d_loss"], [np.nan, 0.5, np.inf, -np.inf])
    assert values(got)["g_loss"] == [1, 3]
    assert steps(got)["g_loss"] == [0, 2]
    assert "val" not in values(got)


@pytest.mark.parametrize("sep", [";", "\t", "|"])
def test_decimal_commas(table, sep: str) -> None:
    got = csv.read(table(f"epoch{sep}d_loss{sep}g_loss\n1{sep}0,693{sep}1,5e-3\n2{sep}0,7{sep}2\n"))
    assert values(got) == {"d_loss": [0.693, 0.7], "g_loss": [0.0015, 2.0]}


def test_odd_cells(table) -> None:
    got = csv.read(
        table(
            'step,acc,d_loss,g_loss,n\n1,51.5%,0.5 (0.6),0.25 +/- 0.1,"1,234"\n2,50%,0.4 '
            '(0.5),\u22120.5,"12,345"\n'
        )
    )
    assert values(got) == {
        "acc": [0.515, 0.5],
        "d_loss": [0.5, 0.4],
        "g_loss": [0.25, -0.5],
        "n": [1234, 12345],
    }


def test_lightning_writes_several_sparse_rows_a_step(table) -> None:
    got = csv.read(
        table(
            "d_loss,epoch,g_loss,step,val_fid\n0.7,0,,49,\n,0,0.8,49,\n0.6,0,,99,\n,0,0.9,99,\n,0,,"
            "99,30.5\n"
        )
    )
    assert steps(got) == {"d_loss": [49, 99], "g_loss": [49, 99], "val_fid": [99]}


def test_several_header_lines(table) -> None:
    got = csv.read(table("my experiment\nloss,loss,fid\nD,G,\n0.5,0.6,30\n0.4,0.7,31\n"))
    assert list(values(got)) == ["loss/D", "loss/G", "fid"]


def test_the_header_again_and_another_header(table) -> None:
    got = csv.read(
        table("epoch,d_loss\n1,0.5\n2,0.4\nepoch,d_loss\n1,0.6\nepoch,d_loss,fid\n2,0.5,30\n")
    )
    assert values(got) == {"d_loss": [0.5, 0.4, 0.6, 0.5], "fid": [30]}
    assert any("repeated" in n for n in got.notes)


def test_comments_before_the_header(table) -> None:
    assert values(csv.read(table("# made by me\n# on Monday\nepoch,d_loss\n1,0.5\n2,0.4\n")))[
        "d_loss"
    ] == [0.5, 0.4]
    assert values(csv.read(table("# epoch,d_loss\n1,0.5\n2,0.4\n")))["d_loss"] == [0.5, 0.4]


def test_no_header(table) -> None:
    rows = "".join(f"{1 - i / 10},{i / 10}\n" for i in range(8))
    path = table(rows, "losses.csv")
    got = csv.read(path)
    assert sure(path) >= 0.5
    assert list(values(got)) == ["column 0", "column 1"]
    assert len(values(got)["column 1"]) == 8
    assert "no header" in got.notes[0]
    with pytest.raises(GandoctorError, match="without column names"):
        csv.read(table(rows, "iris.csv"))


def test_one_column(table) -> None:
    assert values(csv.read(table("0.7\n0.6\n0.5\n0.4\n0.3\n0.2\n", "d_loss.txt"))) == {
        "d_loss": [0.7, 0.6, 0.5, 0.4, 0.3, 0.2]
    }
    assert values(csv.read(table("d_loss\n0.7\n0.6\n0.5\n", "train_log.csv"))) == {
        "d_loss": [0.7, 0.6, 0.5]
    }


def test_pandas_tables_without_names(tmp_path: Path) -> None:
    path = tmp_path / "d_losses.csv"
    pd.Series([0.5, 0.4, 0.3]).to_csv(path)
    assert values(csv.read(path)) == {"d_losses": [0.5, 0.4, 0.3]}
    pd.DataFrame([[0.5, 1.0], [0.4, 2.0]]).to_csv(path)
    assert values(csv.read(path)) == {"column 0": [0.5, 0.4], "column 1": [1.0, 2.0]}


def test_excel(table) -> None:
    assert values(csv.read(table("sep=;\nEpoch;D_loss\n1;0,5\n2;0,4\n"))) == {"D_loss": [0.5, 0.4]}


def test_rgan_trace(table) -> None:
    head = "epoch time D_loss G_loss mmd2 that pdf real_pdf\n"
    body = "".join(
        f"{i} {30 + i}.20 0.{690 + i} 0.{700 + i} {'NA' if i % 5 else '0.001'} "
        f"{4 if i % 5 == 0 else 'NA'} NA NA\n"
        for i in range(12)
    )
    for content in (head + body, body):
        got = csv.read(table(content, "experiment.trace.txt" if content != body else "train.log"))
        assert values(got)["D_loss"][:2] == [0.69, 0.691]
        assert steps(got)["G_loss"] == list(range(12))
        assert len(values(got)["mmd2"]) == 3


def test_modes_part_the_rows(table) -> None:
    got = csv.read(table("epoch,phase,loss_D\n1,train,0.5\n1,val,0.6\n2,train,0.4\n2,val,0.7\n"))
    assert {(s.split, tuple(s.values)) for s in got.signals} == {
        ("train", (0.5, 0.4)),
        ("val", (0.6, 0.7)),
    }


def test_wall_time(table) -> None:
    got = csv.read(table("_step,_timestamp,d_loss\n1,1600000000.5,0.5\n2,1600000001.5,0.4\n"))
    assert got.signals[0].wall_time is not None
    assert got.signals[0].wall_time.tolist() == [1600000000.5, 1600000001.5]
    assert list(values(got)) == ["d_loss"]


def test_tensorboards_own_export(table) -> None:
    got = csv.read(
        table(
            "Wall time,Step,Value\n1600000000.1,10,0.5\n1600000001.1,20,0.4\n",
            "run-train-tag-loss_D.csv",
        )
    )
    assert values(got) == {"loss_D": [0.5, 0.4]}
    assert steps(got) == {"loss_D": [10, 20]}


def test_charts_of_wandb(table) -> None:
    one = (
        "Step,happy-sun-1 - d_loss,happy-sun-1 - d_loss__MIN,happy-sun-1 - "
        "d_loss__MAX\n0,0.5,0.4,0.6\n10,0.6,0.5,0.7\n"
    )
    got = csv.read(table(one))
    assert values(got) == {"d_loss": [0.5, 0.6]}
    assert steps(got) == {"d_loss": [0, 10]}
    assert "__MIN" in got.notes[0]
    two = '"Step","a - d_loss","a - _step","b - d_loss"\n"0","0.5","0","0.7"\n"10","0.6","10",""\n'
    got = csv.read(table(two))
    assert values(got) == {"a - d_loss": [0.5, 0.6], "b - d_loss": [0.7]}
    assert "2 runs" in got.notes[0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encodings_and_newlines(table, encoding: str, newline: str) -> None:
    text = "epoch,判别器损失,g_loss\n1,0.5,0.6\n2,0.4,0.7\n".replace("\n", newline)
    data = text.encode(encoding)
    if encoding == "utf-16-le":
        data = b"\xff\xfe" + data
    assert values(csv.read(table(data))) == {"判别器损失": [0.5, 0.4], "g_loss": [0.6, 0.7]}


def test_kimg(table) -> None:
    got = csv.read(table("Progress/kimg,Loss/D/loss\n0.0,1\n4.0,2\n8.0,3\n"))
    assert steps(got)["Loss/D/loss"] == [0, 4, 8]
    assert got.step_unit == "kimg"


def test_fractional_epochs_stay_apart(table) -> None:
    got = csv.read(table("epoch,d_loss\n0.25,1\n0.5,2\n0.75,3\n1.0,4\n"))
    assert len(set(steps(got)["d_loss"])) == 4
    assert got.step_unit == "unknown"


# ---------------------------------------------------------------- damage


def test_a_log_that_is_still_written(table) -> None:
    got = csv.read(table("step,d_loss,g_loss\n1,0.5,0.6\n2,0.4,0.7\n3,0."))
    assert values(got)["d_loss"] == [0.5, 0.4]
    assert got.lost == "the last row is unfinished"


def test_what_is_lost_is_counted(table) -> None:
    got = csv.read(
        table("step,d_loss,g_loss\n1,0.5,0.6\n2,oops,0.7\n3,0.3,0.8,9\n4,0.2\n5,0.1,0.9\n")
    )
    assert values(got) == {"d_loss": [0.5, 0.3, 0.2, 0.1], "g_loss": [0.6, 0.7, 0.8, 0.9]}
    assert got.lost == "1 rows have more cells than the header; 1 cells of d_loss are no numbers"
    assert "1 rows have fewer cells" in got.notes[0]


@pytest.mark.parametrize(
    ("content", "name", "why"),
    [
        (
            "name,age,city\nAda,36,London\nBob,41,Paris\nEve,29,Rome\n",
            "people.csv",
            "no training log",
        ),
        ("age,income,label\n36,1000,0\n41,2000,1\n29,1500,0\n", "train.csv", "no training log"),
        (
            "Date,Open,Close\n2020-01-01,1.0,2.0\n2020-01-02,1.1,2.1\n",
            "GOOG.csv",
            "no training log",
        ),
        (
            (
                "run,lr,final_loss\nrun_a,0.1,0.5\nrun_b,0.2,0.6\nrun_c,0.3,0.7\nrun_d,0.4,0.8\nrun_e,"
                "0.5,1\n"
            ),
            "results.csv",
            "no training log",
        ),
        ("numpy==1.26.0\ntorch==2.1.0\ntqdm>=4.0\n", "requirements.txt", "no table"),
        ("lr: 0.001\nbatch_size: 64\nbeta1: 0.5\n", "config.yaml", "table|printed"),
        (
            "# A GAN\n\nTrain it with `python train.py`.\nThe loss is 0.5 after 100 epochs.\n",
            "README.md",
            "no table",
        ),
        ("", "metrics.csv", "empty"),
        ("\n\n\n", "metrics.csv", "empty"),
        ("epoch,d_loss,g_loss\n", "metrics.csv", "header and no rows"),
        ("epoch,d_loss,g_loss\n1,,\n2,,\n", "metrics.csv", "no numbers|no table"),
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 123\n",
            "metrics.csv",
            "Git LFS pointer",
        ),
        (bytes(range(256)) * 8, "metrics.csv", "binary"),
    ],
)
def test_what_is_no_log_is_refused_in_one_sentence(
    table, content: str, name: str, why: str
) -> None:
    path = table(content, name)
    assert sure(path) < 0.5
    with pytest.raises(GandoctorError, match=why) as caught:
        csv.read(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(GandoctorError, match="cannot be read"):
        csv.read(tmp_path / "no.csv")


# ---------------------------------------------------------------- two ways, one result

cells = st.one_of(
    st.floats(width=32).map(repr),
    st.sampled_from(["", "NA", "nan", "inf", "-inf", "0", "1e-8", " 0.5"]),
    st.integers().map(str),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.tuples(cells, cells), min_size=1, max_size=30),
    st.sampled_from([",", ";", "\t"]),
    st.booleans(),
)
def test_large_files_read_as_small_ones_do(table, monkeypatch, rows, sep: str, ended: bool) -> None:
    text = "\n".join(
        [f"step{sep}d_loss{sep}g_loss", *(sep.join((str(i), *r)) for i, r in enumerate(rows))]
    )
    path = table(text + "\n" * ended)
    results = []
    for small in (0, 1 << 30):
        monkeypatch.setattr(csv, "SMALL", small)
        try:
            got = csv.read(path)
            results.append((values(got), steps(got), got.lost))
        except GandoctorError as fault:
            results.append(str(fault))
    np.testing.assert_equal(results[0], results[1])


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    arrays(
        np.float64, st.tuples(st.integers(2, 40), st.integers(2, 4)), elements=st.floats(-1e6, 1e6)
    )
)
def test_what_real_writers_write_comes_back(tmp_path: Path, data) -> None:
    names = ["d_loss", "g_loss", "fid", "lr"][: data.shape[1]]
    frame = pd.DataFrame(data, columns=names)
    path = tmp_path / "losses.csv"
    frame.to_csv(path)
    with_index = csv.read(path)
    frame.to_csv(path, index=False)
    without = csv.read(path)
    np.savetxt(path, data, delimiter=",", header=",".join(names))
    numpy = csv.read(path)
    with path.open("w", newline="") as stream:
        writer = stdlib_csv.writer(stream)
        writer.writerow(names)
        writer.writerows(data.tolist())
    stdlib = csv.read(path)
    for got in (with_index, without, numpy, stdlib):
        for j, name in enumerate(names):
            np.testing.assert_allclose(values(got)[name], data[:, j], rtol=1e-12)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.text(
        alphabet=st.sampled_from(
            list('epoch,d_loss;\n\r\t"|0123456789.-+eE nanifN/A()[]#%:=\x00\ufeff')
        ),
        max_size=300,
    )
)
def test_no_text_breaks_it(table, text: str) -> None:
    path = table("epoch,d_loss\n1,0.5\n" + text)
    assert 0 <= sure(path) <= 1
    try:
        got = csv.read(path)
    except GandoctorError:
        return
    for s in got.signals:
        assert np.all(np.diff(s.steps) >= 0)
        assert len(s.steps) == len(s.values)


def test_small_files_need_no_pandas(table) -> None:
    path = table("epoch,d_loss\n1,0.5\n2,0.4\n")
    code = (
        "import sys, pathlib; from gandoctor.parsers.formats import csv; "
        "csv.read(pathlib.Path(sys.argv[1])); "
        "sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 0


# ---------------------------------------------------------------- tables drawn for the eye, and
# cells of tensors

DRAWN = {
    "markdown": "# Run 3\n\n| Epoch | D loss | G loss |\n|:---|:---:|---:|\n{rows}\nDone.\n",
    "no frame": "Losses so far\n\nEpoch | D loss | G loss\n--- | --- | ---\n{bare}",
    "no rule": "| Epoch | D loss | G loss |\n{rows}",
    "grid": "+-----+-----+\n| Epoch | D loss | G loss |\n+=====+=====+\n{ruled}",
    "box": "┏━━━┳━━━┓\n┃ Epoch ┃ D loss ┃ G loss ┃\n┡━━━╇━━━┩\n{boxed}└───┴───┘\n",
    "again": "{again}",
}


@pytest.mark.parametrize("form", DRAWN)
@pytest.mark.parametrize("epoch", ["{k}", "{k}/9", "[{k}/9]", "**{k}**"])
def test_drawn_tables(table, form: str, epoch: str) -> None:
    rows = [f"| {epoch.format(k=k)} | 0.{k} | {k}.5 |\n" for k in range(1, 9)]
    head = "| Epoch | D loss | G loss |\n|---|---|---|\n"
    content = DRAWN[form].format(
        rows="".join(rows),
        bare="".join(r.strip("|\n ") + "\n" for r in rows),
        ruled="".join(f"{r}+-----+-----+\n" for r in rows),
        boxed="".join(rows).replace("|", "│"),
        again="".join(f"now:\n{head}{r}" for r in rows),
    )
    ((_, _, got),) = read_log(table(content, "run.log"))
    assert values(got) == {
        "D loss": [k / 10 for k in range(1, 9)],
        "G loss": [k + 0.5 for k in range(1, 9)],
    }
    assert steps(got)["D loss"] == list(range(1, 9))


def test_a_drawn_table_that_breaks_off_keeps_what_it_has(table) -> None:
    rows = "".join(f"| {k} | 0.{k} | {k}.5 |\n" for k in range(1, 9)).replace(
        "| 0.4 | 4.5 |", "| 0.4"
    )
    ((_, _, got),) = read_log(
        table(f"| Epoch | D loss | G loss |\n|---|---|---|\n{rows}"[:-6], "run.md")
    )
    assert steps(got) == {"D loss": list(range(1, 8)), "G loss": [1, 2, 3, 5, 6, 7]}
    assert "unfinished" in (got.lost or "")


TENSORS = [
    "\"tensor({x}, device='cuda:0')\"",
    "\"tensor({x}, device='cuda:1', grad_fn=<MeanBackward0>)\"",
    "tensor({x}, device='cuda:0', dtype=torch.float64, grad_fn=<NegBackward>)",
    "\"tensor([[{x}]], device='cuda:0')\"",
    '"tf.Tensor({x}, shape=(), dtype=float32)"',
    "array({x}, dtype=float32)",
    "torch.tensor({x})",
]


@pytest.mark.parametrize("cell", TENSORS)
@pytest.mark.parametrize("sep", [",", ";", "\t"])
def test_cells_are_told_apart_before_what_is_in_them(table, cell: str, sep: str) -> None:
    numbers = ["0.0123", "nan", "-1.5e-03", "2."] * 5
    rows = "".join(
        f"{k}{sep}{cell.format(x=x)}{sep}{cell.format(x='0.5')}\n" for k, x in enumerate(numbers)
    )
    path = table(f"epoch{sep}D_loss{sep}G_loss\n{rows}")
    assert sure(path) >= 0.9
    ((_, parser, got),) = read_log(path)
    assert parser == "csv"
    np.testing.assert_array_equal(values(got)["D_loss"], [float(x) for x in numbers])
    assert values(got)["G_loss"] == [0.5] * 20


def test_rows_of_two_runs_that_take_turns(table) -> None:
    rows = "".join(
        f"{s},{n}.5,{'' if i % 2 else i},run\n"
        for i in range(20)
        for n, s in enumerate((i, i + 90))
    )
    got = [reading for _, _, reading in read_log(table(f"epoch,d_loss,g_loss,note\n{rows}"))]
    assert [steps(g)["d_loss"] for g in got] == [list(range(20)), list(range(90, 110))]
    assert [set(values(g)["d_loss"]) for g in got] == [{0.5}, {1.5}]
    assert [steps(g)["g_loss"] for g in got] == [list(range(0, 20, 2)), list(range(90, 110, 2))]
    assert "2 runs take turns" in got[0].notes[-1]


def test_a_resume_from_an_older_checkpoint_goes_on_beyond_it(table) -> None:
    rows = [*range(100, 5001, 100), *range(1100, 8001, 100)]
    got = csv.read(table("step,d_loss\n" + "".join(f"{s},{k}\n" for k, s in enumerate(rows))))
    assert steps(got)["d_loss"] == list(range(100, 8001, 100))
    assert values(got)["d_loss"][9:11] == [9, 50]


# ---------------------------------------------------------------- names above the rows in another
# way, or in the file's

HEADED = {
    "commas over blanks": ("generator loss, discriminator loss", "{g} {d}"),
    "a remark over blanks": ("# G_loss D_loss", "{g} {d}"),
    "a remark over tabs": ("# G loss, D loss", "{g}\t{d}"),
    "slashes": ("G loss / D loss", "{g} / {d}"),
    "bars over tabs": ("G loss | D loss", "{g}\t{d}"),
    "words in pairs": ("Generator loss Discriminator loss", "{g} {d}"),
    "wide blanks": ("G loss    D loss", "   {g}   {d}"),
    "columns": ("columns: g_loss, d_loss", "{g} {d}"),
    "brackets": ("(G loss, D loss)", "({g}, {d})"),
    "a list": ("G loss, D loss", "[{g}, {d}]"),
    "a time in front": ("[12:00:00] G_loss D_loss", "[2024-01-02 12:00:01] {g} {d}"),
    "a title": ("Run 3, Tuesday\n\nG_loss D_loss", "{g} {d}"),
}


@pytest.mark.parametrize("form", HEADED)
def test_a_line_that_names_bare_numbers(table, form: str) -> None:
    head, row = HEADED[form]
    rows = [row.format(g=f"1.{k}", d=f"{k}e-2") for k in range(1, 10)]
    ((_, _, got),) = read_log(table(f"{head}\n" + "\n".join(rows) + "\n", "run.log"))
    g, d = got.signals
    assert (g.values.tolist(), d.values.tolist()) == (
        [1 + k / 10 for k in range(1, 10)],
        [k / 100 for k in range(1, 10)],
    )
    assert g.tag.lower().startswith("g")
    assert d.tag.lower().startswith("d")


def test_a_count_in_front_of_bare_numbers(table) -> None:
    for head in ("Epoch; D loss; G loss", "D loss; G loss", "# epoch, D loss, G loss"):
        rows = "".join(f"{k}, 0.{k}, 1.{k}\n" for k in range(3, 9))
        ((_, _, got),) = read_log(table(f"{head}\n{rows}", "run.log"))
        assert steps(got) == {"D loss": list(range(3, 9)), "G loss": list(range(3, 9))}


def test_a_row_of_bare_numbers_that_lacks_one(table) -> None:
    rows = "".join(f"1.{k} 0.{k}\n" if k != 4 else "1.4\n" for k in range(1, 9))
    ((_, _, got),) = read_log(table(f"G loss, D loss\n{rows}1.9", "run.log"))
    assert steps(got) == {"G loss": list(range(8)), "D loss": [0, 1, 2, 4, 5, 6, 7]}
    assert "unfinished" in (got.lost or "")
    with pytest.raises(GandoctorError):
        read_log(table(f"width, height\n{rows}", "run.log"))


def one_of_two(path: Path, rows: str) -> dict[str, list[float]]:
    path.write_text(rows)
    ((_, _, got),) = read_log(path)
    return values(got)


@pytest.mark.parametrize("sep", [" ", "\t", ",", ", ", ";"])
@pytest.mark.parametrize(
    "names",
    [("D.txt", "G.txt"), ("discriminator.csv", "generator.csv"), ("loss_D.log", "loss_G.log")],
)
def test_a_file_named_after_a_player_begins_with_its_loss(
    tmp_path: Path, sep: str, names: tuple[str, str]
) -> None:
    folder = tmp_path / "run_with_acc"
    folder.mkdir()
    for whose, name in zip("DG", names, strict=True):
        losses, shares = (
            [1 + k * len(name) / 100 for k in range(9)],
            [k / (10 + len(name)) for k in range(9)],
        )
        losses += [2.0 if whose == "D" else 3.0]
        shares += [0.5 if whose == "D" else 0.25]
        rows = "".join(f"{a}{sep}{b}\n" for a, b in zip(losses, shares, strict=True))
        assert one_of_two(folder / name, rows) == {f"{whose} loss": losses, f"{whose} acc": shares}
    assert sure(folder / names[0]) >= 0.5
    (run,) = discover(folder)
    assert {s.tag for s in run.signals} == {"D loss", "D acc", "G loss", "G acc"}


def test_what_stands_behind_a_loss_is_an_accuracy_only_where_a_name_says_so(tmp_path: Path) -> None:
    rows = "".join(f"{k}, 1.{k}, 0.{k}\n" for k in range(1, 9))
    assert list(one_of_two(tmp_path / "D.txt", rows)) == ["D loss", "column 1 of D"]
    rows = "".join(f"0.{k}, 1.{k}\n" for k in range(1, 9))
    assert list(one_of_two(tmp_path / "G_loss.txt", rows)) == ["column 0", "column 1"], (
        "the share stands in front"
    )
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "D.txt"
    path.write_text(rows)
    assert 0 < sure(path) < 0.5, "nothing says that it is a log"
    (tmp_path / "data" / "G.txt").write_text(rows)
    assert sure(path) >= 0.5


@pytest.mark.parametrize(
    ("header", "roles"),
    [
        ("crit,generator", ["d_loss", "g_loss"]),
        ("critics,gens", ["d_loss", "g_loss"]),
        ("判别器,生成器", ["d_loss", "g_loss"]),
    ],
)
def test_a_table_of_both_players_is_a_log_whatever_they_are_called(
    header: str, roles: list[str], tmp_path: Path
) -> None:
    """What the vocabulary places is never refused as no training log."""
    rows = [f"{0.5 + i / 100},{1.2 - i / 100}" for i in range(30)]
    (tmp_path / "log.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    (run,) = api.read(tmp_path / "log.csv", api.Options(use_preferences=False))
    assert [s.role for s in run.signals if s.source][:2] == roles


POINTS = [(10 * i, tag, at + i / 100) for i in range(40) for tag, at in (("D", 1.2), ("G", 0.9))]


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("by_tag", [True, False])
def test_a_row_for_each_value_gives_a_column_for_each_tag(
    by_tag: bool, small: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not small:
        monkeypatch.setattr(csv, "SMALL", 0)
    points = sorted(POINTS, key=lambda p: p[1]) if by_tag else POINTS
    rows = [f"{k},run_1,{step},{tag},{value}" for k, (step, tag, value) in enumerate(points)]
    path = tmp_path / "scalars.csv"
    path.write_text("\n".join([",dir_name,step,tag,value", *rows]) + "\n", encoding="utf-8")
    ((_, reading),) = csv.read_runs(path)
    got = {s.tag: (s.steps.tolist(), s.values.tolist()) for s in reading.signals}
    want = {
        name: ([s for s, t, _ in POINTS if t == name], [v for _, t, v in POINTS if t == name])
        for name in ("D", "G")
    }
    assert got == want
    assert sure(path) >= 0.9


def test_rows_of_several_runs_are_several_runs(tmp_path: Path) -> None:
    rows = [f"{i},{run},{tag},{at + i / 9}" for run, at in (("a", 1), ("b", 3)) for i in range(30)
            for tag in ("d_loss", "g_loss")]  # fmt: skip
    path = tmp_path / "all.csv"
    path.write_text("\n".join(["step,run,tag,value", *rows]) + "\n", encoding="utf-8")
    found = dict(csv.read_runs(path))
    assert {n: [s.tag for s in r.signals] for n, r in found.items()} == {
        "a": ["d_loss", "g_loss"], "b": ["d_loss", "g_loss"],
    }  # fmt: skip
    assert found["b"].signals[0].values[0] == 3
    assert [run.name for run in discover(path)] == ["all (a)", "all (b)"]
    with pytest.raises(GandoctorError, match="rows are of 2 runs"):
        csv.read(path)


def test_a_table_of_results_has_no_tags(tmp_path: Path) -> None:
    rows = [f"{k},model {k},{9 - k / 10},{k / 10}" for k in range(20)]
    path = tmp_path / "results.csv"
    path.write_text("\n".join(["epoch,name,value,d_loss", *rows]) + "\n", encoding="utf-8")
    assert sorted(s.tag for s in csv.read(path).signals) == ["d_loss", "value"]
