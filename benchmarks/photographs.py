"""The packaged translator on real photographs, and what it makes of each.

    python benchmarks/photographs.py [--photos ../shared/data/style_0] [--paintings ../shared/data/style_1] [--size 192] [--draw FOLDER]

Every photograph's middle square, scaled to --size, from style 0 to 1 by `load_translator('demo')` as it comes. There is no truth. Each
picture's distance: its encoder features (chapter 44) from the mean of 256 new procedural paintings, each in deviations of theirs, the mean
of the squares; a painting has about 1. Gain is that over the source's, `strokes` the stroke energy over the source's.
Rows of sets: what the translator is held against. The procedural pictures are of 128 pixels, the size that it learnt on.
Writes results/photographs.json and nbs/images/photographs.jpg: the two least distances, two in the middle, the two greatest, source above
translation, among the photographs that may be shown: in the public domain by a SOURCES.tsv (file, ..., licence, ...) beside the folder,
or all without one. With --draw every photograph above its translation, nearest first, eight a page, for the eye.
"""
import argparse, sys, tempfile
from pathlib import Path
import torch
from PIL import ImageOps
from common import RESULTS, save
from otcfm_nb.data import list_images, read_image, to_tensor
from otcfm_nb.demo import best_typical_worst, load_folder
from otcfm_nb.judges import encoder_features, style_distance
from otcfm_nb.metrics import each, edge_agreement, stroke_energy
from otcfm_nb.painter import write_styles
from otcfm_nb.sheets import sheet
from otcfm_nb.translate import Settings, load_translator, translate_pixels
from otcfm_nb.whitening import map_latents


def squares(files, size):
    "The middle of each picture, (N,3,size,size)."
    return torch.stack([to_tensor(ImageOps.fit(read_image(p), (size, size))) for p in files])


def may_be_shown(files):
    "Which of the photographs."
    sources = files[0].parent.parent/'SOURCES.tsv'
    free = {line.split('\t')[0] for line in sources.read_text().splitlines() if line.split('\t')[2]=='public-domain'} if sources.exists() else None
    return [i for i, p in enumerate(files) if free is None or f'{p.parent.name}/{p.name}' in free]


def translate(tr, photos, s):
    "Translations, the set's candidates beside them, and each latent's round trip error."
    found = {'source': photos, 'VAE only': tr.codec.decode(tr.codec.encode(photos)), 'colour transport': tr.palette.transport(photos, 0, {1: 1.}),
             'map of latents': tr.decode(map_latents(tr.encode(photos, 0), 0, 1, tr.maps), *photos.shape[-2:], 1, photos, 0)}
    parts = [translate_pixels(tr, part, s) for part in photos.split(8)]
    return found | {'ours': torch.cat([x for x,_ in parts])}, [v for _,done in parts for v in done.each]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--photos', type=Path, default=Path('../shared/data/style_0'))
    parser.add_argument('--paintings', type=Path, default=Path('../shared/data/style_1'))
    parser.add_argument('--size', type=int, default=192)
    parser.add_argument('--draw', type=Path, help='folder for pages of all photographs')
    a = parser.parse_args()
    for folder in (a.photos, a.paintings):
        if not (folder.is_dir() and list_images(folder)): sys.exit(f'{folder}: no pictures: give folders of photographs and of paintings with --photos and --paintings')
    files, tr, s = list_images(a.photos), load_translator('demo'), Settings(0, 1)
    photos, real = squares(files, a.size), squares(list_images(a.paintings), a.size)
    with tempfile.TemporaryDirectory() as tmp:
        write_styles(Path(tmp), 512, 128, 777, progress=False)
        (painter, again), learnt = load_folder(Path(tmp)/'style_1').split(256), load_folder(Path(tmp)/'style_0')[:256]
    found, lost = translate(tr, photos, s)
    found |= {'procedural photographs': learnt, 'the painter, again': again, 'real paintings': real}
    features, painted = {name: encoder_features(x) for name,x in found.items()}, encoder_features(painter)
    rows = {name: {'to the painter': style_distance(f, painted), 'to real paintings': style_distance(f, features['real paintings'])} for name,f in features.items()}
    for name in list(found)[:5]: rows[name] |= {'edges kept': edge_agreement(found[name], photos), 'stroke energy': stroke_energy(found[name], photos)}
    del rows['real paintings']['to real paintings']           # of a set to itself
    distance = {name: ((f-painted.mean(0))/painted.std(0)).square().mean(1) for name,f in features.items()}
    for name, d in distance.items(): rows[name]['distance of one'] = d.median().item()
    ours, free, near = found['ours'], may_be_shown(files), distance['ours']
    pick = [free[i] for i in best_typical_worst(-near[free])]
    sheet({'photograph': photos[pick], 'ours': ours[pick]}).save(RESULTS.parent.parent/'nbs'/'images'/'photographs.jpg', quality=85)
    if a.draw:
        a.draw.mkdir(parents=True, exist_ok=True)
        for i, page in enumerate(near.argsort().split(8)): sheet({'photograph': photos[page], 'ours': ours[page]}).save(a.draw/f'page_{i}.png')
    columns = {'source': distance['source'], 'map of latents': distance['map of latents'], 'ours': near, 'gain': near/distance['source'],
               'strokes': each(stroke_energy, ours, photos), 'edges': each(edge_agreement, ours, photos), 'round trip': torch.tensor(lost)}
    save('photographs', dict(photographs=len(files), paintings=len(real), size=a.size, method=s.method, num_steps=s.num_steps, cfg_scale=tr.cfg_scale, anchor=tr.anchor, rows=rows,
                             round_trip=sum(lost)/len(lost), may_be_shown=len(free), shown=[files[i].name for i in pick],
                             pictures={p.name: {k: v[i].item() for k,v in columns.items()} for i, p in enumerate(files)}))


if __name__ == '__main__': main()
