"""How well the packaged VAEs give pictures back: mean of the pictures' PSNR, and how much of the strokes and grain is left.

    python benchmarks/vae.py [--vaes embedded taef2] [--photos ../shared/data/style_0] [--paintings ../shared/data/style_1]

Scenes are of a seed that nothing else uses. The folders' pictures were not used in training (scripts/train_vae.py --held_out; TAEF2 was
trained by its author on others); where a folder is missing, its row is left out.
"""
import argparse, json
from pathlib import Path
import torch
from common import save
from otcfm_nb.data import fit_image, list_images, read_image, to_tensor
from otcfm_nb.metrics import psnr, stroke_energy
from otcfm_nb.painter import make_pair
from otcfm_nb.vae import load_vae


def row(codec, pictures):
    "Mean, lowest and highest PSNR in dB, stroke energy over the pictures' own, deviation of the latents, and how far flips are from commuting with encoding."
    zs = [codec.encode(x[None]) for x in pictures]
    out = [codec.decode(z) for z in zs]
    db = [psnr(y, x[None]).item() for y, x in zip(out, pictures)]
    flips = [(codec.encode(x[None].flip(-1))-z.flip(-1)).norm()/z.norm() for z, x in zip(zs, pictures)]
    return dict(pictures=len(db), psnr_mean=sum(db)/len(db), psnr_min=min(db), psnr_max=max(db),
                stroke_energy=stroke_energy(torch.cat(out), torch.stack(pictures)),
                latent_std=torch.cat([z.flatten() for z in zs]).std().item(), flip_error=(sum(flips)/len(flips)).item())


def judged(codec, photos, paintings, size):
    "A row for each kind of picture."
    scenes = [make_pair(seed, 128) for seed in range(9_000_000, 9_000_064)]
    rows = {'scenes, photographed, 128 px': row(codec, [to_tensor(p) for p, _ in scenes]), 'scenes, painted, 128 px': row(codec, [to_tensor(p) for _, p in scenes])}
    for name, folder in (('photographs', photos), ('paintings', paintings)):
        if Path(folder).is_dir(): rows[f'{name}, {size} px'] = row(codec, [to_tensor(fit_image(read_image(p), size)) for p in list_images(folder)])
    return dict(identity=codec.identity, parameters=sum(p.numel() for p in codec.vae.parameters()), rows=rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--photos', default='../shared/data/style_0')
    parser.add_argument('--paintings', default='../shared/data/style_1')
    parser.add_argument('--vaes', nargs='+', default=['embedded', 'taef2'], help='others, folders too: printed, not written')
    parser.add_argument('--size', type=int, default=256)
    a = parser.parse_args()
    found = {name: judged(load_vae(name), a.photos, a.paintings, a.size) for name in a.vaes}
    if a.vaes==parser.get_default('vaes'): save('vae', found)
    else: print(json.dumps(found, indent=1))


if __name__ == '__main__': main()
