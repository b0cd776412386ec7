"""What the anchor is taken from, and how much of the noise is renewed: what each gives, on places that no one has seen.

    python benchmarks/renewed.py FOLDER_OF_A_DEMO [--pairs 32] [--seed 777]

The folder is one that otcfm_demo made. The anchor (chapter 38) is taken from the source's latents, decoded, as the package does, or
from its pixels in the common palette; the linear map of latents (chapter 35) is anchored alike, to see what the flow adds to it.
Renewed: of the noise x0 that the inversion found a share eta is fresh, sqrt(1-eta²) x0 + eta e, before it is painted from.
Prints how Gaussian x0 is, and a table; draws FOLDER/renewed.png. Writes nothing else.
"""
import argparse, math, tempfile
from pathlib import Path
import torch
from otcfm_nb.anchor import anchored
from otcfm_nb.demo import judge, load_folder
from otcfm_nb.metrics import score_table
from otcfm_nb.painter import write_pairs
from otcfm_nb.sheets import sheet
from otcfm_nb.translate import Settings, load_translator, translate_latent
from otcfm_nb.whitening import colour, whiten


def spread(x0):
    "Deviation over places of the variance over channels, and the correlation of neighbours."
    return dict(variance_varies=x0.var(1).std().item(), neighbours=((x0[..., :-1]*x0[..., 1:]).mean()/x0.square().mean()).item())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder', type=Path)
    parser.add_argument('--pairs', type=int, default=32)
    parser.add_argument('--seed', type=int, default=777)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        write_pairs(Path(tmp), a.pairs, 128, a.seed, progress=False)
        photos, truth, second = [load_folder(Path(tmp), f'{name}*') for name in ('photo', 'paint', 'second')]
    paintings = load_folder(a.folder/'pictures'/'style_1')[:700]
    tr = load_translator(max((a.folder/'checkpoints').glob('stage1_epoch*.pt'), key=lambda p: p.stat().st_mtime))
    tr.anchor = 0
    pixels, z = tr.palette.to_common(photos, 0), tr.encode(photos, 0)
    paint = lambda latents: tr.decode(latents, *photos.shape[-2:], 1)
    x0, fresh = tr.invert(z, 0).x, torch.randn(z.shape, generator=torch.Generator().manual_seed(0))
    for name, x in {'x0 of photographs': x0, 'x0 of their paintings': tr.invert(tr.encode(truth, 1), 1).x, 'Gaussian': fresh}.items(): print(name, spread(x))
    linear, flow, old = paint(colour(whiten(z, 0, tr.maps), 1, tr.maps)), paint(translate_latent(tr, z, Settings(), certify=False).latent), paint(z)
    found = {'colour transport': pixels, 'flow, no anchor': flow, 'flow, anchor 6 in latents': anchored(flow, old, 6.)}
    found |= {f'linear map, anchor {w} in pixels': anchored(linear, pixels, w) for w in (4, 6)}
    found |= {f'flow, anchor {w} in pixels': anchored(flow, pixels, w) for w in (3, 4, 6)}
    for eta in (.3, .45, .6, .75, 1): found[f'renewed {eta:g}, anchor 4 in pixels'] = anchored(paint(tr.generate(math.sqrt(1-eta**2)*x0+eta*fresh, 1)), pixels, 4.)
    print(score_table(judge(found | {'the painter, again': second}, photos, truth, paintings)))
    sheet({name.replace(' in pixels', ''): x for name, x in found.items()} | {'truth': truth}, 6).save(a.folder/'renewed.png')


if __name__ == '__main__': main()
