"""A third style for the packaged translator from a few pictures (chapter 48): how many steps on its row, and how errors count.

    python benchmarks/new_style.py [--pictures 16] [--pairs 16] [--steps 50 200 600]

Ink drawings and night, the hands of chapter 46, on photographs of places that nothing was trained on. Errors count in latents, or by what
the decoder makes of them, as the translator was trained. 'statistics alone' is the map of latents, 'no step' the row of no style.
Writes results/new_style.json.
"""
import argparse, tempfile
from pathlib import Path
import torch
from execnb.nbio import read_nb
from execnb.shell import CaptureShell
from PIL import Image
from common import save
from otcfm_nb.data import to_tensor
from otcfm_nb.demo import judge
from otcfm_nb.metrics import score_table
from otcfm_nb.new_style import add_style, folder_latents
from otcfm_nb.scenes import make_scene, render_photo
from otcfm_nb.seen import pixel_metric
from otcfm_nb.translate import Settings, load_translator, translate_latent
from otcfm_nb.whitening import map_latents

CHAPTER = Path(__file__).parent.parent/'nbs'/'46_four_styles.ipynb'


def hands():
    "The renderers of chapter 46, which are a lesson's and in no module: its imports and definitions are run."
    shell = CaptureShell(CHAPTER)
    for cell in read_nb(CHAPTER).cells:
        if cell.cell_type == 'code' and ('import' in cell.source.split() or 'def render_' in cell.source): shell.run(cell.source)
    return {name: shell.user_ns[f'render_{name}'] for name in ('ink', 'night')}


def drawn(hand, seeds): return [Image.fromarray(hand(make_scene(s, 128))) for s in seeds]


def rows(tr, hand, a):
    "Scores of every way to the new style."
    style, truth, photos = (torch.stack(list(map(to_tensor, drawn(h, range(s, s+n))))) for h, s, n in ((hand, 30000, 128), (hand, 40000, a.pairs), (render_photo, 40000, a.pairs)))
    with tempfile.TemporaryDirectory() as folder:
        for i, picture in enumerate(drawn(hand, range(20000, 20000+a.pictures))): picture.save(Path(folder)/f'{i:04}.png')
        x1, palette = folder_latents(tr, folder, 128)
    z, metric = tr.encode(photos, 0), pixel_metric(tr.codec, x1[:8])
    found, shown = {}, lambda t, latent: t.decode(latent, *photos.shape[-2:], 2, photos, 0)
    ways = {'no step': (0, None)} | {f'{n} steps, {name}': (n, g) for n in a.steps for name, g in (('latents', None), ('pixels', metric))}
    for name, (n, g) in ways.items():
        new, losses = add_style(tr, x1, n, palette=palette, metric=g)
        if not found: found['statistics alone'] = shown(new, map_latents(z, 0, 2, new.maps))
        for w in (1., 2.): found[f'{name}, guidance {w:g}'] = shown(new, translate_latent(new, z, Settings(0, 2, cfg_scale=w), certify=False).latent)
        print(name, f'loss {sum(losses[-20:])/max(1, len(losses[-20:])):.3f}', flush=True)
    return judge({'identity': photos} | found | {'truth through the VAE': tr.codec.decode(tr.codec.encode(truth))}, photos, truth, style)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--pictures', type=int, default=16, help='of the new style')
    parser.add_argument('--pairs', type=int, default=16, help='to measure on')
    parser.add_argument('--steps', type=int, nargs='+', default=[50, 200, 600])
    a = parser.parse_args()
    tr, found = load_translator('demo'), {}
    for name, hand in hands().items():
        found[name] = rows(tr, hand, a)
        print(name); print(score_table(found[name]), flush=True)
    save('new_style', dict(pictures=a.pictures, pairs=a.pairs, styles=found))


if __name__ == '__main__': main()
