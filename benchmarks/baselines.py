"""Ours beside other translators: same pictures, same VAE, same judge, and for whatever is trained the same time on the same threads.

    python benchmarks/baselines.py [--minutes 3] [--pairs 32] [--pictures 700] [--size 128] [--seed 0]
    python benchmarks/baselines.py --packaged 'CUT, whitened' CycleGAN --pictures 3500

Without training: identity, Reinhard's colour matching, the transport of colours (chapter 30_palette; also through the VAE, which every row in
latents passes), AdaIN of latents (Huang and Belongie 2017: mean and deviation of each channel, by picture and by folder), the linear
map of latents (chapter 35). All that work on latents get those that ours gets, of photographs in the painter's palette, and what they
make is anchored in the photographs' colours as ours is (chapter 38_anchor).
With our model: SDEdit (Meng et al. 2022): noise to a time t of the flow, then forwards as a painting. The photograph's latents are
taken as those of a painting, as published, or whitened as a photograph's, as ours are. Of several t the best by dB on these very
pairs stands in the table (which favours it); all are in the JSON.
Trained: ours (the demo's preset), then CycleGAN and CUT (gans.py) for as many seconds as ours took, with about as many parameters
in their generators, on latents as they are and on latents whitened by style, which is what ours gets. CycleGAN's identity loss,
which its authors take where colours must stay, may hinder here where colours change, so one row is without.
Writes results/baselines.json and nbs/images/baselines.jpg.

With --packaged the translator of the package stands for ours, and the opponents named get about as many parameters and as many steps as
they do in its training time. How many that are is found first: both train by turns, twenty seconds each, three times. So a busy machine
takes nothing from anybody. Give it the number of pictures that it was trained on. Writes results/baselines_long.json, one opponent after
the other.
"""
import argparse, io, statistics, tempfile, time
from pathlib import Path
import torch
import gans
from common import RESULTS, save
from otcfm_nb.config import Config
from otcfm_nb.data import load_latents
from otcfm_nb.demo import check_request, demo_config, judge, load_folder, make_pictures, train_demo
from otcfm_nb.device import make_accelerator
from otcfm_nb.metrics import blurred_psnr, bootstrap, each, reinhard, score_table, ssim
from otcfm_nb.palette import save_palette
from otcfm_nb.preprocess_latents import preprocess
from otcfm_nb.stored import checkpoint_path, read_checkpoint
from otcfm_nb.sheets import sheet
from otcfm_nb.trainer import Trainer, train_step
from otcfm_nb.translate import Settings, load_translator, translate_latent
from otcfm_nb.whitening import colour, map_latents, whiten

OPPONENTS = {'CycleGAN': (gans.CycleGAN, {}, False), 'CycleGAN, no identity loss': (gans.CycleGAN, {'identity': 0}, False),
             'CycleGAN, whitened': (gans.CycleGAN, {}, True), 'CUT': (gans.CUT, {}, False), 'CUT, whitened': (gans.CUT, {}, True)}
TIMES = (.2, .35, .5, .65, .8)
BOUNDS = ('the painter, again', 'truth through the VAE')      # no translator's
CAPTIONS = {'identity': 'photograph', 'colour matching, by folder': 'colours', 'colour transport': 'transport', 'latent AdaIN, by folder': 'AdaIN', 'linear map of latents': 'linear map',
            'SDEdit': 'SDEdit', 'CycleGAN': 'CycleGAN', 'CycleGAN, no identity loss': 'no identity', 'CycleGAN, whitened': 'C.GAN, white', 'CUT': 'CUT', 'CUT, whitened': 'CUT, white',
            'ours': 'ours', 'the painter, again': 'painter again', 'truth through the VAE': 'truth, VAE'}


def adain(x, content, style):
    "Mean and deviation of each channel of x moved from those of `content` to those of `style`; each picture's own if that is None."
    over = (2, 3) if content is None else (0, 2, 3)
    own = x if content is None else content
    mean, std = (lambda v, d: v.mean(d, keepdim=True)), (lambda v, d: v.std(d, keepdim=True))
    return (x-mean(own, over))/std(own, over)*std(style, (0, 2, 3))+mean(style, (0, 2, 3))


def sdedit(tr, x1, t, as_style, s, g):
    "Latents of photographs, taken as those of style `as_style`, noised to time t and painted from there."
    z = whiten(x1, as_style, tr.maps)
    return tr.generate((1-t)*torch.randn(z.shape, generator=g)+t*z, 1, s.num_steps, s.method, since=t)


def train_ours(out, cfg, minutes):
    "Our translator, trained by the demo itself, and what it cost; the seconds hold the demo's trial of some steps too."
    cfg.training.compile, start = False, time.monotonic()         # nobody is compiled here
    path = train_demo(out, cfg, minutes, progress=False)
    seconds, tr = time.monotonic()-start, load_translator(path)
    return tr, dict(steps=read_checkpoint(path)['step'], seconds=seconds, parameters=gans.count(tr.model))


def new_gan(name, x1, style, maps, parameters, seed):
    "One of OPPONENTS with about so many parameters, latents of both styles as it gets them, and the statistics that whitened them."
    kind, more, white = OPPONENTS[name]
    maps = maps if white else None
    return gans.build(kind, x1.shape[1], parameters, seed, **more), [whiten(x1[style==k], k, maps) for k in (0, 1)], maps


def trained_gan(name, x1, style, maps, parameters, seed, **budget):
    "A translator of latents by one of OPPONENTS of about so many parameters, trained for `seconds` or `steps`, and what it cost."
    gan, latents, maps = new_gan(name, x1, style, maps, parameters, seed)
    found = gans.train(gan, *latents, torch.Generator().manual_seed(seed), **budget)
    translate = torch.no_grad()(lambda x: colour(gan.to_b(whiten(x, 0, maps)), 1, maps))
    return translate, dict(found, parameters=gan.parameters, parameters_for_training_only=gan.helpers)


def best_of(paint, found, truth):
    "Of several sets of latents by name the name whose pictures are nearest to the truth, and those of all."
    pictures = {k: paint(z) for k, z in found.items()}
    return max(pictures, key=lambda k: blurred_psnr(pictures[k], truth).item()), pictures


def untrained(tr, z, paint, photos, latents, styles, maps):
    "What needs no training: name -> pictures."
    return {'identity': photos,
            'colour transport': tr.palette.transport(photos, 0, {1: 1.}),
            'colour transport, through the VAE': paint(z),
            'colour matching, by picture': reinhard(photos, styles[1], by_picture=True),
            'colour matching, by folder': reinhard(photos, styles[1], styles[0]),
            'latent AdaIN, by picture': paint(adain(z, None, latents[1])),
            'latent AdaIN, by folder': paint(adain(z, *latents)),
            'linear map of latents': paint(map_latents(z, 0, 1, maps))}


def all_sdedits(tr, z, paint, truth, s, seed):
    "The best of each kind under the names of the table, the pictures of every t, and which were the best."
    found, every, names = {}, {}, {}
    for name, as_style in (('SDEdit', 1), ('SDEdit, whitened', 0)):
        tries = {f'{name}, t = {t:g}': sdedit(tr, z, t, as_style, s, torch.Generator().manual_seed(seed)) for t in TIMES}
        best, pictures = best_of(paint, tries, truth)
        found[name], every, names[name] = pictures[best], every | pictures, best
    return found, every, names


def judged(found, photos, truth, style_1):
    "The demo's columns, and SSIM."
    rows = judge(found, photos, truth, style_1)
    for name, x in found.items(): rows[name]['SSIM'] = ssim(x, truth)
    return rows


def verdict(found, rows, truth, seed):
    "How far ours is ahead of each row, with the interval over the pairs (chapter 42), and who is not beaten in both."
    g, ours, lead = torch.Generator().manual_seed(seed), each(blurred_psnr, found['ours'], truth), {}
    for name in (n for n in found if n not in BOUNDS+('ours',)):
        mean, low, high = bootstrap(ours-each(blurred_psnr, found[name], truth), g)
        lead[name] = dict(dB=mean, dB_low=low, dB_high=high, **{k: rows[name][k]-rows['ours'][k] for k in ('patches to truth', 'encoder distance')})
    behind = lambda column: [n for n, r in lead.items() if r[column] <= 0]
    return dict(lead_of_ours=lead, not_beaten_in_dB=behind('dB_low'), not_beaten_in_patches=behind('patches to truth'), not_beaten_in_encoder_distance=behind('encoder distance'))


def draw(found, truth, columns=3):
    "A row for each method, as a JPEG of less than 150 KB."
    page = sheet({caption: found[name] for name, caption in CAPTIONS.items()} | {'truth': truth}, columns)
    for quality in (85, 75, 65, 55, 45):
        page.save(data := io.BytesIO(), format='JPEG', quality=quality, optimize=True)
        if data.tell() < 150_000: break
    path = RESULTS.parent.parent/'nbs'/'images'/'baselines.jpg'
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data.getvalue())


def prepare(out, pictures, pairs, size, seed):
    "The demo's pictures and latents: configuration, latents, styles, their index, held-out places, training pictures of both styles."
    make_pictures(out, pictures, pairs, size, seed, progress=False)
    cfg = demo_config(out, size, seed)
    preprocess(cfg, progress=False)
    places = [load_folder(out/'pairs', f'{name}*') for name in ('photo', 'paint', 'second')]
    return cfg, *load_latents(cfg.data.data_root), places, [load_folder(out/'pictures'/f'style_{k}') for k in (0, 1)]


def staged(tr, x1, style, photos, styles):
    "Latents of the photographs in the painter's palette, which is the common one; how latents become pictures; what needs no training."
    z, paint = tr.encode(photos, 0), lambda x: tr.decode(x, *photos.shape[-2:], 1, photos, 0)
    return z, paint, untrained(tr, z, paint, photos, [x1[style==k] for k in (0, 1)], styles, tr.maps)


def last_rows(tr, z, paint, truth, second):
    "Ours, and the bounds."
    return {'ours': paint(translate_latent(tr, z, Settings(), certify=False).latent), 'the painter, again': second, 'truth through the VAE': tr.codec.decode(tr.codec.encode(truth))}


def compare(out, minutes, pictures, pairs, size, seed):
    "Everything that belongs into the JSON; the picture is drawn besides."
    cfg, x1, style, _, (photos, truth, second), styles = prepare(out, pictures, pairs, size, seed)
    tr, cost = train_ours(out, cfg, minutes)
    print('ours:', cost, flush=True)
    costs, (z, paint, found) = {'ours': cost}, staged(tr, x1, style, photos, styles)
    best, sdedits, names = all_sdedits(tr, z, paint, truth, Settings(), seed)
    found |= best
    for name in OPPONENTS:
        translate, costs[name] = trained_gan(name, x1, style, tr.maps, cost['parameters'], seed, seconds=cost['seconds'])
        found[name] = paint(translate(z))
        print(f'{name}:', costs[name], flush=True)
    found |= last_rows(tr, z, paint, truth, second)
    rows = judged(found, photos, truth, styles[1])
    draw(found, truth)
    print(score_table({n: r | {k: costs[n][k] for k in ('steps', 'seconds', 'parameters') if n in costs} for n, r in rows.items()}))
    return dict(rows=rows, costs=costs, sdedit=judged(sdedits, photos, truth, styles[1]), sdedit_best=names, **verdict(found, rows, truth, seed))


def pace(name, trainer, x1, style, maps, parameters, seconds=20, turns=3):
    "Steps that an opponent makes while ours makes one."
    (gan, latents, _), g, found = new_gan(name, x1, style, maps, parameters, 0), torch.Generator().manual_seed(0), []
    for k in range(turns+1):                                     # the first turn is to get warm
        long, ours = seconds if k else 2, 0
        theirs, start = gans.train(gan, *latents, g, long), time.monotonic()
        while time.monotonic()-start < long: train_step(trainer); ours += 1
        found.append(theirs['steps']/theirs['seconds']*(time.monotonic()-start)/ours)
    return statistics.median(found[1:])


def longer(out, names, pictures, pairs, size, seed):
    "The packaged translator and opponents that had its training time; the rows grow by one at a time."
    tr, saved = load_translator('demo'), read_checkpoint(checkpoint_path('demo'))
    (out/'latents').mkdir(); save_palette(tr.palette.maps, out/'latents'/'palette.safetensors')      # what is there is kept: all get the palette that ours learnt with
    cfg, x1, style, info, (photos, truth, second), styles = prepare(out, pictures, pairs, size, seed)
    cfg.model, cfg.training.compile, parameters = Config.model_validate(saved['config']).model, False, gans.count(tr.model)
    z, paint, found = staged(tr, x1, style, photos, styles)
    found |= last_rows(tr, z, paint, truth, second)
    costs, trainer = {'ours': dict(steps=saved['step'], parameters=parameters)}, Trainer(cfg, x1, style, info | dict(metric=torch.eye(x1.shape[1])), make_accelerator(cfg))
    for name in names:
        rate = pace(name, trainer, x1, style, tr.maps, parameters)
        print(f'{name}: {rate:.2f} steps to one of ours', flush=True)
        translate, costs[name] = trained_gan(name, x1, style, tr.maps, parameters, seed, steps=round(saved['step']*rate))
        found[name] = paint(translate(z))
        rows = judged(found, photos, truth, styles[1])
        print(score_table(rows), costs[name], flush=True)
        save('baselines_long', dict(pictures=pictures, pairs=pairs, size=size, seed=seed, rows=rows, costs=costs, **verdict(found, rows, truth, seed)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--minutes', type=float, default=3)
    parser.add_argument('--packaged', nargs='+', choices=OPPONENTS, help='opponents for the time that the packaged translator had; --minutes is not used')
    parser.add_argument('--pairs', type=int, default=32)
    parser.add_argument('--pictures', type=int, default=700)
    parser.add_argument('--size', type=int, default=128)
    parser.add_argument('--seed', type=int, default=0)
    a = parser.parse_args()
    check_request(a.minutes, None, a.pictures, a.pairs, a.size, a.seed)
    with tempfile.TemporaryDirectory() as tmp:
        if a.packaged: return longer(Path(tmp), a.packaged, a.pictures, a.pairs, a.size, a.seed)
        found = compare(Path(tmp), a.minutes, a.pictures, a.pairs, a.size, a.seed)
    save('baselines', dict(vars(a), **found))
    for column in ('dB', 'patches', 'encoder_distance'): print(f"not beaten by ours in {column}:", found[f'not_beaten_in_{column}'] or 'none')


if __name__ == '__main__': main()
