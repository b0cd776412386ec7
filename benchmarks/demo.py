"""The demo as a newcomer runs it, with its scores and its wall-clock time, and the translator that comes with the package beside it.

    python benchmarks/demo.py [--minutes 3] [--keep FOLDER]

Every run is judged on 32 places that it never saw, both ways: `rows` photographs into paintings, `back` paintings into photographs.
`intervals`: of each row's mean dB over these places, 95 % (bootstrap, chapter 42).
Writes results/demo.json, and nbs/images/before_after.png: by the first run's nearness to the truth the two best, two typical, the two worst.
"""
import argparse, contextlib, json, subprocess, sys, tempfile, time
from pathlib import Path
import torch
from common import RESULTS, save
from otcfm_nb.demo import best_typical_worst, candidates, judge, load_folder
from otcfm_nb.metrics import blurred_psnr, bootstrap, each
from otcfm_nb.sheets import sheet
from otcfm_nb.checkpoints import newest
from otcfm_nb.stored import checkpoint_path, read_checkpoint
from otcfm_nb.translate import Settings, load_translator


def compared(tr, out, back=False):
    "What `judge` is given of a run's held-out places: pictures by name, sources, truth, pictures of the target style. A photograph has no second attempt."
    photos, truth, second = (load_folder(out/'pairs', f'{name}*') for name in ('photo', 'paint', 'second'))
    styles = [load_folder(out/'pictures'/f'style_{k}')[:700] for k in (0, 1)]
    if back: photos, truth, second, styles = truth, photos, photos, styles[::-1]
    found, _ = candidates(tr, photos, truth, second, *styles, Settings(1, 0) if back else Settings())
    if back: del found['the painter, again']
    return found, photos, truth, styles[1]


def intervals(found, truth):
    "Of each row's mean dB: (low, high)."
    return {n: bootstrap(each(blurred_psnr, x, truth), torch.Generator().manual_seed(0))[1:] for n, x in found.items()}


def run(out, minutes):
    "One demo, as the command."
    start = time.monotonic()
    subprocess.run([sys.executable, '-m', 'otcfm_nb.demo', '--out', str(out), '--minutes', str(minutes)], check=True)
    wall = (time.monotonic()-start)/60
    checkpoint, saved = newest(out/'checkpoints')
    scores = json.loads((out/'scores.json').read_text())
    tr = load_translator(checkpoint)
    found, _, truth, _ = compared(tr, out)           # judged by the command already
    return dict(wall_minutes=wall, steps=saved['step'], back=judge(*compared(tr, out, True)), intervals=intervals(found, truth), **scores), found['ours']


def draw(out, found, packaged):
    "What the first run and the packaged translator made of the same places."
    photos, truth = (load_folder(out/'pairs', f'{name}*') for name in ('photo', 'paint'))
    shown = best_typical_worst(each(blurred_psnr, found, truth))
    path = RESULTS.parent.parent/'nbs'/'images'/'before_after.png'
    path.parent.mkdir(exist_ok=True)
    sheet({name: x[shown] for name, x in {'photograph': photos, f'{out.name} minutes': found, 'packaged': packaged, 'truth': truth}.items()}).save(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--minutes', type=float, nargs='+', default=[3])
    parser.add_argument('--keep', help='folder for the runs; default: they are removed')
    a = parser.parse_args()
    with contextlib.nullcontext(a.keep) if a.keep else tempfile.TemporaryDirectory() as tmp:
        done = {f'{m:g}': run(Path(tmp)/f'{m:g}', m) for m in a.minutes}
        out, tr = Path(tmp)/f'{a.minutes[0]:g}', load_translator('demo')
        found, photos, truth, style_1 = compared(tr, out)
        packaged = dict(steps=read_checkpoint(checkpoint_path('demo'))['step'], rows=judge(found, photos, truth, style_1), back=judge(*compared(tr, out, True)), intervals=intervals(found, truth))
        draw(out, next(iter(done.values()))[1], found['ours'])
    save('demo', dict(runs={m: r for m, (r, _) in done.items()}, packaged=packaged))


if __name__ == '__main__': main()
