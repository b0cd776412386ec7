"""Real photographs and paintings through the four commands, judged where there is no truth.

    python benchmarks/real.py [--photos ../shared/data/style_0] [--paintings ../shared/data/style_1] [--minutes 25] [--vae taef2] [--palette 1] [--anchor 0] [--cfg_scale 1] [--keep FOLDER]

Every sixth picture of each folder is held out. The others give --crops squares each, of random side and place, scaled to --size, because
a few dozen pictures are very few. Then the commands: otcfm_preprocess_latents, otcfm_train. Held-out pictures are translated
both ways. Columns: kernel distance to squares of held-out pictures of the target style (features of chapter 44, no network), encoder distance (the same by TAEF2's encoder), structure distance
and edges against the source, stroke energy over that of the target style, error of A -> B -> A in latents.
Writes results/real.json and nbs/images/real.jpg: the translations of photographs with the least, the middle and the greatest structure
distance, among those that may be shown: in the public domain by a SOURCES.tsv (file, ..., licence, ...) beside the folder, or all without one.
"""
import argparse, contextlib, json, random, subprocess, sys, tempfile, time
from pathlib import Path
import torch
import torch.nn.functional as F
from PIL import Image
from common import RESULTS, save
from otcfm_nb.config import preset, with_vae
from otcfm_nb.data import list_images, read_image, to_tensor
from otcfm_nb.judges import encoder_features, kernel_distance, opponents, picture_features, structure_distance, style_distance
from otcfm_nb.metrics import edge_agreement, stroke_energy
from otcfm_nb.checkpoints import epoch_files
from otcfm_nb.sheets import sheet
from otcfm_nb.stored import read_checkpoint
from otcfm_nb.translate import Settings, load_translator, relative, translate_latent
from otcfm_nb.whitening import map_latents


def crops(path, n, size, rng):
    "Squares of side `size` up to the short side, at random places, scaled to `size`."
    img = read_image(path)
    for _ in range(n):
        side = rng.randint(min(size, *img.size), min(img.size))
        x, y = rng.randint(0, img.width-side), rng.randint(0, img.height-side)
        yield img.crop((x, y, x+side, y+side)).resize((size, size), Image.LANCZOS)


def prepare(folders, out, n, size):
    "Training squares as PNG in `out`; returns held-out squares by style as (N,3,size,size), four of each picture."
    held, rng = [], random.Random(0)
    for k, folder in enumerate(folders):
        files = list_images(Path(folder)); held.append([])
        (out/f'style_{k}').mkdir(parents=True, exist_ok=True)
        for i, p in enumerate(files):
            if i%6==0: held[k] += [to_tensor(c) for c in crops(p, 4, size, rng)]; continue
            for j, c in enumerate(crops(p, n, size, rng)):
                file = out/f'style_{k}'/f'{p.stem}_{j}.png'
                if not file.exists(): c.save(file)
    return [torch.stack(h) for h in held]


def may_be_shown(folder, copies=4):
    "Which of the held-out squares."
    sources, held = Path(folder).parent/'SOURCES.tsv', list_images(Path(folder))[::6]
    free = {line.split('\t')[0] for line in sources.read_text().splitlines() if 'public-domain' in line} if sources.exists() else None
    return [copies*i+j for i, p in enumerate(held) if free is None or f'{p.parent.name}/{p.name}' in free for j in range(copies)]


def command(name, *args):
    subprocess.run([sys.executable, '-m', f'otcfm_nb.{name}', *map(str, args)], check=True)


def train(work, a):
    "A configuration for the CPU, latents, training; the time by minutes, epochs long enough not to end it."
    cfg = with_vae(preset('cpu'), a.vae)
    cfg.data.raw_data_root, cfg.data.data_root, cfg.checkpoint.save_dir = (str(work/n) for n in ('pictures', 'latents', 'checkpoints'))
    cfg.data.target_size, cfg.training.stage1_epochs, cfg.checkpoint.save_every, cfg.checkpoint.sample_every = a.size, a.epochs, 5, 0
    cfg.data.palette, cfg.data.anchor, cfg.data.cfg_scale, cfg.training.time_sampler = a.palette, a.anchor, a.cfg_scale, a.time_sampler
    (work/'config.json').write_text(json.dumps(cfg.model_dump(), indent=2))
    command('preprocess_latents', '--config', work/'config.json', '--target_size', a.size)
    command('train', '--config', work/'config.json', '--max_minutes', a.minutes)


def judge(found, source, target):
    "One row for each candidate."
    rows, real, seen = {}, picture_features(target), encoder_features(target)
    for name, x in found.items():
        rows[name] = {'kernel distance': kernel_distance(picture_features(x), real), 'encoder distance': style_distance(encoder_features(x), seen), 'structure distance': structure_distance(x, source),
                      'edges kept': edge_agreement(x, source), 'stroke energy': stroke_energy(x, target)}
    return rows


def one_way(tr, held, train_pictures, a, b, s):
    "Held-out pictures of style a to style b, with all opponents."
    found = opponents(held[a], train_pictures[a], train_pictures[b], tr.codec, torch.Generator().manual_seed(0))
    z = tr.encode(held[a], a)
    in_parts = lambda f, x: torch.cat([f(part) for part in x.split(8)])       # to spare memory
    paint = lambda x: torch.cat([tr.decode(after, *held[a].shape[-2:], b, before, a) for after,before in zip(x.split(8), held[a].split(8))])
    by = lambda x, s: in_parts(lambda part: translate_latent(tr, part, s, certify=False).latent, x)
    there, guided = by(z, s), by(z, Settings(a, b, num_steps=20, method='euler', cfg_scale=2.))
    back = by(there, Settings(b, a))
    if tr.palette.maps: found['colour transport'] = tr.palette.transport(held[a], a, {b: 1.})
    found['map of latents'] = paint(map_latents(z, a, b, tr.maps))
    found['ours'], found["ours, the guide's default (Euler 20, cfg 2)"] = (paint(x) for x in (there, guided))
    for w in (2., 3.): found[f'ours, guidance {w:g}'] = paint(by(z, Settings(a, b, cfg_scale=w)))
    found['real ones of the target style'] = train_pictures[b][torch.linspace(0, len(train_pictures[b])-1, len(held[a])).long()]
    return found, judge(found, held[a], held[b]), relative(back, z)


def picture(path, rows):
    "Rows at half size for the best, the middle and the worst three by structure distance."
    source, ours = rows['source'], rows['ours']
    order = sorted(range(len(source)), key=lambda i: structure_distance(ours[i:i+1], source[i:i+1]))
    m = len(order)//2
    pick = order[:3]+order[m-1:m+2]+order[-3:]
    sheet({name: F.avg_pool2d(x[pick], 2) for name, x in rows.items()}, 9).save(path, quality=85)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--photos', default='../shared/data/style_0')
    parser.add_argument('--paintings', default='../shared/data/style_1')
    parser.add_argument('--size', type=int, default=256)
    parser.add_argument('--crops', type=int, default=10)
    parser.add_argument('--minutes', type=float, default=25)
    parser.add_argument('--epochs', type=int, default=60, help='what the learning rate is planned for')
    parser.add_argument('--palette', type=lambda text: None if text=='none' else int(text), default=1, help='data.palette: style whose colours all get, or none')
    parser.add_argument('--vae', default='taef2')
    parser.add_argument('--anchor', type=float, default=0, help='data.anchor')
    parser.add_argument('--cfg_scale', type=float, default=1, help='data.cfg_scale')
    parser.add_argument('--time_sampler', default='uniform', help='training.time_sampler')
    parser.add_argument('--keep', help='folder for the run, whose squares and latents are used again; default: it is removed')
    a = parser.parse_args()
    start = time.monotonic()
    with contextlib.nullcontext(a.keep) if a.keep else tempfile.TemporaryDirectory() as tmp:
        work = Path(tmp)
        held = prepare((a.photos, a.paintings), work/'pictures', a.crops, a.size)
        train(work, a)
        folder = work/'checkpoints'
        log = [json.loads(line) for line in (folder/'metrics.jsonl').read_text().splitlines()]
        pictures = [torch.stack([to_tensor(read_image(p)) for p in list_images(work/'pictures'/f'style_{k}')[::5]]) for k in (0,1)]
        result = {}
        paths = {'last': epoch_files(folder)[-1], 'best': folder/'stage1_best.pt'}
        if not paths['best'].exists() or len({read_checkpoint(p)['step'] for p in paths.values()})==1: del paths['best']      # the last is the best
        for name, path in paths.items():
            tr = load_translator(path)
            ways = {}
            for x,y in ((0,1),(1,0)):
                found, rows, aba = one_way(tr, held, pictures, x, y, Settings(x, y))
                ways[f'{x} to {y}'] = dict(rows=rows, aba=aba)
                if (x,name)==(0,'last'): picture(RESULTS.parent.parent/'nbs'/'images'/'real.jpg', {caption: (found[name] if name else held[0])[may_be_shown(a.photos)]
                                                                                             for caption, name in (('source', None), ('colours', 'colour matching'), ('ours', 'ours'), ('guidance 3', 'ours, guidance 3'))})
            result[name] = ways
        losses = [r for r in log if 'val_loss' in r]
        save('real', dict(training_pictures=[len(list_images(work/'pictures'/f'style_{k}')) for k in (0,1)], held_out=[len(h) for h in held], size=a.size, palette=a.palette, vae=a.vae, anchor=a.anchor, cfg_scale=a.cfg_scale, time_sampler=a.time_sampler,
                          steps=log[-1]['step'], minutes=a.minutes, wall_minutes=(time.monotonic()-start)/60,
                          val_loss=[[r['step'], r['val_loss']] for r in losses], ways=result))


if __name__ == '__main__': main()
