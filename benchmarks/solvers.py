"""Every solver at the same number of evaluations each way, on a trained translator: how exact is the loop, how near the truth?

    python benchmarks/solvers.py [--checkpoint demo] [--nfe 20] [--pairs 32]

The checkpoint is the one that comes with the package, or another trained on such scenes. Pairs are of places that it never saw.
Same style: photograph -> noise -> photograph, relative error in latents. A-B-A: photograph -> painting -> photograph.
dB: PSNR of 8×8 means to the true painting, without an anchor for colours, so that it is the flow's own. Two rows with guidance show what it costs, one is the guide's default.
Curve, on the first eight pairs: every method at 8 to 40 evaluations each way. Noise: relative distance from RK4 with 60 steps, shorter at the ends.
"""
import argparse, tempfile
from pathlib import Path
import torch
from common import save
from otcfm_nb.demo import load_folder
from otcfm_nb.metrics import blurred_psnr, edge_agreement, patch_swd
from otcfm_nb.painter import write_pairs
from otcfm_nb.solvers import METHODS, evaluations, integrate, steps_within
from otcfm_nb.guidance import velocity
from otcfm_nb.translate import Settings, load_translator, relative, translate_latent
from otcfm_nb.whitening import whiten


def scenes(pairs, size=128, seed=0):
    "Photographs and their true paintings, as otcfm_demo makes them."
    with tempfile.TemporaryDirectory() as t:
        write_pairs(Path(t), pairs, size, seed, progress=False)
        return load_folder(t, 'photo*'), load_folder(t, 'paint*')


def row(tr, x1, photos, truth, s):
    done = translate_latent(tr, x1, s)
    back = translate_latent(tr, done.latent, Settings(1, 0, s.num_steps, s.cfg_scale, s.method), certify=False)
    x = tr.decode(done.latent, *truth.shape[-2:], 1)
    return dict(method=s.method, steps=s.num_steps, cfg=s.cfg_scale, evaluations=evaluations(s.method, s.num_steps), same_style=done.round_trip,
                a_b_a=relative(back.latent, x1), db=blurred_psnr(x, truth).item(), patches_to_truth=patch_swd(x, truth, n=65536), edges=edge_agreement(x, photos))


def point(tr, x1, truth, x0, method, nfe):
    done = translate_latent(tr, x1, Settings(0, 1, steps_within(method, nfe), 1., method))
    return dict(method=method, budget=nfe, evaluations=evaluations(method, steps_within(method, nfe)), same_style=done.round_trip,
                noise=relative(done.noise, x0), db=blurred_psnr(tr.decode(done.latent, *truth.shape[-2:], 1), truth).item())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--checkpoint', default='demo', help='demo: the one that comes with the package')
    parser.add_argument('--nfe', type=int, default=20, help='evaluations each way')
    parser.add_argument('--pairs', type=int, default=32, help='photographs with the true painting')
    a = parser.parse_args()
    tr = load_translator(a.checkpoint)
    photos, truth = scenes(a.pairs)
    x1, rows = tr.encode(photos, 0), []
    runs = [(m, steps_within(m, a.nfe), 1.) for m in METHODS] + [('rk4', 4*a.nfe, 1.), ('euler', a.nfe, 2.), ('extrapolated', a.nfe-1, 2.)]
    for method, steps, cfg in runs:
        rows.append(row(tr, x1, photos, truth, Settings(0, 1, steps, cfg, method)))
        print(rows[-1], flush=True)
    x1, truth = x1[:8], truth[:8]
    with torch.no_grad(): x0 = integrate(velocity(tr.model, 0), whiten(x1, 0, tr.maps), 60, 'rk4', 1., 0., ends=(.6,.2))
    curve = []
    for method in METHODS:
        for nfe in (8, 12, 16, 20, 28, 40):
            curve.append(point(tr, x1, truth, x0, method, nfe))
            print(curve[-1], flush=True)
    save('solvers', dict(pairs=len(photos), pairs_of_curve=len(x1), parameters=sum(p.numel() for p in tr.model.parameters()), rows=rows, curve=curve))


if __name__ == '__main__': main()
