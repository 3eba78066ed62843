"""Configuration files -> raw settings: the user's own keys, with file and line.

`formats` has one module a format, and says what a new one needs: nothing here has to change for it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from gandoctor.configs import formats
from gandoctor.configs.entries import Spot, keys_of
from gandoctor.errors import InputError, unforeseen
from gandoctor.files import below
from gandoctor.model.signals import Reading, Setting
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from gandoctor.configs.entries import Entries

__all__ = ["ANY_CODE", "config_rank", "hyperparameters", "looks_like_config", "read_config"]

MAX_BYTES: Final = 2 * 1024 * 1024
MAX_CODE: Final = 64 * 1024


_WORDS: Final = (
    "train_opt|opt|training_options|train_options|hparams|hyper_?param(eter)?s?|params|parameters|"
    "args|arguments|"
    "settings|options?|opts|config|cfg|conf|flags|flagfile|commandline_args|metalog"
)


@cache
def _names() -> tuple[re.Pattern[str], ...]:
    """Names under which training programs keep their settings, the surest first."""
    suffixes = "|".join(re.escape(s[1:]) for s in formats.suffixes(code=False))
    return tuple(
        late_pattern(p)
        for p in (
            r"config\.(ya?ml|json|toml)",
            rf"({_WORDS})\.({suffixes})",
            (
                r"(operative_config[\w.-]*\.gin|[\w.-]*[-_]project\.ya?ml|flagfile|"
                r"\.config\.json|opt\.txt)"
            ),
            (
                r"[\w.+-]*(config|cfg|hparams|params|options|settings|train_opt|[-_]opt|"
                rf"[-_]args)[\w.+-]*\.({suffixes})"
            ),
            r"(config|cfg|configs|hparams|params|settings|constants)\.py",
            r"[\w.+-]+\.(ya?ml|toml|gin)",
            r"[\w.+-]+\.json5?",
            r"[\w.+-]+\.py",
        )
    )


SURE_NAME: Final = 2  # the last rank that needs no look into the file
ANY_JSON: Final = 6  # any .json at all: it may as well be a log
ANY_CODE: Final = 7  # any .py at all: the few that hold constants only are configs, as of mmgen
# Files of other programs that share a config's suffix.
_OTHERS: Final = late_pattern(
    r"(package(-lock)?|tsconfig.*|jsconfig.*|composer|manifest|vocab|vocabulary|tokenizer.*|"
    r"special_tokens_map|"
    r"(label|class|id|index)[_-]?(map|names|to[_-]?\w+|list)|labels|classes|generation_config|"
    r"preprocessor_config|"
    r"pyproject|poetry|pipfile|cargo|environment|conda|requirements.*|docker-compose.*|mkdocs|"
    r"pre-commit.*|setup|tox|"
    r"wandb-summary|wandb-metadata|wandb-events|diff|conda-environment|trainer_state|"
    r"dataset_infos?|annotations.*|"
    r"hydra|overrides|codecov|dependabot|gandoctor|report|stats|metrics?|history|log|logs|results?|"
    r"checkpoint)"
    r"\.(ya?ml|json5?|jsonc|toml|txt|cfg|ini|lock)",
)
_HYPER: Final = late_pattern(
    r"^(lr|.*[_.-]lr|lr[_.-].*|lrd|lrg|.*learning[_-]?rate.*|batch[_-]?size|.*[_-]?epochs?|"
    r"n[_-]?iter.*|max[_-]?steps|"
    r"num[_-]?steps|steps|total[_-]?steps|seed|betas?|beta[_-]?[12]|b1|b2|adam[_-].*|"
    r"optimi[sz]er.*|n[_-]?critic|"
    r"d[_-]?steps|n[_-]?dis|.*lambda.*|r1[_-]?gamma|gamma|latent[_-]?dim|z[_-]?dim|nz|nc|ngf|ndf|"
    r"gan[_-]?(mode|type|loss)|"
    r"loss([_-]?(type|fn|mode))?|weight[_-]?decay|label[_-]?smoothing|dropout|norm|"
    r"spectral[_-]?norm|clip.*|total[_-]?kimg)$"
)


# What begins a line of a program.
_ACTS: Final = late_pattern(
    r"(?m)^(import|from|def|class|for|while|if|with|try|async|@|print\b|[\w.]+\(|%|!)"
)


def config_rank(path: Path) -> int | None:
    """How surely a file's name is a config's: 0 is surest, None is no config's name."""
    name = path.name.lower()
    if _OTHERS.fullmatch(name):
        return None
    if path.parent.name == ".hydra":
        return 0 if name == "config.yaml" else None
    return next((i for i, p in enumerate(_names()) if p.fullmatch(name)), None)


def looks_like_config(path: Path, *, named_only: bool = False) -> bool:
    """Whether a file beside a log holds the run's settings.

    By its name or, for a weaker name, by its keys.

    Parameters
    ----------
    path : Path
    named_only : bool
        Do not open files whose name alone does not tell.
    """
    rank = config_rank(path)
    if rank is None:
        return False
    if rank <= SURE_NAME:
        return not below.wrote(path)
    if named_only or (rank == ANY_CODE and not _holds_constants(path)):
        return False
    try:
        entries = _parse(path)
    except InputError:
        return False
    return hyperparameters(keys_of(entries)) >= 2


def hyperparameters(keys: Iterable[str]) -> int:
    """How many of the keys are names of hyper-parameters."""
    return sum(bool(_HYPER.match(k)) for k in keys)


def _holds_constants(path: Path) -> bool:
    """Whether a Python file does nothing: it takes nothing in, and holds no blocks."""
    try:
        text = _decoded(below.head_of(path, MAX_CODE + 1))
    except InputError:
        return False
    return len(text) <= MAX_CODE and _ACTS.search(text) is None


def read_config(path: Path, name: str) -> Reading:
    """Settings of one config file.

    Parameters
    ----------
    path : Path
    name : str
        What to call the file: relative to the run, POSIX separators.

    Returns
    -------
    Reading
        Its settings and, in `lost`, what of the file could not be read.

    Raises
    ------
    InputError
        Where nothing at all could be read.
    """
    entries = _parse(path)
    if not entries.found:
        what = (
            f"holds no settings that can be read ({entries.lost[0]})"
            if entries.lost
            else "holds no settings"
        )
        raise InputError(
            what, name, "a config is YAML, JSON, TOML, Python constants or printed options"
        )
    settings = tuple(
        Setting(name="", value=spot.value, key=".".join(path), file=name, line=spot.line)
        for path, spot in _unwrapped(entries.found).items()
    )
    return Reading(settings=settings, lost="; ".join(entries.lost) or None)


def _parse(path: Path) -> Entries:
    head = below.head_of(path, MAX_BYTES + 1)
    if odd := below.foreign(head):
        raise InputError(odd[0], path.name, odd[1])
    text = _decoded(head[:MAX_BYTES])
    if "\x00" in text:
        raise InputError("is a binary file, no config", path.name, "give a YAML, JSON or TOML file")
    kind = formats.name_of(path.name, text)
    try:
        entries = formats.scan(kind, text)
    except Exception as e:
        raise unforeseen(e, f"the {kind} config", path.name) from e
    if len(head) > MAX_BYTES:
        entries.lost.append(f"only the first {MAX_BYTES >> 20} MiB were read")
    return entries


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="replace")


def _unwrapped(found: Mapping[tuple[str, ...], Spot]) -> dict[tuple[str, ...], Spot]:
    """W&B writes ``lr: {desc: null, value: 0.1}``.

    The key is ``lr``, and its own notes are no settings.
    """
    tops = {path[0] for path in found} - {"wandb_version", "_wandb"}
    wrapped = {path[0] for path in found if len(path) > 1 and path[1] == "value"}
    is_wandb = any(path[0] in ("wandb_version", "_wandb") for path in found)
    if not (
        is_wandb or (len(tops) > 1 and tops == wrapped and any(p[1:] == ("desc",) for p in found))
    ):
        return dict(found)
    kept: dict[tuple[str, ...], Spot] = {}
    for path, spot in found.items():
        if path[0] in ("wandb_version", "_wandb") or path[1:] == ("desc",):
            continue
        kept[(path[0], *path[2:]) if len(path) > 1 and path[1] == "value" else path] = spot
    return kept
