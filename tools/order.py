"""Do chapters give the same results in any order, and with one worker or two?

    python tools/order.py [37 40 46]      beginnings of names; 0 1 2 3 4 5 6 7 9 index: all

Chapters are run as nbdev_test runs them, in processes that are used again: forwards in one, backwards in one, and in two.
Then what their cells showed is compared, pictures too. Times, temporary folders and addresses are left out.
"""
import hashlib, importlib, json, os, re, sys
from pathlib import Path
from execnb.nbio import read_nb
from execnb.shell import CaptureShell
from fastcore.parallel import parallel
from fastcore.xtras import working_directory

NBS = Path(__file__).parent.parent/'nbs'
CHANGES = re.compile(r'(\d+:)*\d[\d.]*(e-\d+)? ?(ms|s|seconds?|minutes?|min|µs|it/s|step/s|picture/s)\b|seconds_per_step\W+[\d.e-]+|(/tmp|/private/var|[A-Z]:)[\w/\\.-]*|0x[0-9a-f]{6,}')


def shown(path) -> dict:
    "What each cell of a chapter shows, as a fingerprint by its number; an error is shown too."
    nb = read_nb(path)
    with working_directory(path.parent): CaptureShell(path).run_all(nb, exc_stop=False)
    plain = [CHANGES.sub('…', json.dumps(c.get('outputs', []), sort_keys=True, default=str)) for c in nb.cells if c.cell_type == 'code']
    assert not any('"output_type": "error"' in p for p in plain), f'{path.name} fails'
    return {i: (hashlib.sha256(p.encode()).hexdigest(), p[:300]) for i, p in enumerate(plain) if p != '[]'}


def run(chapters, workers) -> dict:
    "Fingerprints by chapter and cell."
    f = importlib.import_module(Path(__file__).stem).shown     # by its own module: a chapter takes the place of __main__
    return dict(zip([p.stem for p in chapters], parallel(f, chapters, n_workers=workers, pause=.01)))


def main():
    os.environ['IN_TEST'] = '1'           # as nbdev_test says it
    numbers = sys.argv[1:] or ['37', '40', '46']
    chapters = sorted({p for n in numbers for p in NBS.glob(f'{n}*.ipynb')})
    want, bad, cells = run(chapters, 1), [], 0
    for name, found in {'backwards': run(chapters[::-1], 1), 'two workers': run(chapters, 2)}.items():
        for chapter, here in want.items():
            there = found[chapter]
            cells += len(here)
            bad += [f'{name}, {chapter}, code cell {i}: {here.get(i, ("",""))[1]} / {there.get(i, ("",""))[1]}' for i in here.keys() | there.keys() if here.get(i) != there.get(i)]
    print(*bad, sep='\n', end='\n' if bad else '')
    print(f'{len(chapters)} chapters, {cells} comparisons of a cell: {len(bad)} differ')
    sys.exit(bool(bad))


if __name__ == '__main__': main()
