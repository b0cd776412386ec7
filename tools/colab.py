"""The hidden first cell of every chapter, which lets it run in Colab.

    python tools/colab.py            puts it into the chapters that lack it, mends it where it differs
    python tools/colab.py --check    lists them; exit 1 if there are any

Colab opens one notebook and nothing else: no package, no configuration, no stored results. So the cell fetches the
repository, installs the package from it and goes to the folder of the chapters. Elsewhere, where there is no /content, it
does nothing, so that it needs no network in a test and no `eval: false`.
"""
import json, sys
from configparser import ConfigParser
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
settings = ConfigParser()
settings.read(TOP/'settings.ini', encoding='utf-8')
NAME = settings['DEFAULT']['repo']
CELL = f"""#| hide
import os
if os.path.isdir('/content'): # Colab opens a chapter without its package and its neighbours: fetch them
    !cd /content && git clone -q {settings['DEFAULT']['git_url']}; pip install -q /content/{NAME}
    if os.path.isdir('/content/{NAME}/nbs'): os.chdir('/content/{NAME}/nbs')"""


def with_cell(cells) -> list:
    "The cells of a notebook with this one before the first code cell, and nowhere else."
    here = dict(cell_type='code', execution_count=None, id='colab', metadata={}, outputs=[], source=CELL.splitlines(True))
    cells = [c for c in cells if c.get('id') != 'colab']
    first = [c['cell_type'] for c in cells].index('code')
    return cells[:first] + [here] + cells[first:]


def mend(path) -> str:
    "The text that the notebook should have, '' if it is right or has no code."
    text = path.read_text(encoding='utf-8')
    nb = json.loads(text)
    if not any(c['cell_type'] == 'code' for c in nb['cells']): return ''
    # An execution count is no fault: it is there until nbdev_clean.
    bare = [dict(c, execution_count=None) if c.get('id') == 'colab' else c for c in nb['cells']]
    if bare == with_cell(bare): return ''
    return json.dumps(nb | dict(cells=with_cell(nb['cells'])), indent=1, ensure_ascii=False, sort_keys=True) + '\n'


if __name__ == '__main__':
    found = {p: text for p in sorted((TOP/'nbs').glob('*.ipynb')) if (text := mend(p))}
    for p, text in found.items():
        if '--check' in sys.argv: print(f'{p.name}: lacks the cell for Colab: run python tools/colab.py')
        else: p.write_text(text, encoding='utf-8')
    sys.exit(bool(found) and '--check' in sys.argv)
