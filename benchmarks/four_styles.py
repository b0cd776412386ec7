"""One translator of four styles as the demo makes one of two: photographs, paintings, ink and night (chapter 46), all twelve ways.

    python benchmarks/four_styles.py [--pictures 200] [--places 8] [--steps 500] [--seed 0] [--palette 1 -1]

Four folders of different places, TAEF2, whitening, anchor and guidance as in the preset `demo`; --palette: the style whose colours all get
(0 to 3), or -1 for none and neither anchor nor guidance then, a training each. Held against the same places in the target's hand: dB of 8×8 means and encoder distance (chapter
44, to the target's training pictures), beside doing nothing, the transport of colours and the map of latents. Also which style each
picture is taken for by --source_style auto. Writes results/four_styles.json.
"""
import argparse, tempfile
from pathlib import Path
import torch
from common import save
from new_style import drawn, hands
from otcfm_nb.data import to_tensor
from otcfm_nb.demo import demo_config, load_folder, train_demo
from otcfm_nb.judges import encoder_features, style_distance
from otcfm_nb.metrics import blurred_psnr, score_table
from otcfm_nb.painter import render_painting
from otcfm_nb.preprocess_latents import preprocess
from otcfm_nb.scenes import render_photo
from otcfm_nb.translate import Settings, load_translator, translate_pixels
from otcfm_nb.which_style import encode_as
from otcfm_nb.whitening import map_latents


def write_folders(out, styles, pictures):
    "style_0 to style_3, no place twice."
    for k, hand in enumerate(styles.values()):
        (out/'pictures'/f'style_{k}').mkdir(parents=True)
        for i, picture in enumerate(drawn(hand, range(100_000*(k+1), 100_000*(k+1)+pictures))): picture.save(out/'pictures'/f'style_{k}'/f'{i:04}.png')


def trained(out, palette, a):
    "A translator of the four."
    cfg = demo_config(out, 128, a.seed)
    cfg.model.num_styles = cfg.data.num_classes = 4
    cfg.training.compile = False
    if palette < 0: cfg.data.palette, cfg.data.anchor, cfg.data.cfg_scale = None, 0., 1.     # without a palette an anchor keeps the source's colours, and guidance harms them
    else: cfg.data.palette = palette
    cfg.data.data_root, cfg.checkpoint.save_dir = str(out/f'latents_{palette}'), str(out/f'checkpoints_{palette}')
    preprocess(cfg, progress=False)
    return load_translator(train_demo(out, cfg, 1., max(1, round(a.steps/(4*a.pictures//cfg.training.batch_size))), progress=False))


def one_way(tr, source, target, x, truth, seen):
    "Scores from one style to another."
    z = tr.encode(x, source)
    mapped = tr.decode(map_latents(z, source, target, tr.maps), *x.shape[-2:], target, x, source)
    found = {'identity': x, **({'transport': tr.palette.transport(x, source, {target: 1.})} if tr.palette.maps else {}),
             'map': mapped, 'ours': translate_pixels(tr, x, Settings(source, target), certify=False)[0]}
    return {name: dict(dB=blurred_psnr(y, truth).item(), encoder=style_distance(encoder_features(y), seen)) for name, y in found.items()}


def measured(tr, names, places, seen):
    "Twelve ways, and how many pictures of each style are taken for it."
    ways = {f'{names[a]} to {names[b]}': one_way(tr, a, b, places[a], places[b], seen[b]) for a in range(4) for b in range(4) if a != b}
    return dict(ways=ways, auto={name: sum(k == found for found in encode_as(tr, places[k], 'auto')[1]) for k, name in enumerate(names)})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for flag, default in dict(pictures=200, places=8, steps=500, seed=0).items(): parser.add_argument(f'--{flag}', type=int, default=default)
    parser.add_argument('--palette', type=int, nargs='+', default=[1, -1], choices=range(-1, 4))
    a = parser.parse_args()
    styles, runs = dict(photograph=render_photo, painting=render_painting, **hands()), {}
    with tempfile.TemporaryDirectory() as tmp:
        write_folders(out := Path(tmp), styles, a.pictures)
        places = [torch.stack([to_tensor(p) for p in drawn(hand, range(9_000_000, 9_000_000+a.places))]) for hand in styles.values()]
        seen = [encoder_features(load_folder(out/'pictures'/f'style_{k}')[:128]) for k in range(4)]
        for palette in a.palette:
            runs[str(palette)] = found = measured(trained(out, palette, a), list(styles), places, seen)
            print(f'palette {palette}', score_table({way: {f'{row} {k}': v for row, r in rows.items() for k, v in r.items()} for way, rows in found['ways'].items()}), found['auto'], sep='\n', flush=True)
            save('four_styles', dict(vars(a), runs=runs))


if __name__ == '__main__': main()
