"""Settings that a framework hands over: Sacred, Hydra, Lightning's CLI, descriptions, partials."""

from __future__ import annotations

import pytest

SACRED = """
ex = Experiment()

@ex.config
def cfg():
    kind = "rmsprop"
    lr_d = 4
    lr_g = 1
    data = {"size": 64, "bs": 8}

@ex.capture(prefix="data")
def loader(size, bs=3):
    return DataLoader(Folder(transform=Resize(size)), batch_size=bs)

@ex.capture
def optimisers(netG, netD, kind, lr_g, lr_d=7):
    if kind == "rmsprop":
        g, d = RMSprop(netG.parameters(), lr=lr_g), RMSprop(netD.parameters(), lr=lr_d)
    else:
        g, d = Adam(netG.parameters(), lr=lr_g), Adam(netD.parameters(), lr=lr_d)
    return g, d

@ex.automain
def main():
    data = loader()
    g, d = optimisers(Generator(), Discriminator())
"""
LIGHTNING = {
    "gan.py": """
        class GAN(LightningModule):
            def __init__(self, lr=1.0, b1=0.5, latent_dim=10):
                self.save_hyperparameters()
                self.generator = Generator(latent_dim)

            def configure_optimizers(self):
                lr, b1 = self.hparams.lr, self.hparams.b1
                g = Adam(self.generator.parameters(), lr=lr, betas=(b1, 0.9))
                d = Adam(self.discriminator.parameters(), lr=lr, betas=(b1, 0.9))
                return g, d
        """,
    "main.py": "from gan import GAN\nLightningCLI(GAN)\n",
    "config.yaml": """
        trainer: {max_epochs: 60}
        model:
          class_path: gan.GAN
          init_args: {lr: 3.0, b1: 0.25, latent_dim: 64}
        """,
}
STORE = """
@dataclass
class Optim:
    _target_: str = "torch.optim.Adam"
    lr: float = MISSING
    betas: tuple = (0.25, 0.75)

@dataclass
class OptimD(Optim):
    lr: float = 4.0

@dataclass
class OptimG(Optim):
    lr: float = 1.0

@dataclass
class Config:
    optim_d: OptimD = field(default_factory=OptimD)
    optim_g: OptimG = field(default_factory=lambda: OptimG())

@hydra.main(config_name="config")
def main(cfg: Config):
    D, G = Discriminator(), Generator()
    d = instantiate(cfg.optim_d, params=D.parameters())
    g = instantiate(cfg.optim_g, G.parameters())
"""
FACTORY = {
    "train.py": """
        @click.option("--glr", default=1.0)
        @click.option("--dlr", default=4.0)
        def main(**kwargs):
            opts, c = EasyDict(kwargs), EasyDict()
            c.G_opt = EasyDict(class_name="torch.optim.Adam", betas=[0, 0.75])
            c.D_opt = EasyDict(class_name="torch.optim.Adam", betas=[0.25, 0.75])
            c.loss = EasyDict(class_name="training.loss.GANLoss")
            c.G_opt.lr = opts.glr
            c.D_opt.lr = opts.dlr
        """,
    "training/loss.py": "def run(x):\n    return softplus(-x).mean() + softplus(D(x))\n",
}
YAML = {
    "train.py": """
        cfg = OmegaConf.load("config.yaml")
        D, G = Discriminator(), Generator()
        d = instantiate(cfg.optim.d)(D.parameters())
        g = instantiate(cfg.optim.g)(G.parameters())
        """,
    "config.yaml": """
        optim:
          d: {_target_: torch.optim.Adam, _partial_: true, lr: 4.0, betas: [0.25, 0.75]}
          g: {_target_: torch.optim.Adam, _partial_: true, lr: 1.0, betas: [0.25, 0.75]}
        """,
}


def values(found):
    return {name: f.value for name, f in found.found.items()}


def has(found, **want):
    got = values(found)
    return {name: got.get(name) for name in want} == want


def test_sacred_hands_what_its_config_says(code):
    found, _ = code(SACRED)
    assert has(found, lr_d=4, lr_g=1, optimizer_d="rmsprop", optimizer_g="rmsprop")
    assert has(found, image_size=64, batch_size=8)
    assert found.found["lr_d"].place.line == "7"


def test_the_config_of_another_experiment_hands_nothing(code):
    found, _ = code(SACRED.replace("@ex.config", "@other.config"))
    assert "lr_g" not in found.found
    assert has(found, lr_d=7)


def test_the_config_of_lightnings_cli_goes_before_the_defaults_of_the_class(code):
    found, _ = code(LIGHTNING)
    assert has(found, lr_d=3, lr_g=3, beta1_d=0.25, latent_dim=64, epochs=60)
    assert found.found["lr_d"].place.file == "config.yaml"


def test_a_config_of_another_class_says_nothing_of_this_one(code):
    config = LIGHTNING["config.yaml"].replace("gan.GAN", "gan.Other")
    found, _ = code({**LIGHTNING, "config.yaml": config})
    assert has(found, lr_d=1, beta1_d=0.5)


@pytest.mark.parametrize("files", [STORE, FACTORY, YAML], ids=["store", "factory", "yaml"])
def test_optimisers_are_read_from_their_descriptions(code, files):
    found, _ = code(files)
    assert has(found, lr_d=4, lr_g=1, beta1_d=0.25, beta2_g=0.75, optimizer_d="adam")


def test_an_entry_of_the_same_name_is_not_that_of_another_optimiser(code):
    config = YAML["config.yaml"].replace("lr: 1.0, ", "")
    found, _ = code({**YAML, "config.yaml": config})
    assert has(found, lr_d=4, optimizer_g="adam")
    assert "lr_g" not in found.found


def test_a_loss_that_is_loaded_by_its_name_is_read(code):
    found, _ = code(FACTORY)
    assert has(found, loss_family="nonsaturating")


@pytest.mark.parametrize(
    ("files", "file", "line"),
    [(STORE, "train.py", 10), (FACTORY, "train.py", 3), (YAML, "config.yaml", 3)],
    ids=["store", "factory", "yaml"],
)
def test_the_rate_of_a_described_optimiser_is_changed_where_it_stands(code, files, file, line):
    _, editor = code(files)
    edited = editor.edit({"lr_d": 2.0})
    assert [(c.file, c.line) for _, c in edited.changes] == [(file, str(line))]
    found, _ = code({**files, **edited.texts} if isinstance(files, dict) else edited.texts)
    assert has(found, lr_d=2, lr_g=1)


def test_of_a_partial_nobody_calls_no_default_is_told(code):
    found, _ = code(
        "D_opt = Adam(Discriminator().parameters(), 4)\n"
        "learn = Learner(Generator(), opt_func=partial(RMSprop, mom=0.5))\n"
    )
    assert "lr_g" not in found.found
    assert has(found, lr_d=4)


MEANS = """
def d_loss(real, fake):
    r = mean(real_img)
    f = mean(fake_img)
    return {}
"""
LOSSES = {
    "means by name": (MEANS.format("f - r"), "wgan"),
    "a sum of means": (MEANS.format("f + r"), None),
    "two classes": ("errD = SoftmaxCrossEntropyLoss()(out, real_label)", "nonsaturating"),
    "classes of data": ("aux = SoftmaxCrossEntropyLoss()(out, digits)", None),
}


@pytest.mark.parametrize("kind", LOSSES)
def test_losses_that_are_told_by_what_they_are_given(code, kind):
    text, family = LOSSES[kind]
    found, _ = code(
        f"{text}\nD, G = Discriminator(), Generator()\n"
        "d, g = Adam(D.parameters(), 1), Adam(G.parameters(), 1)\n"
    )
    assert values(found).get("loss_family") == family


def test_a_config_goes_before_what_a_class_of_configs_sets_first(code):
    found, _ = code(
        {
            "train.py": """
                class Cfgs:
                    def __init__(self, file):
                        self.LOSS = Empty()
                        self.LOSS.adv_loss = "vanilla"
                        self.update(yaml.load(file))

                    def optimisers(self, netD, netG):
                        self.losses = table[self.LOSS.adv_loss]
                        self.d = Adam(netD.parameters(), 1)
                        self.g = Adam(netG.parameters(), 1)
                """,
            "config.yaml": "LOSS: {adv_loss: hinge}\n",
        }
    )
    assert has(found, loss_family="hinge")


def test_of_many_files_that_which_makes_both_optimisers_is_read(code):
    files = {
        f"train_{i}.py": f"# discriminator netD netD netD\nclass Trainer{i}:\n    o = Adam()\n"
        for i in range(9)
    }
    found, _ = code(
        {
            **files,
            "examples/sngan.py": "d = Adam(netD.parameters(), 4)\ng = Adam(netG.parameters(), 1)\n",
        }
    )
    assert has(found, lr_d=4, lr_g=1)


@pytest.mark.parametrize(("name", "steps"), [("n_critic", 5), ("save_every", None)])
def test_what_is_done_now_and_then_is_no_step_of_g(code, name, steps):
    found, _ = code(
        f"{name} = 5\nD, G = Discriminator(), Generator()\n"
        "d, g = Adam(D.parameters(), 1), Adam(G.parameters(), 1)\n"
        f"for i in range(9):\n    d.step()\n    if i % {name} == 0:\n        g.step()\n"
    )
    assert values(found).get("n_critic") == steps


def test_what_holds_for_the_first_steps_alone_is_not_the_rule(code):
    found, _ = code("""
        def train(netD, netG, iters=5, first_iters=100):
            d, g = Adam(netD.parameters(), 1), Adam(netG.parameters(), 1)
            done = 0
            for i in range(9):
                if done < 25 or done % 500 == 0:
                    n = first_iters
                else:
                    n = iters
                for _ in range(n):
                    d.step()
                g.step()
                done += 1
        """)
    assert has(found, n_critic=5)


def test_a_method_of_one_network_is_none_of_the_other(code):
    found, _ = code("""
        class Generator:
            def build(self, z):
                return Dense(9)(z)

        class Discriminator:
            def build(self, x):
                return Dense(1, activation="sigmoid")(Dropout(0.3)(x))

        generator, critic = Generator().build(z), Discriminator().build(x)
        d, g = Adam(1).minimize(d_loss), Adam(1).minimize(g_loss)
        """)
    assert "output_activation" not in found.found
    assert has(found, d_dropout=0.3)


@pytest.mark.parametrize(("other", "size"), [(64, 64), (32, None)])
def test_a_file_of_several_data_sets_tells_no_one_size(code, other, size):
    found, _ = code(
        {
            "train.py": """
                from datasets import cifar
                d, g = Adam(netD.parameters(), 1), Adam(netG.parameters(), 1)
                """,
            "datasets.py": f"""
                def lsun():
                    return LSUN(transform=Resize(64))

                def cifar():
                    return CIFAR(transform=Resize({other}))
                """,
        }
    )
    assert values(found).get("image_size") == size


def test_the_penalty_r1_has_a_weight_of_its_own(code):
    found, _ = code(
        "r1_gamma = 10.0\nd, g = Adam(netD.parameters(), 1), Adam(netG.parameters(), 1)\n"
        "loss = loss + r1_gamma / 2 * r1_penalty(real)\n"
    )
    assert has(found, r1_gamma=10)
    assert "lambda_gp" not in found.found


@pytest.mark.parametrize("made", ["GANLoss(D)", 'make("training.GANLoss", options)'])
def test_defaults_of_a_class_that_is_made_by_its_name_are_not_known(code, made):
    found, _ = code(
        "class GANLoss:\n    def __init__(self, D, r1_gamma=10):\n        self.r1_gamma = r1_gamma\n"
        "    def run(self):\n        return self.r1_gamma / 2\n"
        f"d, g = Adam(netD.parameters(), 1), Adam(netG.parameters(), 1)\nloss = {made}\n"
    )
    assert values(found).get("r1_gamma") == (10 if made == "GANLoss(D)" else None)
