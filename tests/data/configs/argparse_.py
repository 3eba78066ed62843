import argparse


class BaseOptions:
    def initialize(self, parser):
        # basic parameters
        parser.add_argument('--batch_size', type=int, default=1, help='input batch size, default=1')
        parser.add_argument(
            '--d-lr',
            type=float,
            default=0.02,
            help="D's rate",
        )
        parser.add_argument('--g-lr', '--glr', type=float, default=0.0002)
        parser.add_argument('--gan_mode', type=str, default='vanilla', choices=['vanilla', 'lsgan',
            'wgangp', 'hinge'])
        parser.add_argument('--lambda_gp', type=float, default=0.)
        parser.add_argument('--no_dropout', action='store_true',
            help='no dropout for the generator')
        return parser


parser = BaseOptions().initialize(argparse.ArgumentParser())
