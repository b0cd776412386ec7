"""The shape of every chapter against the limits of the house style: a table, then a line for each limit that is exceeded.

    python tools/shape.py            table and violations; exit 1 if there are any
    python tools/shape.py --quiet    violations only

A *line* is one that holds something: empty lines and `#|` directives do not count. `lines` is all code of a chapter, not
only what it exports, since a reader reads all of it. An assertion is `assert`, fastcore's `test_...` or torch's
`assert_close`; cells that only import or only direct nbdev need none, and chapters without `default_exp` are lessons,
which teach with figures too. `out/src` is the size of all outputs over that of all cells.
"""
import json, re, sys
from pathlib import Path
from statistics import median

NBS = Path(__file__).resolve().parent.parent/'nbs'
LIMITS = {'median': 9, 'p90': 22, 'longest': 30, 'tested': 45, 'out/src': 5, 'KB': 300, 'cells': 60, 'lines': 300, 'images': 6}
AT_LEAST = {'tested'}
MEANS = {'median': 'lines in the median exported cell', 'p90': 'lines in the 90th percentile of exported cells', 'longest': 'lines in an exported cell',
         'tested': 'percent of the other code cells with an assertion', 'out/src': 'times its source in outputs', 'KB': 'KB',
         'cells': 'cells', 'lines': 'lines of code', 'images': 'images'}


def lines(cell) -> list:
    return [x for x in cell.splitlines() if x.strip() and not x.startswith('#|')]


def only_imports(cell) -> bool:
    "Is there nothing but imports (they may go on over several lines)?"
    return not re.sub(r'^(from +\S+ +)?import +(\([^)]*\)|[^\n]*\\\n[^\n]*|[^\n]*)', '', '\n'.join(lines(cell)), flags=re.M).strip()


def percentile(numbers, share) -> int:
    "The smallest of the numbers that at least this share of them does not exceed."
    return sorted(numbers)[-int(-share*len(numbers)//1)-1]


def shape(path) -> dict:
    "What is counted in one notebook; what a chapter has not (a lesson exports nothing) is left out."
    cells = json.loads(path.read_text(encoding='utf-8'))['cells']
    source = {kind: [''.join(c['source']) for c in cells if c['cell_type'] == kind] for kind in ('code', 'markdown')}
    outputs = [o for c in cells for o in c.get('outputs', [])]
    exported = [c for c in source['code'] if re.search(r'^#\| *export[is]?\b', c, re.M)]
    other = [c for c in source['code'] if c not in exported and not only_imports(c)]
    out = {}
    if sizes := [len(lines(c)) for c in exported if not only_imports(c)]:
        out |= {'median': median(sizes), 'p90': percentile(sizes, .9), 'longest': max(sizes)}
    if other and any('default_exp' in c for c in source['code']):
        out['tested'] = round(100*sum(bool(re.search(r'\b(assert|assert_close|test_\w+)\b', c)) for c in other)/len(other))
    written = sum(len(c.encode()) for cs in source.values() for c in cs)
    return out | {'out/src': round(len(json.dumps(outputs))/written, 1), 'KB': round(path.stat().st_size/1000), 'cells': len(cells),
                  'lines': sum(len(lines(c)) for c in source['code']),
                  'images': sum(any(k.startswith('image/') for k in o.get('data', {})) for o in outputs)}


def violations(name, found) -> list:
    "One line for each limit that this chapter exceeds."
    out = []
    for k, got in found.items():
        if got < LIMITS[k] if k in AT_LEAST else got > LIMITS[k]:
            out.append(f"{name}: {got:g} {MEANS[k]}, at {'least' if k in AT_LEAST else 'most'} {LIMITS[k]}")
    return out


if __name__ == '__main__':
    book = {p.stem: shape(p) for p in sorted(NBS.glob('*.ipynb'))}
    bad = [line for name, found in book.items() for line in violations(name, found)]
    if '--quiet' not in sys.argv:
        width = max(map(len, book))
        row = lambda name, values: print(f'{name:{width}}', *(f'{v:>8}' for v in values))
        row('', LIMITS)
        for name, found in book.items(): row(name, [f'{found[k]:g}' if k in found else '-' for k in LIMITS])
        row('limit', [f"{'≥' if k in AT_LEAST else '≤'} {v}" for k, v in LIMITS.items()])
    print(*bad, sep='\n', end='\n' if bad else '')
    sys.exit(bool(bad))
