"""Settings in training code as it is written elsewhere: Keras, Lightning, YAML trees, old scripts."""

from __future__ import annotations

import ast
import textwrap

import pytest

from gandoctor.api import Options
from gandoctor.api.code import settings_told
from gandoctor.configs import python
from gandoctor.configs.splice import SpliceError
from gandoctor.errors import InputError

NETS = "D, G = Discriminator(), Generator()\n"
PAIR = NETS + "d_opt = Adam(D.parameters(), {d})\ng_opt = Adam(G.parameters(), {g})\n"


def values(found):
    return {name: f.value for name, f in found.found.items()}


def place(found, name):
    return f"{found.found[name].place.file}:{found.found[name].place.line}"


RATES = {
    "a word": (
        ('discriminator.compile(loss="binary_crossentropy", optimizer="rmsprop")\n'
        'gan.compile(loss="binary_crossentropy", optimizer="adam")\n'
        'use(lambda: Discriminator())'), 0.001, 0.001,
    ),
    "a model of its function": (
        ("def define_discriminator():\n    model = Sequential()\n"
        "    model.compile(loss='mse', optimizer=Adam(1))\n"
        "def define_gan(g, d):\n    model = Sequential()\n    model.compile(optimizer=Adam(2))"),
        1, 2,
    ),
    "a trainer": (
        NETS + 'd = gluon.Trainer(netD.collect_params(), "adam", {"learning_rate": 1})\n'
        'g = gluon.Trainer(netG.collect_params(), "adam", {"learning_rate": 2})', 1, 2,
    ),
    "another name": (
        NETS + "opt = torch.optim.Adam\n"
        "def both(lr):\n    return opt(G.parameters(), lr=2), opt(D.parameters(), lr=lr)\nboth(1)",
        1, 2,
    ),
    "by its name": (
        NETS + 'name = "SGD"\nd = getattr(torch.optim, name)(D.parameters(), lr=1)\n'
        "g = getattr(torch.optim, name)(G.parameters(), lr=2)", 1, 2,
    ),
    "a branch": (
        ('MODE = "a"\nif MODE == "a":\n    d_op = Adam(1).minimize(d_loss)\n'
        "    g_op = Adam(2).minimize(g_loss)\nelif MODE == 'b':\n"
        "    d_op = Adam(3).minimize(d_loss)\n    g_op = Adam(4).minimize(g_loss)"), 1, 2,
    ),
    "hparams": (
        ("class GAN(pl.LightningModule):\n    def __init__(self, lr_d=1, lr_g=2):\n"
        "        self.save_hyperparameters()\n    def configure_optimizers(self):\n"
        "        return (Adam(self.discriminator.parameters(), lr=self.hparams.lr_d),\n"
        "                Adam(self.generator.parameters(), lr=self.hparams.lr_g))"), 1, 2,
    ),
    "parts of one config": (
        "config = ConfigDict()\nconfig.d = ConfigDict()\nconfig.d.lr = 1\nconfig.g.lr = 2\n"
        "def train(config):\n" + textwrap.indent(PAIR.format(d="config.d.lr", g="config.g.lr"), "    ")
        + "train(FLAGS.config)", 1, 2,
    ),
    "optax": ("opt_d, opt_g = optax.adam(1), optax.adam(2)", 1, 2),
    "a named tuple": (
        ("P = collections.namedtuple('P', ['d', 'g'])\ndef train(p):\n"
        + textwrap.indent(PAIR.format(d="p.d", g="p.g"), "    ") + "train(P(1, g=2))"), 1, 2,
    ),
    "a named tuple's defaults": (
        "P = namedtuple('P', 'n d g', defaults=(1, 2))\np = P(9)\n" + PAIR.format(d="p.d", g="p.g"),
        1, 2,
    ),
    "a dataclass by place": (
        "@dataclass\nclass P:\n    d: float\n    g: float = 3\np = P(1, 2)\n"
        + PAIR.format(d="p.d", g="p.g"), 1, 2,
    ),
    "an exception": (
        "x = 1\nif args.debug:\n    x = 5\n" + PAIR.format(d="x", g="2"), 1, 2,
    ),
    "an exception of an object": (
        ("class T:\n    def __init__(self, k):\n        self.lr = 1\n        if k:\n            self.lr = 5\n"
        "    def run(self):\n") + textwrap.indent(PAIR.format(d="self.lr", g="2"), " " * 8), 1, 2,
    ),
    "what it is annotated with": (
        "class P:\n    def __init__(self, d=1, g=2):\n        self.d = d\n        self.g = g\n"
        "class T:\n    def __init__(self, p: P):\n        self.p = p\n    def run(self):\n"
        + textwrap.indent(PAIR.format(d="self.p.d", g="self.p.g"), " " * 8), 1, 2,
    ),
    "a table": (
        "RATES = {'a': (3, 4), 'b': (1, 2)}\ndef rates(kind):\n    return RATES[kind]\n"
        'parser.add_argument("--kind", default="b")\nargs = parser.parse_args()\n'
        "x, y = rates(args.kind)\n" + PAIR.format(d="x", g="y"), 1, 2,
    ),
    "made a schedule of": (
        "def falling(base_lr, steps):\n    return tf.cond(go, lambda: base_lr, lambda: 0.0)\n"
        + PAIR.format(d="falling(1, 100)", g="falling(base_lr=2, steps=5)"), 1, 2,
    ),
    "a partial": (
        NETS + "made = partial(optim.Adam, lr=1)\na = made(D.parameters())\n"
        "b = made(G.parameters(), lr=2)", 1, 2,
    ),
    "partials that are handed on": (
        NETS + "train(d_opt=functools.partial(optim.Adam, lr=1), g_opt=partial(Adam, lr=2))", 1, 2,
    ),
    "tuple of both": (PAIR.format(d="lr=a", g="lr=b") + "a, b = 1, 2", 1, 2),
}  # fmt: skip


@pytest.mark.parametrize("kind", RATES)
def test_rates_are_found(code, kind):
    text, d, g = RATES[kind]
    found, _ = code(text)
    assert (values(found)["lr_d"], values(found)["lr_g"]) == (d, g)


def test_ends_of_keys_tell_values_of_a_config_apart(code):
    found, editor = code(
        {
            "train.py": """\
                with open(path) as f:
                    opt = yaml.safe_load(f)
                class Model:
                    def made(self, params, lr, **kwargs):
                        return torch.optim.Adam(params, lr, **kwargs)
                    def setup(self):
                        train_opt = self.opt["train"]
                        self.d = self.made(self.net_d.parameters(), **train_opt["optim_d"])
                        self.g = self.made(self.net_g.parameters(), **train_opt["optim_g"])
                """,
            "options/train.yml": """\
                train:
                  optim_g:
                    lr: 0.0001
                    betas: [0.9, 0.99]
                  optim_d:
                    lr: 0.0004
                    betas: [0.5, 0.9]
                """,
        }
    )
    assert values(found).items() >= {
        "lr_d": 0.0004, "lr_g": 0.0001, "beta1_d": 0.5, "beta2_d": 0.9, "beta1_g": 0.9,
    }.items()  # fmt: skip
    assert place(found, "lr_d") == "options/train.yml:6"
    ((_, change),) = editor.edit({"lr_d": 0.0001}).changes
    assert (change.file, change.line) == ("options/train.yml", "6")


def test_a_key_that_stands_for_several_values_says_nothing(code):
    found, _ = code(
        {
            "train.py": "c = yaml.safe_load(open(p))\n" + PAIR.format(d="c.x.lr", g="c.y.lr"),
            "config.yaml": "a:\n  lr: 1\nb:\n  lr: 2\n",
        }
    )
    assert not {"lr_d", "lr_g"} & values(found).keys()


def test_what_is_handed_and_not_known_is_no_default(code):
    found, _ = code("""\
        runs = [{"lr": 1, "epochs": 10}, {"lr": 2, "epochs": 20}]
        def train(lr=3, epochs=30, batch_size=8):
            D, G = Discriminator(), Generator()
            d_opt = Adam(D.parameters(), lr=lr)
            g_opt = Adam(G.parameters(), lr=4)
            for epoch in range(epochs):
                for x in DataLoader(data, batch_size=batch_size):
                    d_opt.step()
                    g_opt.step()
        for run in runs:
            train(run["lr"], epochs=run["epochs"])
        """)
    assert values(found).items() >= {"lr_g": 4, "batch_size": 8}.items()
    assert not {"lr_d", "epochs"} & values(found).keys()


def test_of_a_pair_the_first_is_told(code):
    found, editor = code(
        NETS + "opt_G = Adam(chain(G_AB.parameters(), G_BA.parameters()), lr=1e-3)\n"
        "opt_D_A = Adam(D_A.parameters(), lr=1e-3)\nopt_D_B = Adam(D_B.parameters(), lr=1e-3)\n"
    )
    assert place(found, "lr_d") == "train.py:3"
    ((_, change),) = editor.edit({"lr_d": 1e-4}).changes
    assert change.line == "3"


EDITS = {
    "one object for both": (
        ("o = Adam(1e-3, 0.5)\ndiscriminator.compile(loss='mse', optimizer=o)\n"
        "combined.compile(loss='mse', optimizer=o)"),
        "optimizer=o)\ncom", "optimizer=Adam(1e-4, 0.5))\ncom",
    ),
    "one object by default": (
        "o = Adam()\ndiscriminator.compile(optimizer=o)\ncombined.compile(optimizer=o)",
        "optimizer=o)\ncom", "optimizer=Adam(learning_rate=0.0001))\ncom",
    ),
    "a word": (
        ("from tensorflow import keras\ndiscriminator.compile(optimizer='adam')\n"
        "gan.compile(optimizer='adam')"),
        "'adam')\ngan", "keras.optimizers.Adam(learning_rate=0.0001))\ngan",
    ),
    "the default of a helper": (
        NETS + "def made(net, rate=1e-3):\n    opt = Adam(alpha=rate)\n    opt.setup(net)\n    return opt\n"
        "opt_gen = made(gen)\nopt_dis = made(dis)",
        "made(dis)", "made(dis, rate=1e-4)",
    ),
    "a partial": (
        NETS + "new = partial(optim.Adam, lr=1e-3)\nd = new(D.parameters())\ng = new(G.parameters())",
        "(D.parameters())", "(D.parameters(), lr=1e-4)",
    ),
    "shared options": (
        NETS + "o = dict(lr=1e-3, betas=(0.5, 0.9))\nd = Adam(D.parameters(), **o)\n"
        "g = Adam(G.parameters(), **o)",
        "**o)\ng", '**{**o, "lr": 1e-4})\ng',
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", EDITS)
def test_the_rate_of_d_alone_is_changed(code, kind):
    text, old, new = EDITS[kind]
    _, editor = code(text)
    assert editor.edit({"lr_d": 1e-4}).texts == {"train.py": text.replace(old, new, 1)}


def test_a_word_is_left_where_no_name_for_its_class_is_known(code):
    _, editor = code("discriminator.compile(optimizer='adam')\ngan.compile(optimizer='adam')")
    with pytest.raises(python.edits.SpliceError):
        editor.edit({"lr_d": 1e-4})


LOSSES = {
    "wgan": ("def wasserstein_loss(a, b):\n    return K.mean(a * b)\nd.compile(loss=wasserstein_loss)", 5),
    "lsgan": ("def discriminator_loss(r, f):\n    return mean((1 - r) ** 2) + mean(f ** 2)", 5),
    "hinge": (
        ("def bce_dis(f, r):\n    return softplus(-r) + softplus(f)\n"
        "def hinge_dis(f, r):\n    return relu(1 - r) + relu(1 + f)\nloss = hinge_dis"), 7,
    ),
    "nonsaturating": ("loss = nn.SoftMarginLoss()", 4),
    "wgan-gp": ("MODE = 'wgan-gp'\nif MODE == 'dcgan':\n    x = bce\n", 4),
}  # fmt: skip


@pytest.mark.parametrize("family", LOSSES)
def test_losses_as_codes_define_them(code, family):
    text, line = LOSSES[family]
    found, _ = code(PAIR.format(d=1, g=2) + text)
    assert values(found)["loss_family"] == family
    assert place(found, "loss_family") == f"train.py:{line}"


def test_of_several_losses_the_one_that_is_called_last_counts(code):
    losses = (
        "def plain(real, fake):\n    return nn.BCELoss()(real, 1)\n"
        "def squares(real, fake):\n    return square(real - 1) + square(fake)\n"
    )
    found, _ = code(
        f"{losses}loss = plain(r, f)\n{PAIR.format(d=1, g=2)}loss = squares(r, f)\n"
        + PAIR.format(d=3, g=4)
    )
    assert values(found).items() >= {"loss_family": "lsgan", "lr_d": 3}.items()


NAMED = {
    "a declared option": ('parser.add_argument("--zdim", default=70)', "latent_dim", 70),
    "a trainer's word": ("Trainer(netD=D, n_dis=5)", "n_critic", 5),
    "lightning": ("pl.Trainer(max_epochs=9)", "epochs", 9),
    "label": ("real_label = 0.9\nuse(real_label)", "label_smoothing", 0.9),
    "of a loss": ("BinaryCrossentropy(label_smoothing=0.1)", "label_smoothing", 0.1),
    "a factor": ("loss = gan + LAMBDA * l1_loss\nLAMBDA = 100", "lambda_l1", 100),
    "a constraint": ("const = ClipConstraint(0.02)", "clip_value", 0.02),
    "a penalty's own weight": (
        "def gradient_penalty(x, weight=8):\n    return weight * x\ngradient_penalty(1)", "lambda_gp", 8,
    ),
    "around a mean": (
        "def f(n):\n    mean = torch.zeros(n, 96)\n    fakez = torch.normal(mean=mean, std=mean + 1)",
        "latent_dim", 96,
    ),
    "a shape": ("img_shape = (1, 28, 28)\nuse(img_shape)", "image_size", 28),
    "resized": ("def load(f):\n    return Image.open(f).resize((48, 48))", "image_size", 48),
    "steps of G": (
        ("for _ in loader:\n    for _ in range(2):\n        d_opt.step()\n"
        "    for _ in range(3):\n        g_opt.step()"), "n_gen", 3,
    ),
    "a last block": (
        ("class Generator:\n    def __init__(self):\n        self.net = [self.block(), self.block(last=True)]\n"
        "    def block(self, last=False):\n        if not last:\n            return nn.ReLU()\n"
        "        else:\n            return nn.Tanh()"), "output_activation", "tanh",
    ),
    "kept for later": (
        ("class Run:\n    def __init__(self):\n        self.net = None\n    def build(self):\n"
        "        self.net = Net(dim=77)\n    def go(self, n):\n        z = randn(n, self.net.dim)\n"
        "class Net:\n    def __init__(self, dim):\n        self.dim = dim"), "latent_dim", 77,
    ),
    "drawn": ("def f(n):\n    noise = tf.random_normal([n, 128])", "latent_dim", 128),
    "assembled": ("generator = Sequential([Dense(9), Dense(9, activation='tanh')])", "output_activation", "tanh"),
    "added": ("generator.add(Dense(9))\ngenerator.add(Activation('tanh'))", "output_activation", "tanh"),
    "by what it is made as": (
        "class UNet:\n    def forward(self, x):\n        return torch.tanh(x)\nnetG = UNet()",
        "output_activation", "tanh",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", NAMED)
def test_other_settings_are_found(code, kind):
    text, setting, value = NAMED[kind]
    found, _ = code(PAIR.format(d=1, g=2) + text)
    assert values(found)[setting] == value


def test_an_activation_is_no_loss_and_no_last_layer(code):
    mish = "class Mish:\n    def forward(self, x):\n        return x * torch.tanh(F.softplus(x))\n"
    net = "class Run:\n    def __init__(self):\n        self.gen = nn.Sequential(nn.Linear(1, 1), Mish())\n"
    found, _ = code(mish + net + PAIR.format(d=1, g=2) + "loss = fake.mean() - real.mean()")
    assert values(found)["loss_family"] == "wgan"
    assert "output_activation" not in values(found)


def test_what_another_program_sets_is_not_what_this_one_is_given(code):
    train = (
        "from opts import parser\nopt = parser.parse_args()\nloader = DataLoader(data, opt.batch)\n"
    )
    found, _ = code(
        {
            "opts.py": "parser = ArgumentParser()\nparser.add_argument('--batch', default=64)",
            "train.py": train + PAIR.format(d=1, g=2) + "d_opt.step()",
            "test.py": "from opts import parser\nopt = parser.parse_args()\nopt.batch = 1\n",
        }
    )
    assert values(found)["batch_size"] == 64


def test_a_falling_rate_is_no_hinge_loss(code):
    text = "LambdaLR(d_opt, lambda e: max(0, 1 - e / 100))\nloss = nn.BCELoss()"
    found, _ = code(PAIR.format(d=1, g=2) + text)
    assert values(found)["loss_family"] == "nonsaturating"


def test_a_method_that_the_class_at_work_replaces_says_no_loss(code):
    base = (
        "class Base:\n    def d_loss(self, real, fake):\n        return nn.BCELoss()(real, fake)\n"
    )
    heir = "class Mine(Base):\n    def d_loss(self, real, fake):\n        return fake.mean() - real.mean()\n"
    found, _ = code(base + heir + PAIR.format(d=1, g=2) + "Mine().d_loss(real, fake)")
    assert values(found)["loss_family"] == "wgan"


def test_the_test_of_a_file_does_not_say_what_it_is_called_with(code):
    train = "def train(lr):\n" + textwrap.indent(PAIR.format(d="lr", g="lr"), "    ")
    found, _ = code(
        {
            "train_lib.py": train,
            "train_lib_test.py": "import train_lib\ntrain_lib.train(9)",
            "main.py": "import train_lib\ntrain_lib.train(1)",
        }
    )
    assert values(found)["lr_d"] == 1


def test_an_import_that_names_the_package_around_the_tree(code):
    found, _ = code(
        {
            "gan/train.py": "from zoo.models.gan.rates import D_RATE\n"
            + PAIR.format(d="D_RATE", g=2),
            "gan/rates.py": "D_RATE = 1",
        }
    )
    assert place(found, "lr_d") == "gan/rates.py:1"


def test_real_labels_of_one_are_no_smoothing(code):
    found, _ = code(PAIR.format(d=1, g=2) + "real_label = 1.0\nuse(real_label)")
    assert "label_smoothing" not in values(found)


def test_steps_of_one_network_are_no_length_of_the_training(code):
    found, _ = code(f"""\
        {textwrap.indent(PAIR.format(d=1, g=2), " " * 8).strip()}
        def step(x):
            for i in range(n_d):
                d_opt.step()
            g_opt.step()
        n_d = 3
        """)
    assert values(found)["n_critic"] == 3
    assert "iterations" not in values(found)


def test_of_a_collection_of_trainings_each_speaks_for_itself(code):
    one = PAIR.format(d=1, g=2) + "loss = nn.BCELoss()\nz_dim = 64\nuse(z_dim)\n"
    other = PAIR.format(d=3, g=4) + "lambda_gp = 10\nuse(lambda_gp)\nD.weight_clip = 0.01\n"
    runner = "import a_gan, b_gan\nfor step in range(9):\n    a_gan.step()\n"
    found, _ = code({"a_gan.py": one, "b_gan.py": other, "zoo.py": runner})
    assert {f.sure for f in found.found.values()} == {"low"}  # it could as well be the other
    of_one, of_other = ("latent_dim", "loss_family"), ("lambda_gp",)
    mine, others = (of_one, of_other) if found.home == "a_gan.py" else (of_other, of_one)
    assert set(mine) <= values(found).keys()
    assert not set(others) & values(found).keys()


def test_layers_of_two_dimensions_are_no_discriminators(code):
    found, _ = code(
        "def deconv2d(x, rate=0):\n    return Dropout(rate)(x)\n"
        "class Discriminator:\n    def __init__(self):\n        self.drop = Dropout(0.25)\n"
        + PAIR.format(d=1, g=2)
    )
    assert values(found)["d_dropout"] == 0.25


def test_what_is_made_for_looking_at_is_no_data(code):
    looked = "def inference(img):\n    return img / 255.0\n"
    found, _ = code(looked + PAIR.format(d=1, g=2))
    assert "data_range" not in values(found)
    found, _ = code(
        looked + "def load_real_samples(x):\n    return x / 127.5 - 1\n" + PAIR.format(d=1, g=2)
    )
    assert values(found)["data_range"] == "-1..1"


def test_a_loop_until_a_step(code):
    found, _ = code(
        PAIR.format(d=1, g=2) + "total = 500\nwhile model.steps < total:\n    train()\n"
    )
    assert values(found)["iterations"] == 500


def test_an_optimiser_is_told_by_its_rate(code):
    found, _ = code("d_lr, g_lr = 1, 2\na = Adam(d_lr)\nb = Adam(g_lr)\nuse(Discriminator)\n")
    assert (values(found)["lr_d"], values(found)["lr_g"]) == (1, 2)


def test_a_script_below_the_top_of_its_tree_is_read_with_what_it_takes_in(code, tmp_path):
    model = "class Model:\n    def __init__(self, opt):\n" + textwrap.indent(
        PAIR.format(d="opt.lr", g="opt.lr"), " " * 8
    )
    code(
        {
            "train.py": "from options import get\nfrom models.gan import Model\nModel(get())\n",
            "options.py": 'parser.add_argument("--lr", default=0.5)\ndef get():\n'
            "    return parser.parse_args()\n",
            "models/gan.py": model,
        }
    )
    for script in ("train.py", "models/gan.py"):
        found, _ = python.read(tmp_path / script)
        assert place(found, "lr_d") == "options.py:1"


def test_a_program_that_loads_its_model_by_name(code, tmp_path):
    code(
        {
            "train.py": "net = __import__(config['model'])\nfor x in data:\n    net.d_opt.step()\n",
            "biggan.py": PAIR.format(d=1, g=2),
            "plain.py": "x = 1\n",
        }
    )
    found, _ = python.read(tmp_path / "train.py")
    assert values(found)["lr_d"] == 1
    assert python.read(tmp_path / "plain.py")[0] is None


def test_of_several_configs_what_most_of_them_say(code):
    text = (
        'runs = [{"lr": 1, "b": 4}, {"lr": 2, "b": 5}, {"lr": 1, "b": 6}]\n'
        "def train(c):\n    D, G = Discriminator(), Generator()\n"
        '    d = Adam(D.parameters(), lr=c["lr"])\n    g = Adam(G.parameters(), lr=c["lr"])\n'
        '    load = DataLoader(data, batch_size=c["b"])\nfor run in runs:\n    train(run)\n'
    )
    found, _ = code(text)
    assert (values(found)["lr_d"], found.found["lr_d"].sure) == (1, "medium")
    assert "batch_size" not in values(found)


MM_STYLE = """
model = dict(type="Gan", generator=dict(type="Net", noise_size=100), gan_loss=dict(gan_type="wgan"))
optimizer = dict(
    generator=dict(type="Adam", lr=0.5, betas=(0.5, 0.9)),
    discriminator=dict(type="Adam", lr=0.25))
train_cfg = dict(disc_steps=5)
data = dict(samples_per_gpu=16)
"""


def test_a_config_of_constants_beside_a_log_is_the_runs(tmp_path):
    (tmp_path / "log.csv").write_text("step,d_loss,g_loss\n" + "1,2,3\n" * 9)
    (tmp_path / "wgan_celeba.py").write_text(MM_STYLE)
    (tmp_path / "tools.py").write_text("import os\nlr = 7\nbatch_size = 9\n")
    rows = {r["setting"]: r for r in settings_told(tmp_path, Options())}
    want = {"lr_g": 0.5, "lr_d": 0.25, "n_critic": 5, "batch_size": 16, "latent_dim": 100}
    assert {name: rows[name]["value"] for name in want} == want
    assert rows["lr_d"]["file"] == "wgan_celeba.py"
    (tmp_path / "other.py").write_text(MM_STYLE)  # which of both is not known
    assert not settings_told(tmp_path, Options())


def test_a_config_is_no_program_whose_folder_is_searched(tmp_path):
    (tmp_path / "wgan.py").write_text(MM_STYLE)
    (tmp_path / "train.py").write_text(PAIR.format(d=1, g=2) + "d_opt.step()\n")
    with pytest.raises(InputError, match="is a configuration file"):
        settings_told(tmp_path / "wgan.py", Options())


PICTURES = {
    "a loader's": 'load = image_dataset_from_directory("d", image_size=(48, 48))',
    "a generator's": 'load = gen.flow_from_directory("d", target_size=(48, 48))',
    "D's first layer's": "m.add(layers.Conv2D(64, (5, 5), input_shape=[48, 48, 1]))",
    "D's input's": "x = Input(shape=(48, 48, 3))",
    "features'": "z = Input(shape=(4, 4, 512))\nx = Input((3, 48, 48))",
    "none": "z = Input(shape=(4, 4, 512))\ny = Conv2D(9, 3, input_shape=(8, 8, 64))",
}


@pytest.mark.parametrize("kind", PICTURES)
def test_the_size_of_pictures(code, kind):
    found, _ = code(PICTURES[kind] + "\n" + PAIR.format(d=1, g=2))
    assert values(found).get("image_size") == (None if kind == "none" else 48)


# ---------------------------------------------------------------- spectral norm

D_OF_LAYERS = """
class Discriminator(nn.Module):
    def __init__(self, width=64):
        self.main = nn.Sequential(
            nn.Conv2d(3, width, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(
                width, 1, 4,
            ),
        )
        self.head = torch.nn.Linear(width, 1)
"""


def test_spectral_norm_is_put_around_each_layer_of_d(code):
    text = D_OF_LAYERS + PAIR.format(d=1, g=2)
    _, editor = code(text)
    (after,) = editor.normed().texts.values()
    assert after == (
        text.replace("nn.Conv2d(3, width, 4, 2, 1)", "nn.utils.spectral_norm(nn.Conv2d(3, width, 4, 2, 1))")
        .replace("nn.Conv2d(\n", "nn.utils.spectral_norm(nn.Conv2d(\n")
        .replace("            ),\n        )\n", "            )),\n        )\n")
        .replace("torch.nn.Linear(width, 1)", "torch.nn.utils.spectral_norm(torch.nn.Linear(width, 1))")
    )  # fmt: skip
    found, _ = code(after)
    assert values(found)["spectral_norm"] is True


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("nn.LeakyReLU(0.2)", "Block(width)", "train.py:6: D has layers of another kind"),
        ("nn.LeakyReLU(0.2)", "nn.LSTM(9, 9)", "train.py:6: D has layers of another kind"),
        ("nn.Conv2d(3, width, 4, 2, 1)", "spectral_norm(nn.Conv2d(3, 9, 4))", "train.py:5: D has spectral norm"),
        ("nn.", "layers.", "no D of PyTorch"),
    ],
)  # fmt: skip
def test_a_d_whose_layers_are_not_all_seen_is_left(code, old, new, why):
    _, editor = code((D_OF_LAYERS + PAIR.format(d=1, g=2)).replace(old, new))
    with pytest.raises(SpliceError, match=why):
        editor.normed()


@pytest.mark.parametrize("deep", ["nn.BCELoss()", "lambda: Adam(D)", "Dropout(x)", "Conv2D(1)"])
def test_what_stands_deeper_than_is_looked(code, deep):
    text = f"class Discriminator:\n    x = {'-' * 150}({deep})\n"
    found, _ = code(f"y = {'-' * 150}({deep})\n{text}{PAIR.format(d=1, g=2)}")
    assert (values(found)["lr_d"], values(found)["lr_g"]) == (1, 2)


@pytest.mark.parametrize("indent", ["", "    "])
def test_many_loops_are_not_looked_at_all_for_each(code, monkeypatch, indent):
    seen = []
    walk = ast.walk
    monkeypatch.setattr(ast, "walk", lambda node: (seen.append(1) or n for n in walk(node)))

    def looked_at(many):
        seen.clear()
        loops = f"{indent}for i in range(n):\n{indent}    d_opt.step()\n" * many
        head = "def step():\n" if indent else ""
        code(f"n = 3\n{PAIR.format(d=1, g=2)}{head}{loops}{indent}g_opt.step()\n")
        return len(seen)

    assert looked_at(160) < 6 * looked_at(40)
