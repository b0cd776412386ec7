"""The demo as a newcomer runs it, with its scores and its wall-clock time.

    python benchmarks/demo.py [--minutes 3 15] [--keep FOLDER]

Writes results/demo.json, and the picture of the first run to nbs/images/before_after.png.
"""
import argparse, contextlib, json, shutil, subprocess, sys, tempfile, time
from pathlib import Path
from common import RESULTS, save


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--minutes', type=float, nargs='+', default=[3, 15])
    parser.add_argument('--keep', help='folder for the runs, for benchmarks/solvers.py; default: they are removed')
    a = parser.parse_args()
    runs = {}
    with contextlib.nullcontext(a.keep) if a.keep else tempfile.TemporaryDirectory() as tmp:
        for minutes in a.minutes:
            out, start = Path(tmp)/f'{minutes:g}', time.monotonic()
            subprocess.run([sys.executable, '-m', 'otcfm_nb.demo', '--out', str(out), '--minutes', str(minutes)], check=True)
            wall = (time.monotonic()-start)/60
            steps = json.loads((out/'checkpoints'/'metrics.jsonl').read_text().splitlines()[-1])['step']
            runs[f'{minutes:g}'] = dict(wall_minutes=wall, steps=steps, **json.loads((out/'scores.json').read_text()))
            picture = RESULTS.parent.parent/'nbs'/'images'/'before_after.png'
            if len(runs)==1: picture.parent.mkdir(exist_ok=True); shutil.copyfile(out/'before_after.png', picture)
    save('demo', dict(runs=runs))


if __name__ == '__main__': main()
