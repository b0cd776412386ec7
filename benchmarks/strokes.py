"""What makes strokes of what the inversion found: guidance, guidance for a part of the way, fresh noise. On places that no one has seen.

    python benchmarks/strokes.py [FOLDER_OF_A_DEMO] [--pairs 64] [--seed 777]

The folder is one that otcfm_demo made; default: the translator of the package, and new paintings to compare with. Every row but the
first and the last two is anchored in the photographs' colours as the package does it. The map of latents (chapter 35) follows no field.
Fresh: of the noise x0 that the inversion found a share eta is replaced, sqrt(1-eta²) x0 + eta e (DDIM's eta, at t = 0).
Writes results/strokes.json; with --draw FILE a sheet of the first six places, for the eye.
"""
import argparse, math, tempfile
from pathlib import Path
import torch
from common import save
from otcfm_nb.demo import judge, load_folder
from otcfm_nb.metrics import score_table
from otcfm_nb.painter import write_pairs, write_styles
from otcfm_nb.sheets import sheet
from otcfm_nb.solvers import METHODS, solve
from otcfm_nb.checkpoints import newest
from otcfm_nb.guidance import velocity
from otcfm_nb.translate import load_translator
from otcfm_nb.whitening import colour, map_latents


def painted(tr, x0, cfg_scale=1., low=0., high=1.):
    "Latents of style 1 from noise, guided between two times."
    v = lambda x, t: velocity(tr.model, 1, cfg_scale if low <= t <= high else 1., tr.tile)(x, t)
    with torch.no_grad(): return colour(solve(v, x0, 24, 'extrapolated', 0., 1., ends=METHODS['extrapolated'].ends).x, 1, tr.maps)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder', type=Path, nargs='?')
    parser.add_argument('--pairs', type=int, default=64)
    parser.add_argument('--seed', type=int, default=777)
    parser.add_argument('--draw', help='picture of the first six places')
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        write_pairs(Path(tmp)/'pairs', a.pairs, 128, a.seed, progress=False)
        photos, truth, second = [load_folder(Path(tmp)/'pairs', f'{name}*') for name in ('photo', 'paint', 'second')]
        if not a.folder: write_styles(Path(tmp), 256, 128, a.seed, progress=False)
        paintings = load_folder((a.folder/'pictures' if a.folder else Path(tmp))/'style_1')[:700]
    tr = load_translator(newest(a.folder/'checkpoints')[0] if a.folder else 'demo')
    z = tr.encode(photos, 0)
    x0, fresh = tr.invert(z, 0).x, torch.randn(z.shape, generator=torch.Generator().manual_seed(0))
    shown = lambda latents: tr.decode(latents, *photos.shape[-2:], 1, photos, 0)
    found = {'colour transport': tr.palette.transport(photos, 0, {1: 1.}),
             'map of latents': shown(map_latents(z, 0, 1, tr.maps))}
    for w in (1., 1.5, 2., 3., 4.): found[f'guidance {w:g}'] = shown(painted(tr, x0, w))
    for low, high in ((0., .5), (.5, 1.), (.25, 1.), (0., .75)): found[f'guidance 3 for t in {low:g} to {high:g}'] = shown(painted(tr, x0, 3., low, high))
    for eta, w in ((.3, 1.), (.45, 1.), (.6, 1.), (.3, 2.), (.45, 2.)):
        found[f'fresh {eta:g}'+(f', guidance {w:g}' if w > 1 else '')] = shown(painted(tr, math.sqrt(1-eta**2)*x0+eta*fresh, w))
    found |= {'the painter, again': second, 'truth through the VAE': tr.codec.decode(tr.codec.encode(truth))}
    rows = judge(found, photos, truth, paintings)
    print(score_table(rows))
    save('strokes', dict(pairs=a.pairs, anchor=tr.anchor, rows=rows))
    if a.draw: sheet(found | {'truth': truth}, 6).save(a.draw)


if __name__ == '__main__': main()
