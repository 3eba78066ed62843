"""How codes call what is not tied to one call: the batch, the noise, the epochs, ..."""

from __future__ import annotations

from typing import Final

# Setting -> the words that people write, without case and dashes.
WORDS: Final[dict[str, tuple[str, ...]]] = {
    "batch_size": (
        "batchsize", "trainbatchsize", "minibatchsize", "batch", "bs", "batchsz", "bsz",
        "batchsizetrain", "batchsizepergpu", "batchsizepertrain", "batchpergpu", "minibatch",
        "nbatch",
    ),
    "latent_dim": (
        "latentdim", "zdim", "nz", "noisedim", "latentsize", "zsize", "dimz", "noisesize",
        "codingssize", "latentdims", "noisedimension", "latentdimension", "latentspacedim",
        "dimlatent", "randomdim", "zdimension", "latentspacesize", "znoisedim",
        "noisevectorsize", "latentvectorsize", "dimnoise", "inputnoisedim", "noiseshape",
        "latent", "latents", "znum", "noiselen", "noiselength", "ndimz", "numlatent", "zchannels",
        "latentvector", "randomnoisedim", "nlatent", "noisevecsize", "znoise", "noisesz",
        "seedsize", "noisedims", "numlatents", "latentvecsize", "sizelatentvector",
    ),
    "epochs": (
        "epochs", "nepochs", "numepochs", "epoch", "maxepochs", "totalepochs", "numepoch",
        "nepoch", "maxepoch", "trainingepochs", "trainepochs", "epochcount", "numberofepochs",
        "noepochs", "niterepochs", "epochsnum", "nbepochs", "niter",
    ),
    "iterations": (
        "iterations", "niterations", "numiterations", "maxiter", "totaliters", "maxiters",
        "iters", "numiters", "trainsteps", "numsteps", "steps", "maxsteps", "totalsteps",
        "numtrainsteps", "trainingsteps", "niters", "maxiterations", "maxnumberofsteps",
        "numberofsteps", "numberofiterations", "totaliterations", "trainiterations",
        "trainingiterations", "totaltrainingsteps", "maxtrainsteps",
    ),
    "image_size": (
        "imagesize", "imgsize", "imsize", "resolution", "cropsize", "finesize",
        "imageresolution", "imgres", "outputsize", "imgrows", "imageheight", "imgheight",
        "outputheight", "imgsz", "outputimageheight", "inputscalesize", "scalesize",
    ),
    "n_critic": (
        "ncritic", "criticiters", "ndis", "ndisc", "dsteps", "diters", "disciters",
        "criticiterations", "criticsteps", "numdsteps", "discsteps", "numcritic", "kd",
        "dupdates", "criticupdates", "discriminatorsteps", "discriminatorextrasteps",
        "dextrasteps", "niterd", "dupdatesperg", "criticupdatespergen", "trainingratio",
        "discriminatoriters", "ncritics", "critrepeats", "dstepsperg", "criticrepeats",
        "disciterations", "discriminatoriterations", "netditers", "kcritic", "dsteppergstep",
        "dstepspergstep", "discstepspergenstep", "numdstepsperg", "dstepspergen",
        "dupdatesperstep", "discriminatorniter", "criticniter",
    ),
    "n_gen": (
        "ngen", "gsteps", "giters", "generatorsteps", "geniters", "numgsteps", "gensteps",
        "gupdates", "ngenerator",
    ),
    "lambda_gp": (
        "lambdagp", "gplambda", "gpweight", "lambdaterm", "gradientpenaltyweight",
        "lambdapenalty", "penaltycoefficient", "gpcoeff", "gpcoef", "lambdagradientpenalty",
        "gradpenaltyweight", "gradientpenaltycoefficient", "lambd", "gradientpenaltylambda",
        "wgangplambda", "lambdagradpenalty", "clambda", "gpw", "wgp", "weightgp", "gpscale",
        "lambdacoeff", "lambdacoef",
    ),
    "r1_gamma": (
        "r1gamma", "r1weight", "r1lambda", "lambdar1", "r1", "r1coeff", "r1coef", "r1regweight",
        "weightr1", "gammar1", "r1regularization", "r1penalty",
    ),
    "clip_value": (
        "clipvalue", "weightclip", "weightcliplimit", "clipvalues", "weightclippinglimit",
        "clamp", "clampvalue", "weightclipvalue", "wclip", "weightclipping", "cliplimit",
        "clampnum",
    ),
    "label_smoothing": (
        "labelsmoothing", "smooth", "labelsmooth", "reallabelsmooth", "smoothing",
        "onesidedlabelsmoothing", "labelsmoothingfactor", "smoothfactor", "reallabelsmoothing",
    ),
    "real_label": ("reallabel", "reallabels", "reallabelvalue", "reallabelval"),
    "lambda_l1": (
        "lambdal1", "l1lambda", "l1weight", "weightl1", "lambdapixel", "lambdarecon", "l1coef",
        "lambdapix2pix",
    ),
    "d_dropout": (
        "ddropout", "dropoutd", "discdropout", "dropout", "dropoutrate", "dropoutprob",
        "discriminatordropout", "dropoutp",
    ),
    "weight_decay": (
        "weightdecay", "wd",
    ),
    "grad_clip": (
        "gradclip", "gradclipnorm", "maxgradnorm", "clipgradnorm", "gradientclip",
        "gradientclipval", "clipgrad", "maxnorm", "gradientclipping", "gradnormclip",
    ),
}  # fmt: skip
# What values of these can be.
RANGES: Final[dict[str, tuple[float, float]]] = {
    "batch_size": (1, 1e6), "latent_dim": (2, 1e5), "epochs": (1, 1e7), "iterations": (1, 1e9),
    "image_size": (4, 8192), "n_critic": (1, 1000), "n_gen": (1, 1000), "lambda_gp": (0, 1e5),
    "r1_gamma": (0, 1e5),
    "clip_value": (1e-6, 100), "label_smoothing": (0, 0.999), "real_label": (0.5, 0.999),
    "lambda_l1": (0, 1e5),
    "d_dropout": (0, 1),
    "weight_decay": (0, 10), "grad_clip": (1e-6, 1e6),
}  # fmt: skip
WHOLE: Final = frozenset({"batch_size", "latent_dim", "epochs", "iterations", "image_size",
                          "n_critic", "n_gen"})  # fmt: skip

# The loss families as options spell them.
FAMILIES: Final = {
    "lsgan": "lsgan", "ls": "lsgan", "mse": "lsgan", "leastsquares": "lsgan", "l2": "lsgan",
    "vanilla": "nonsaturating", "bce": "nonsaturating", "gan": "nonsaturating",
    "dcgan": "nonsaturating", "nonsaturating": "nonsaturating", "ns": "nonsaturating",
    "logistic": "nonsaturating", "original": "nonsaturating", "sgan": "nonsaturating",
    "standard": "nonsaturating", "bcewithlogits": "nonsaturating",
    "crossentropy": "nonsaturating", "nsgan": "nonsaturating", "hinge": "hinge", "wgan": "wgan",
    "wgangp": "wgan-gp", "wasserstein": "wgan", "wassersteingp": "wgan-gp", "w": "wgan",
    "dcdcgan": "nonsaturating",
}  # fmt: skip
# What else may be called by the words below: only those count there that mean nothing else.
LOOSE_KEYS: Final = frozenset({"loss", "mode", "model", "gan", "method", "modeltype", "type"})
CLEAR: Final = frozenset({"wgan", "wgangp", "lsgan", "dcgan", "hinge", "nsgan", "sgan"})
FAMILY_KEYS: Final = (
    "ganmode", "gantype", "losstype", "advloss", "ganloss", "lossmode", "ganlosstype",
    "adversarialloss", "losskind", "whichloss", "ganobjective", "lossfamily", "ganlossmode",
    "adversariallosstype", "lossfn", "lossname", "loss", "mode", "modeltype", "method", "model",
    "gan", "type",
)  # fmt: skip
