"""The shape of every chapter against the limits of the house style: a table, then a line for each limit that is exceeded.

    python tools/shape.py            table and violations; exit 1 if there are any
    python tools/shape.py --quiet    violations only

What is counted, after the house style of this book:

- A line is one that holds something: empty lines and `#|` directives do not count.
- `median` is of the exported cells' code: a signature is one line, however many parameters stand on lines of their own with
  a comment each (docments), and a docstring is none. Both are documentation, from which the API tables are made. Cells of
  imports are left out. `as seen` is the same median with every line that a reader sees; it has no limit, `p90` and `longest`
  are of lines as seen.
- `tested` is the share of code cells with an assertion (`assert`, fastcore's `test_...`, torch's `assert_close`) among those
  that are not exported; cells of imports or set-up aside. Chapters without `default_exp` are lessons, which teach with figures too.
- `out/src` is the size of all outputs, as stored, over that of all cells' sources.
- `lines` is all code of a chapter, exported or not, since a reader reads all of it. `images` are stored pictures.
"""
import ast, json, re, sys
from pathlib import Path
from statistics import median

NBS = Path(__file__).resolve().parent.parent/'nbs'
LIMITS = {'median': 9, 'as seen': None, 'p90': 22, 'longest': 30, 'tested': 45, 'out/src': 5, 'KB': 300, 'cells': 60, 'lines': 300, 'images': 6}
AT_LEAST = {'tested'}
MEANS = {'median': 'lines of code in the median exported cell', 'p90': 'lines in the 90th percentile of exported cells',
         'longest': 'lines in an exported cell',
         'tested': 'percent of the other code cells with an assertion', 'out/src': 'times its source in outputs', 'KB': 'KB',
         'cells': 'cells', 'lines': 'lines of code', 'images': 'images'}


def lines(cell) -> list:
    return [x for x in cell.splitlines() if x.strip() and not x.startswith('#|')]


def parsed(cell) -> ast.Module:
    "The cell's code; IPython's magic counts as `pass`."
    return ast.parse(re.sub(r'^( *)[%!].*$', r'\1pass', '\n'.join(lines(cell)), flags=re.M))


def only_set_up(cell) -> bool:
    "Nothing but imports, or the cell for Colab?"
    return '/content' in cell or all(isinstance(n, (ast.Import, ast.ImportFrom)) for n in parsed(cell).body)


def code_lines(cell) -> int:
    "Lines with every signature as one, without docstrings and comments."
    text, skip = lines(cell), set()
    for n in ast.walk(parsed(cell)):
        if not isinstance(n, (ast.FunctionDef, ast.ClassDef)): continue
        first = n.body[0]
        if isinstance(n, ast.FunctionDef): skip |= set(range(n.lineno+1, first.lineno))
        if ast.get_docstring(n) is not None: skip |= set(range(first.lineno, first.end_lineno+1))
    return sum(i not in skip and not x.strip().startswith('#') for i, x in enumerate(text, 1))


def percentile(numbers, share) -> int:
    "The smallest of the numbers that at least this share of them does not exceed."
    return sorted(numbers)[-int(-share*len(numbers)//1)-1]


def shape(path) -> dict:
    "What is counted in one notebook; what a chapter has not (a lesson exports nothing) is left out."
    cells = json.loads(path.read_text(encoding='utf-8'))['cells']
    source = {kind: [''.join(c['source']) for c in cells if c['cell_type'] == kind] for kind in ('code', 'markdown')}
    outputs = [o for c in cells for o in c.get('outputs', [])]
    exported = [c for c in source['code'] if re.search(r'^#\| *export[is]?\b', c, re.M)]
    other = [c for c in source['code'] if c not in exported and not only_set_up(c)]
    out = {}
    if exported := [c for c in exported if not only_set_up(c)]:
        sizes = [len(lines(c)) for c in exported]
        out |= {'median': median(map(code_lines, exported)), 'as seen': median(sizes), 'p90': percentile(sizes, .9), 'longest': max(sizes)}
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
        if LIMITS[k] and (got < LIMITS[k] if k in AT_LEAST else got > LIMITS[k]):
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
        row('limit', [f"{'≥' if k in AT_LEAST else '≤'} {v}" if v else '' for k, v in LIMITS.items()])
    print(*bad, sep='\n', end='\n' if bad else '')
    sys.exit(bool(bad))
