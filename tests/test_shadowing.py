"""A value in Python code that the program does not go by is not said to be changed."""

from __future__ import annotations

import pytest

from gandoctor.configs.formats import python
from gandoctor.configs.splice import SpliceError, Target

CLASS = "class Config:\n    lr_d = 0.02\n    width = 3\n"
DICT = "cfg = dict(lr_d=0.02, width=3)\n"
NESTED = "cfg = dict(optim=dict(lr_d=0.02), width=3)\n"
PLAIN = "lr_d = 0.02\nwidth = 3\n"
OWN_INIT = CLASS + "    def __init__(self, opts=None):\n"

REFUSED = [
    # attributes of a class
    OWN_INIT + "        vars(self).update({'lr_d': 0.01})\n",
    OWN_INIT + "        vars(self).update(opts)\n",
    OWN_INIT + "        vars(self)[opts] = 0.01\n",
    OWN_INIT + "        vars(self).setdefault('lr_d', 0.01)\n",
    OWN_INIT + "        self.__dict__.update(dict(lr_d=0.01))\n",
    OWN_INIT + "        self.__dict__.update(dict({'lr_d': 0.01}))\n",
    OWN_INIT + "        self.__dict__.update(**opts)\n",
    OWN_INIT + "        self.__dict__.__setitem__('lr_d', 0.01)\n",
    OWN_INIT + "        self.__dict__ = {'lr_d': 0.01}\n",
    OWN_INIT + "        self.__dict__ |= {'lr_d': 0.01}\n",
    OWN_INIT + "        for k, v in (opts or {}).items():\n            setattr(self, k, v)\n",
    CLASS + "for k, v in {'lr_d': 0.01}.items():\n    setattr(Config, k, v)\n",
    CLASS + "c = Config()\nfor k in ('lr_d',):\n    setattr(c, k, 0.01)\n",
    CLASS + "Mine = type('Mine', (Config,), {'lr_d': 0.01})\n",
    CLASS + "Mine = type('Mine', (Config,), made())\n",
    CLASS + "    def __getattribute__(self, name):\n        return 0.01\n",
    CLASS + "    def __getattr__(self, name):\n        return 0.01\n",
    "class Meta(type):\n    def __getattribute__(cls, name):\n        return 0.01\n"
    + CLASS.replace("Config:", "Config(metaclass=Meta):"),
    CLASS + "    from other import lr_d\n",
    CLASS + "from other import Config\n",
    CLASS + "try:\n    from local import *\nexcept ImportError:\n    pass\n",
    CLASS + "import other as Config\n",
    CLASS + "globals()['Config'] = other\n",
    # entries of a dict
    DICT + "cfg.pop('lr_d')\n",
    DICT + "cfg.clear()\n",
    DICT + "del cfg['lr_d']\n",
    DICT + "cfg.__setitem__('lr_d', 0.01)\n",
    DICT + "cfg.update(load())\n",
    DICT + "cfg.update(**load())\n",
    DICT + "cfg.update([('lr_d', 0.01)])\n",
    DICT + "for k in ('lr_d',):\n    cfg[k] = 0.01\n",
    DICT + "from other import cfg\n",
    DICT + "from local import *\n",
    NESTED + "cfg.update({'optim': {'lr_d': 0.01}})\n",
    NESTED + "cfg['optim'].update({'lr_d': 0.01})\n",
    NESTED + "cfg.pop('optim')\n",
    # constants
    PLAIN + "globals()['lr_d'] = 0.01\n",
    PLAIN + "globals().update({'lr_d': 0.01})\n",
    PLAIN + "globals().update(load())\n",
    PLAIN + "for k in ('lr_d',):\n    globals()[k] = 0.01\n",
    PLAIN + "vars().update(lr_d=0.01)\n",
    PLAIN + "def f():\n    globals()['lr_d'] = 0.01\nf()\n",
    PLAIN + "from local import *\n",
    PLAIN + "if True:\n    from other import lr_d\n",
    PLAIN + "from other import rate as lr_d\n",
    PLAIN + "del lr_d\n",
    PLAIN + "import sys\nsetattr(sys.modules[__name__], 'lr_d', 0.01)\n",
    PLAIN + "import sys\nfor k in ('lr_d',):\n    setattr(sys.modules[__name__], k, 0.01)\n",
]


def key_of(text: str) -> str:
    (found,) = [s.key for s in python.scan(text).found.values() if s.path[-1] == "lr_d"][:1]
    return found


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_program_does_not_go_by_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(SpliceError, match=r"lr_d` .*(in line \d|`Config`|by update\(\))"):
        python.splice(text, [Target(key_of(text), 0.002)])


COUNTS = [
    CLASS,
    DICT,
    NESTED,
    PLAIN,
    "from math import *\n" + PLAIN,
    "from math import pi as lr_d\n" + PLAIN,
    PLAIN + "from math import pi\nimport math\n",
    PLAIN + "globals()['width'] = 4\nglobals().update({'width': 5})\n",
    PLAIN + "def f():\n    from math import pi as lr_d\n    return lr_d\n",
    CLASS + "from math import pi\nvars(Config)\n",
    OWN_INIT + "        vars(self).update({'width': 4})\n        self.__dict__['width'] = 5\n",
    OWN_INIT + "        setattr(self, 'width', 4)\n",
    CLASS + "class Other:\n    def __init__(self, **kw):\n        self.__dict__.update(kw)\n"
    "        for k, v in kw.items():\n            setattr(self, k, v)\n",
    CLASS + "class Other:\n    def __getattr__(self, name):\n        return 1\n",
    CLASS + "Mine = type('Mine', (Config,), {'width': 4})\n",
    CLASS + "Other = type('Other', (), dict(lr_d=0.5))\n",
    DICT + "cfg.update({'width': 4})\ncfg.update(width=5)\ncfg.pop('width')\n",
    DICT + "cfg.setdefault('lr_d', 0.5)\ncfg['width'] = 4\n",
    DICT + "other = {}\nother.update(cfg)\nother.pop('lr_d')\nother['lr_d'] = 1\n",
    DICT + "print(cfg['lr_d'])\n",
    NESTED + "cfg.update({'width': 4})\ncfg['optim'].update({'betas': 1})\n",
]


@pytest.mark.parametrize("text", COUNTS)
def test_what_the_program_goes_by_is_changed(text: str) -> None:
    before, after = ran(text), ran(python.splice(text, [Target(key_of(text), 0.002)]).text)
    assert before == 0.02
    assert after == 0.002


def ran(text: str) -> object:
    names: dict[str, object] = {"print": lambda *_: None}
    exec(text, names)  # noqa: S102  our own lines
    if "Config" in names:
        made = names["Config"]
        return made().lr_d  # type: ignore[operator]
    if "cfg" in names:
        cfg = names["cfg"]
        assert isinstance(cfg, dict)
        return cfg.get("optim", cfg)["lr_d"]
    return names["lr_d"]
