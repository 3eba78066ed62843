"""Example reports to render: hand-made curves, for tests only.

No figure anywhere comes from them.
"""

from __future__ import annotations

import functools

import numpy as np

from gandoctor.model.belief import probability
from gandoctor.model.report import (
    BeliefNote,
    Diagnosis,
    Edit,
    Evidence,
    Finding,
    NotChecked,
    ObjectiveNote,
    Prescription,
    Reason,
    Report,
    RiskNote,
    RunNote,
    Series,
    SettingNote,
    SignalNote,
    SourceNote,
    Unmapped,
)

# fmt: off
DIGEST = "3f1c9a0be27d"


def series(steps: np.ndarray, values: np.ndarray) -> Series:
    return Series(
        tuple(int(s) for s in steps),
        tuple(float(f"{v:.6g}") if np.isfinite(v) else None for v in values),
    )


def note(tag: str, role: str, data: Series, because: str,
    source: str = "events.out.tfevents.0") -> SignalNote:
    last = next((v for v in reversed(data.values) if v is not None), None)
    return SignalNote(tag, role, "", "train", len(data.steps), last, because, source)


def believed(*pieces: tuple[str, str, float, str]) -> dict[str, object]:
    """The belief that these pieces and a base rate of 0.05 nats come to, as a report's fields."""
    base = BeliefNote("base-rate", "base", 0.05,
    "of the runs that were counted, so many had failed")
    notes = (base, *(BeliefNote(*p) for p in pieces))
    return {"belief": notes, "p_failing": round(probability(sum(n.nats for n in notes)), 4)}


@functools.cache
def dominance() -> Report:
    """D at 25 times G's learning rate.

    D's loss falls to zero, G's loss climbs, G's gradient fades.
    """
    rng = np.random.default_rng(7)
    steps = np.arange(0, 4001, 5)
    fall = np.clip((steps - 60) / 260, 0, None)
    d = series(steps, (0.02 + 1.36 * np.exp(-fall)) * np.exp(0.28 * rng.standard_normal(len(steps))))
    g = series(
        steps, 0.7 + 6.1 * (1 - np.exp(-np.clip(steps - 80, 0,
            None) / 900)) + 0.42 * rng.standard_normal(len(steps))
    )
    real = series(
        steps, 1 / (1 + np.exp(-np.clip(4.2 * (1 - np.exp(-fall)) + 0.3 * rng.standard_normal(len(steps)), -9, 9)))
    )
    fake = series(
        steps, 1 / (1 + np.exp(np.clip(4.6 * (1 - np.exp(-fall)) + 0.3 * rng.standard_normal(len(steps)), -9, 9)))
    )
    gd = series(steps, 2.1 * np.exp(0.35 * rng.standard_normal(len(steps))) * np.exp(-fall / 30))
    gg = series(
        steps, 1.4 * np.exp(0.4 * rng.standard_normal(len(steps))) * np.exp(-np.clip(steps - 100, 0,
            None) / 800)
    )
    findings = (
        Finding(
            rule="d-loss-collapses-early",
            symptom="discriminator-dominance",
            title="D's loss falls towards zero and stays there",
            severity="high",
            confidence="medium",
            onset_step=420,
            fingerprint="d-loss-collapses-early:Loss/D",
            why="A discriminator that separates real from fake perfectly leaves G a gradient "
                "without direction.",
            evidence=(
                Evidence(
                    "collapsed", "true",
                    "Loss/D, smoothed, was below 0.1 on 97% of iterations 420 to 4,000; at chance "
                    "it would be 1.386",
                    where="smooth(d_loss) < 0.1", intervals=((760, 4000),), window=(420, 4000),
                        share=0.97,
                    margin=0.62, signal="Loss/D", threshold=0.1, signals=("Loss/D",),
                ),
                Evidence(
                    "g_climbs", "true",
                    "Loss/G rose from 0.71 to 6.8 (trend 0.93) while Loss/D fell (trend -0.88)",
                    where="trend(g_loss) > 0.5 and trend(d_loss) < -0.5", intervals=((420, 4000),),
                        window=(420, 4000),
                    share=1.0, margin=0.43, signal="Loss/G", signals=("Loss/G", "Loss/D"),
                ),
            ),
        ),
        Finding(
            rule="generator-gradient-vanishes",
            symptom="vanishing-generator-gradient",
            title="G's gradient fades to a hundredth of its early size",
            severity="medium",
            confidence="medium",
            onset_step=2100,
            fingerprint="generator-gradient-vanishes:grad_norm/G",
            explained_by="discriminator-learning-rate-too-high",
            evidence=(
                Evidence(
                    "fades", "true", "grad_norm/G fell from 1.4 to 0.011; D's stayed near 2",
                    where="grad_norm_g < 0.05 * early(grad_norm_g)", intervals=((2600, 4000),),
                        window=(2000, 4000),
                    share=0.7, margin=0.8, signal="grad_norm/G", signals=("grad_norm/G",
                        "grad_norm/D"),
                ),
                Evidence("not_clipped", "unknown", "", reason="grad_clip was not found in the "
                                                              "settings"),
            ),
        ),
    )
    diagnosis = Diagnosis(
        cause="discriminator-learning-rate-too-high",
        title="D learns too fast for G",
        story=(
            "D's learning rate lets it separate real from generated samples perfectly within a few "
            "hundred "
            "iterations. From then on nearly all of its outputs are saturated, and what flows back "
            "to G is a gradient "
            "that carries no direction: G's loss climbs although G is still being trained."
        ),
        symptoms=("discriminator-dominance", "vanishing-generator-gradient"),
        severity="high",
        confidence="medium",
        score=3.1,
        reasons=(
            Reason("it explains discriminator-dominance: D's loss falls towards zero and stays "
                   "there", 2.0),
            Reason("optimizer_d.lr is 25 times optimizer_g.lr", 1.5),
            Reason("it explains vanishing-generator-gradient: G's gradient fades", 0.75),
            Reason("D has 0.2 times the parameters of G", -1.0),
        ),
        onset_step=420,
        settings=("optimizer_d.lr",),
        findings=tuple(f.fingerprint for f in findings),
        prescriptions=("lower-d-learning-rate", "train-d-every-third-step", "gradient-penalty"),
    )
    second = Diagnosis(
        cause="discriminator-too-strong",
        title="D is too strong for the data",
        story="D has more capacity or more steps per iteration than this data set can bear.",
        symptoms=("discriminator-dominance",),
        severity="high",
        confidence="low",
        score=0.9,
        reasons=(
            Reason("it explains discriminator-dominance: D's loss falls towards zero and stays "
                   "there", 1.5),
            Reason("D takes one step for each of G's", -0.6),
        ),
        onset_step=420,
        settings=("model.ndf",),
        findings=(findings[0].fingerprint,),
        prescriptions=(),
    )
    diff = (
        "--- a/config.yaml\n+++ b/config.yaml\n@@ -9,7 +9,7 @@ optimizer_g:\n   lr: 2.0e-04\n   "
        "betas: [0.5, 0.999]\n"
        " optimizer_d:\n-  lr: 5.0e-03   # as in the baseline\n+  lr: 1.0e-04   # as in the "
        "baseline\n"
        "   betas: [0.5, 0.999]\n steps: 4000\n seed: 1\n"
    )
    prescriptions = (
        Prescription(
            "lower-d-learning-rate", diagnosis.cause, "Put D's learning rate below G's", "trial",
            why="D then needs longer to separate the two, and G's gradient keeps its direction "
                "meanwhile.",
            expect="Within the first 400 iterations Loss/D settles between 0.6 and 1.4 instead of "
                   "falling below 0.1.",
            edits=(Edit("config.yaml", "optimizer_d.lr", "5.0e-03", "1.0e-04"),), diff=diff,
            overrides=("optimizer_d.lr=1.0e-04",),
        ),
        Prescription(
            "train-d-every-third-step", diagnosis.cause, "Train D on every third step while it is "
                                                         "far ahead", "advice",
            why="It slows D down only while it wins.", expect="Loss/D comes back above 0.3.",
            snippet=(
                "d_leads = loss_d.item() < 0.3 and loss_g.item() > 3.0\n"
                "if not d_leads or step % 3 == 0:\n    optimizer_d.step()\n"
            ),
        ),
        Prescription(
            "gradient-penalty", diagnosis.cause, "Raise the gradient penalty", "trial",
            blocked_by="the config has no key for a gradient penalty",
        ),
    )
    return Report(
        run=RunNote(
            name="dcgan-celeba-64",
            sources=(
                SourceNote("events.out.tfevents.1716900000", "tensorboard", 4806),
                SourceNote("config.yaml", "config", 14),
                SourceNote("old/metrics.csv", "csv", 310, "2 of 312 rows have no number"),
            ),
            first_step=0,
            last_step=4000,
            step_unit="iterations",
            objective=ObjectiveNote(
                "nonsaturating", 1.386294, 0.693147, "sum", "high",
                ("loss: bce in config.yaml", ("Loss/D starts at 1.37, where this family has its "
                                             "chance level (1.386)")),
            ),
            notes=("The log ends without the mark of a finished run.",),
        ),
        verdict="failing",
        why_verdict="Discriminator dominance since iteration 420: D learns too fast for G.",
        **believed(
            ("d-loss-collapses-early", "dominance", 1.51, ("D's loss falls towards zero and stays "
                                                          "there")),
            ("d-level-late", "dominance", 0.505, ("D's loss rested at 0.0147 of its chance level "
                                                 "over the second half")),
            ("g-change", "course", 0.8, "G's loss changed by 7.9 times its early value"),
            ("nan-in-loss", "explosion", -0.11, "not so: A loss is NaN or infinite"),
        ),
        signals=(
            note("Loss/D", "d_loss", d, "'Loss' and 'D' in the tag; its partner is Loss/G"),
            note("Loss/G", "g_loss", g, "'Loss' and 'G' in the tag; its partner is Loss/D"),
            note("D(x)", "d_real_score", real, "D's output on real data; all values lie in [0, 1]"),
            note("D(G(z))", "d_fake_score", fake, "D's output on generated data; all values lie in "
                                                  "[0, 1]"),
            note("grad_norm/D", "grad_norm_d", gd, "'grad_norm' and 'D' in the tag"),
            note("grad_norm/G", "grad_norm_g", gg, "'grad_norm' and 'G' in the tag"),
        ),
        unmapped=(Unmapped("misc/queue_depth", 801), Unmapped("time/data", 801)),
        settings=(
            SettingNote("lr_d", "0.005", "optimizer_d.lr", "config.yaml", 12),
            SettingNote("lr_g", "0.0002", "optimizer_g.lr", "config.yaml", 9),
            SettingNote("batch_size", "64", "data.batch_size", "config.yaml", 3),
            SettingNote("loss_kind", "bce", "loss", "config.yaml", 6),
        ),
        findings=findings,
        diagnoses=(diagnosis, second),
        prescriptions=prescriptions,
        risks=(
            RiskNote("no-quality-metric", "No quality metric was logged",
                     "Losses alone do not show whether samples improve."),
            RiskNote("unequal-learning-rates", "D's learning rate is far above G's",
                     "optimizer_d.lr = 0.005 against 0.0002.", ("optimizer_d.lr",
                     "optimizer_g.lr")),
        ),
        clear=("nan-in-loss", "loss-explodes", "d-gradient-dwarfs-g"),
        not_checked=(
            NotChecked("sample-variance-vanishes", "The samples become alike", "sample_variance "
                                                                               "was not logged",
                       'writer.add_scalar("samples/variance", fake.var(0).mean().item(), step)'),
            NotChecked("worse-since-best", "Quality is worse than its best", "fid was not logged",
                       "fid = torchmetrics.image.fid.FrechetInceptionDistance()\n"
                       'writer.add_scalar("eval/fid", fid.compute().item(), step)'),
        ),
        ignored=(NotChecked("d-wins-late", "D wins late in the run", "known on this data set, see "
                                                                     "our wiki", ""),),
        series={"Loss/D": d, "Loss/G": g, "D(x)": real, "D(G(z))": fake, "grad_norm/D": gd,
            "grad_norm/G": gg},
        rules_digest=DIGEST,
        version="0.1.0",
    )


@functools.cache
def healthy() -> Report:
    """A WGAN-GP run whose Wasserstein estimate falls, and whose FID does."""
    rng = np.random.default_rng(3)
    steps = np.arange(0, 40001, 50)
    d = series(steps, -(3 + 9 * np.exp(-steps / 9000)) + 0.8 * rng.standard_normal(len(steps)))
    g = series(steps, 8 * np.sin(steps / 7000) + 14 * steps / 40000 + 1.5 * rng.standard_normal(len(steps)))
    at = np.arange(0, 40001, 2000)
    fid = series(at, 24 + 190 * np.exp(-at / 7000) + 2.5 * rng.standard_normal(len(at)))
    return Report(
        run=RunNote(
            name="wgan-gp-churches",
            sources=(SourceNote("metrics.csv", "csv", 2424), SourceNote("config.json", "config",
                9)),
            first_step=0,
            last_step=40000,
            step_unit="iterations",
            objective=ObjectiveNote("wgan-gp", None, None, "unknown", "high", (("lambda_gp = 10 in "
                                                                               "config.json"),)),
        ),
        verdict="healthy",
        why_verdict="Enough was logged to know, and no symptom was found.",
        **believed(
            ("quality-kept", "quality", -0.98, "the last FID is 1 times the best"),
            ("progress-late", "quality", -0.4, ("what measures quality changed by -0.3 of its value "
                                               "over the last part")),
            *((f"rule-{i}", "other", -0.2 + 0.01 * i,
                f"not so: Symptom {i} of a critic") for i in range(9)),
        ),
        signals=(
            note("critic_loss", "d_loss", d, "'critic' and 'loss' in the name", "metrics.csv"),
            note("gen_loss", "g_loss", g, "'gen' and 'loss' in the name", "metrics.csv"),
            note("FID", "fid", fid, "the usual name", "metrics.csv"),
        ),
        settings=(SettingNote("gp_weight", "10", "lambda_gp", "config.json", 4),),
        risks=(
            RiskNote("no-fixed-noise", "No samples of fixed noise", "Progress cannot be seen from "
                                                                    "grid to grid."),
        ),
        clear=("nan-in-loss", "loss-explodes", "g-rises-while-d-falls", "worse-since-best"),
        not_checked=(
            NotChecked("generator-gradient-vanishes", "G's gradient fades", "grad_norm_g was not "
                                                                            "logged",
                       'writer.add_scalar("grad_norm/g", norm.item(), step)'),
        ),
        series={"critic_loss": d, "gen_loss": g, "FID": fid},
        rules_digest=DIGEST,
        version="0.1.0",
    )


@functools.cache
def inconclusive() -> Report:
    """A CSV with one loss of eight epochs."""
    steps = np.arange(1, 9)
    loss = series(steps, 1.2 - 0.05 * steps)
    return Report(
        run=RunNote(
            name="run.csv", sources=(SourceNote("run.csv", "csv", 8),), first_step=1, last_step=8,
                step_unit="epochs"
        ),
        verdict="inconclusive",
        why_verdict="Too little was logged to tell: no series could be understood as G's loss.",
        **believed(("d-change", "course", -0.05, "D's loss changed by -0.2 times its early value")),
        log_next=(
            NotChecked("fid", "fid", "4 rules and measures wait for it; together they may move the "
                                     "belief by 6.4 nats",
                       'writer.add_scalar("eval/fid", fid.compute().item(), step)'),
        ),
        signals=(note("d", "d_loss", loss, "'d' beside 'x'; a guess", "run.csv"),),
        unmapped=(Unmapped("x", 8),),
        not_checked=(
            NotChecked("g-rises-while-d-falls", "G's loss rises while D's falls", "g_loss was not "
                                                                                  "logged",
                       'writer.add_scalar("loss/g", loss_g.item(), step)'),
            NotChecked("d-loss-collapses-early", "D's loss collapses early",
                       "the loss family is not known; say it with --loss", ""),
        ),
        series={"d": loss},
        rules_digest=DIGEST,
        version="0.1.0",
    )


@functools.cache
def exploding() -> Report:
    """Losses that blow up through twelve decades and end as NaN."""
    rng = np.random.default_rng(11)
    steps = np.arange(0, 3001, 3)
    grow = np.where(steps < 1500, 0.0, (steps - 1500) / 60)
    d = 1.3 * np.exp(0.2 * rng.standard_normal(len(steps)) + grow)
    g = 0.9 * np.exp(0.3 * rng.standard_normal(len(steps))) * np.where(np.arange(len(steps)) % 2, 1,
        -1) * np.exp(grow)
    d[steps > 2400] = np.nan
    g[steps > 2400] = np.nan
    loss_d, loss_g = series(steps, d), series(steps, g)
    finding = Finding(
        "nan-in-loss", "exploding-or-nan", "A loss is NaN or infinite", "high", "medium", 1530,
        "nan-in-loss:errD",
        evidence=(
            Evidence("nan", "true", "errD is not finite on 20% of iterations, first at 2,403",
                "isnan(d_loss)",
                     ((2403, 3000),), (0, 3000), 0.2, None, "errD", None, "", ("errD", "errG")),
            Evidence("grows", "true", "errD is above 100 from iteration 1,770 on", "d_loss > 100",
                     ((1770, 2400),), (1500, 3000), 0.42, 3.0, "errD", 100.0, "", ("errD",)),
        ),
    )
    return Report(
        run=RunNote("blow-up", ".", (SourceNote("log.txt", "text", 2002),), 0, 3000, "iterations",
                    ObjectiveNote("wgan", None, None, "unknown", "medium", (("clip_value in the "
                                                                            "log's head"),))),
        verdict="failing",
        why_verdict="Exploding or nan since iteration 1,530: the critic is not constrained.",
        signals=(
            note("errD", "d_loss", loss_d, "'err' and 'D'", "log.txt"),
            note("errG", "g_loss", loss_g, "'err' and 'G'", "log.txt"),
        ),
        findings=(finding,),
        diagnoses=(
            Diagnosis("critic-unconstrained", "The critic is not constrained",
                      "Without a Lipschitz constraint the critic's scale grows without end.",
                      ("exploding-or-nan",), "high", "medium", 2.2,
                      (Reason("it explains exploding-or-nan", 2.0), Reason("clip_value = 10", 0.7)),
                      1530, ("clip_value",), ("nan-in-loss:errD",), ("lower-clip-value",)),
        ),
        prescriptions=(
            Prescription("lower-clip-value", "critic-unconstrained", "Clip the critic's weights at "
                                                                     "0.01", "trial",
                         overrides=("--clip_value 0.01",), why="The published value.",
                             expect="errD stays within 10."),
        ),
        clear=("d-loss-collapses-early",),
        series={"errD": loss_d, "errG": loss_g},
        rules_digest=DIGEST,
        version="0.1.0",
    )


SCRIPT = '<script>alert("x")</script>'
BREAKOUT = '"><img src=x onerror=alert(1)>'
BIDI = "user\u202egnp.exe\u2066\u2069"
CONTROL = "red\x1b[31m\x07\x00\u0085"


@functools.cache
def hostile() -> Report:
    """Every text field tries something."""
    tag = f"Loss/{SCRIPT}"
    tag2 = f"]]></title></style></svg>{BREAKOUT}{CONTROL}"
    steps = np.arange(0, 100)
    data = series(steps, 1.0 / (1 + steps))
    bad = f"{SCRIPT}{BREAKOUT}{BIDI}{CONTROL}\ud800 {{{{ 7*7 }}}} ```\n``` | a | `b` --> &amp;"
    finding = Finding(
        bad, "discriminator-dominance", bad, "high", "medium", 5, bad, why=bad,
        evidence=(Evidence(bad, "true", bad, bad, ((5, 50),), (0, 99), 0.5, 0.1, tag, 0.1, "", (tag,
            tag2)),
                  Evidence(bad, "unknown", bad, reason=bad)),
    )
    consequence = Finding(bad + "2", "oscillation", bad, "low", "low", None, bad + "2",
        explained_by=bad)
    return Report(
        run=RunNote(bad, ".", (SourceNote(bad, bad, 1, bad),), 0, 99, "unknown",
                    ObjectiveNote("unknown", None, None, "unknown", "low", (bad,), bad), (bad,)),
        verdict="failing",
        why_verdict=bad,
        **believed((bad, bad, 2.5, bad), (bad + "2", bad, -0.5, bad)),
        log_next=(NotChecked(bad, bad, bad, bad),),
        signals=(SignalNote(tag, bad, bad, bad, 100, 0.01, bad, bad),
                 SignalNote(tag2, "d_loss", "", "", 100, None, bad, bad)),
        unmapped=(Unmapped(bad, 1),),
        settings=(SettingNote(bad, bad, bad, bad, 1),),
        findings=(finding, consequence),
        diagnoses=(Diagnosis(bad, bad, bad, (bad,), "high", "medium", 1.0,
                             (Reason(bad, 1.0), Reason(bad, -1.0)), 5, (bad,), (bad,), (bad,)),),
        prescriptions=(
            Prescription(bad, bad, bad, bad, bad, bad, (Edit(bad, bad, bad, bad),),
                         f"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-{bad}\n+{SCRIPT}\n", (bad,)),
            Prescription(bad, bad, bad, "trial", snippet=bad, blocked_by=bad, trial=bad),
        ),
        risks=(RiskNote(bad, bad, bad, (bad,)),),
        clear=(bad,),
        not_checked=(NotChecked(bad, bad, bad, bad),),
        ignored=(NotChecked(bad, bad, bad, bad),),
        series={tag: data, tag2: data},
        rules_digest=bad,
        version="0.1.0",
    )


ALL = {
    "dominance": dominance,
    "healthy": healthy,
    "inconclusive": inconclusive,
    "exploding": exploding,
    "hostile": hostile,
}
