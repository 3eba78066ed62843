"""The same change on the command line, and files that the run itself wrote, which none heeds."""

from __future__ import annotations

import re
import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from gandoctor.configs.splice import number_text
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gandoctor.configs.splice import Value

_WRITTEN_BY_RUN: Final = (
    # name, whose it is
    (late_pattern(r"(train|test|val)_opt\.txt|opt\.txt"), "the trainer's record of its options"),
    (
        late_pattern(r"args\.(txt|json|ya?ml)|commandline_args\.(txt|json)"),
        "the trainer's record of its arguments",
    ),
    (
        late_pattern(r"training_options\.json|submit_config\.(txt|pkl)"),
        "StyleGAN's record of its options",
    ),
    (late_pattern(r"hparams\.ya?ml"), "Lightning's record of the hyper-parameters"),
    (late_pattern(r"operative_config.*\.gin"), "gin's record of the configuration in use"),
    (
        late_pattern(r".*-project\.ya?ml|.*-lightning\.ya?ml"),
        "the trainer's record of its configuration",
    ),
    (late_pattern(r"metalog\.txt|wandb-metadata\.json|wandb-summary\.json"), "a log of the run"),
)
_LOGS: Final = frozenset(
    {".log", ".out", ".csv", ".jsonl", ".wandb", ".ipynb", ".db", ".sqlite", ".pt", ".pth", ".npz"}
    | {".ckpt", ".pkl", ".safetensors", ".pt2", ".h5", ".hdf5", ".keras", ".bin", ".index", ".tar"}
)


def written_by_run(file: str, text: str = "") -> str:
    """Why an edit of this file would change nothing; empty where the file is the trainer's input.

    Parameters
    ----------
    file : str
        Path relative to the run; empty where the log itself carried the settings.
    text : str
        The file's content, where it can be read.
    """
    if not file:
        return "the settings stand in the log itself"
    path = PurePosixPath(file)
    folders = {p.lower() for p in path.parts[:-1]}
    if ".hydra" in folders:
        return f"{path.name} is Hydra's record of the run's configuration"
    if path.suffix in (".yaml", ".yml") and ("wandb" in folders or _wrapped(text)):
        return f"{path.name} is Weights & Biases' record of the configuration"
    for name, what in _WRITTEN_BY_RUN:
        if name.fullmatch(path.name):
            if path.name.startswith("hparams") and re.search(r"![a-z]+:|!ref|!new", text):
                return ""  # SpeechBrain's hyperpyyaml: an input
            return f"{path.name} is {what}"
    if (
        path.suffix in _LOGS
        or re.match(r"events\.out\.tfevents", path.name)
        or text.startswith("Namespace(")
    ):
        return f"{path.name} is a log of the run"
    return ""


# StyleGAN2-ADA / StyleGAN3: keys of training_options.json and the options of train.py they come
# from
_STYLEGAN: Final = {
    "G_opt_kwargs.lr": "glr", "D_opt_kwargs.lr": "dlr", "batch_size": "batch",
    "loss_kwargs.r1_gamma": "gamma",
    "ada_target": "target", "augment_p": "p", "D_kwargs.block_kwargs.freeze_layers": "freezed",
    "total_kimg": "kimg", "random_seed": "seed",
}  # fmt: skip

# nothing in such a key means anything to a shell, and it cannot be taken for an option
_PLAIN: Final = late_pattern(r"[\w./][\w./-]*")


def _safe(file: str, key: str) -> bool:
    """Whether a key means nothing to a shell, or is not written as it is."""
    own_words = PurePosixPath(file).name.startswith("training_options") or file.endswith(".gin")
    return own_words or bool(_PLAIN.fullmatch(key))


def override(file: str, key: str, value: Value, text: str = "") -> str:
    """One override in the style of the tool that reads (or wrote) the file.

    Empty where there is no such style.

    The line is there to be pasted into a shell and the key is a stranger's text: a key that a
    shell would read as more than a name (``$(...)``, blanks, brackets) has no line, save where
    key and value are quoted as one.

    Examples
    --------
    >>> override("config.yaml", "optimizer_d.lr", 0.002), override("train_opt.txt", "lr", 2e-5)
    ('optimizer_d.lr=0.002', '--lr 2.0e-05')
    """
    name = PurePosixPath(file).name
    said = spelled(value)
    if name.startswith("training_options"):
        return f"--{_STYLEGAN[key]}={said}" if key in _STYLEGAN else ""
    if file.endswith(".gin"):
        return f"--gin_bindings={shlex.quote(f'{key} = {_gin(value)}')}"
    if not _PLAIN.fullmatch(key):
        return ""
    if file.endswith((".sh", ".bash")):
        return f"{key}={said}" if "." in key else f"--{key} {said}"
    if file.endswith(".py"):
        if re.search(r"(?m)^_base_\s*=|\bdict\(\s*type\s*=", text):  # mm-style
            return f"--cfg-options {key}={said}"
        return (
            f"--{key} {said}" if re.search(r"add_argument|DEFINE_", text) and "." not in key else ""
        )
    flat = _flat_record(file) or _wrapped(text)
    if (flat or not file) and key.rpartition(".")[2].isdigit():
        return ""  # one item of an option that takes several
    if not file and "." in key:  # printed by the run, from a nested config
        return f"{key}={said}"
    if file.endswith((".txt", ".opt", ".cfg", ".ini", ".flags", ".args")) or not file or flat:
        if re.search(r"(?m)^--?[\w./-]+=", text):
            return f"--{key}={said}"
        return f"--{key if flat else key.rpartition('.')[2]} {said}"
    return f"{key}={said}"


def _wrapped(text: str) -> bool:
    """W&B's way of writing a config: ``lr: {desc: null, value: 0.1}``."""
    return bool(
        re.search(r"(?m)^(_wandb|wandb_version):", text) and re.search(r"(?m)^[ \t]+value:", text)
    )


def _flat_record(file: str) -> bool:
    """A record of argparse arguments in another format."""
    path = PurePosixPath(file)
    if ".hydra" in path.parts:
        return False
    return "wandb" in path.parts or bool(
        re.fullmatch(r"(hparams|args|commandline_args)\.(ya?ml|json)", path.name)
    )


def overrides(items: Sequence[tuple[str, str, Value]], texts: Mapping[str, str]) -> tuple[str, ...]:
    """Overrides of several (file, key, value), in order, those that have none left out.

    Where a shell would read one of the keys as more than a name there are none at all: half a
    change is another one.
    """
    if not all(_safe(file, key) for file, key, _ in items):
        return ()
    made = (override(file, key, value, texts.get(file, "")) for file, key, value in items)
    return tuple(dict.fromkeys(o for o in made if o))


def spelled(value: Value) -> str:
    """A value on a command line; a float always reads back as one, in OmegaConf and PyYAML too."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, int | float):
        return number_text("", value, dotted=True)
    return value if re.fullmatch(r"[\w.,:/+-]+", value) else shlex.quote(value)


def _gin(value: Value) -> str:
    return repr(value) if isinstance(value, str | bool) or value is None else number_text("", value)
