"""Checks on the book as a whole that no single chapter can make. One line a check, then `N passed, N failed`.

    python tools/check.py
"""
import ast, functools, hashlib, json, re, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LIB, NBS = TOP/'otcfm_nb', TOP/'nbs'
# nbdev ignores a directive that it does not know without a word, so a slip of the pen would hide a cell's export.
DIRECTIVES = {'default_exp', 'export', 'exporti', 'exports', 'hide', 'echo', 'output', 'code-fold', 'warning',
              'slow', 'gpu', 'net', 'fig-cap', 'label', 'column'}
CHAIN = 10             # links in the longest chain of imports


def run(*args) -> str:
    "What the command printed if it failed, '' if it went well."
    done = subprocess.run(args, cwd=TOP, capture_output=True, encoding='utf-8')
    return '' if done.returncode == 0 else (done.stdout + done.stderr).strip() or f'exit {done.returncode}'


def fingerprint(*globs) -> dict:
    return {p: hashlib.sha256(p.read_bytes()).hexdigest() for g in globs for p in sorted(TOP.glob(g))}


def leaves_no_diff(command, *globs) -> str:
    "The files that the command changed, made or removed."
    before = fingerprint(*globs)
    if failed := run(command): return failed
    after = fingerprint(*globs)
    changed = [str(p.relative_to(TOP)) for p in before.keys() | after.keys() if before.get(p) != after.get(p)]
    return f"changed {', '.join(sorted(changed))}: run {command} and commit" if changed else ''


def chapters() -> dict:
    "Notebook -> source of its code cells."
    read = lambda p: json.loads(p.read_text(encoding='utf-8'))['cells']
    return {p: [''.join(c['source']) for c in read(p) if c['cell_type'] == 'code'] for p in sorted(NBS.glob('*.ipynb'))}


def module_of(cells) -> str:
    found = [m[1] for c in cells if (m := re.search(r'^#\| *default_exp +(\S+)', c, re.M))]
    return found[0] if found else ''


def number(path) -> int:
    return int(m[0]) if (m := re.match(r'\d+', path.name)) else 1000


def imports(cell) -> set:
    "Modules of the package that a cell imports (cells with IPython magic are read line by line)."
    return set(re.findall(r'^\s*(?:from|import) +otcfm_nb\.(\w+)', cell, re.M))


def one_module_a_chapter() -> str:
    mods = [m for cells in chapters().values() if (m := module_of(cells))]
    twice = sorted({m for m in mods if mods.count(m) > 1})
    orphans = sorted({p.stem for p in LIB.glob('*.py')} - set(mods) - {'__init__', '_modidx'})
    return '; '.join([f'two chapters export {m}' for m in twice] + [f'otcfm_nb/{m}.py has no chapter' for m in orphans])


def imports_look_back() -> str:
    home = {module_of(cells): p for p, cells in chapters().items() if module_of(cells)}
    bad = [f'{p.name} imports {m}' for p, cells in chapters().items() for c in cells for m in imports(c)
           if m not in home or number(home[m]) > number(p)]
    return '; '.join(sorted(set(bad)))


def chains_stay_short() -> str:
    "The longest chain of imports: each link is one more thing that has to work before a module does. Small chapters make it long; it shall not grow."
    needs = {module_of(cells): {m for c in cells if re.search(r'^#\| *exports?\b', c, re.M) for m in imports(c)} for cells in chapters().values() if module_of(cells)}
    below = functools.cache(lambda m: max((1+below(n) for n in needs.get(m, ())), default=0))
    deep = max(needs, key=below)
    return '' if below(deep) <= CHAIN else f'{deep} stands on {below(deep)} modules one above the other, at most {CHAIN}'


def known_directives() -> str:
    bad = [f'{p.name}: #| {d}' for p, cells in chapters().items() for c in cells
           for d in re.findall(r'^#\| *([\w-]+)', c, re.M) if d not in DIRECTIVES]
    return '; '.join(bad)


def fresh_import() -> str:
    mods = ['otcfm_nb'] + [f'otcfm_nb.{p.stem}' for p in sorted(LIB.glob('*.py')) if not p.stem.startswith('_')]
    with ThreadPoolExecutor(2) as pool: said = dict(zip(mods, pool.map(lambda m: run(sys.executable, '-c', f'import {m}'), mods)))
    bad = [f'{m}: {out.splitlines()[-1]}' for m, out in said.items() if out]
    return '; '.join(bad)


def site(*args) -> str:
    "tools/site.py, where its library is to be had (Python 3.11 and newer)."
    return run(sys.executable, 'tools/site.py', *args) if find_spec('smalldocs') else ''


def no_globals_changed() -> str:
    "Exported code sets no global torch state."
    bad = []
    for p in sorted(LIB.glob('*.py')):
        names = {n.attr for n in ast.walk(ast.parse(p.read_text(encoding='utf-8'))) if isinstance(n, ast.Attribute)}
        bad += [f'{p.name}: {n}' for n in sorted(names) if n.startswith('set_default_')]
    return '; '.join(bad)


CHECKS = {
    'nbdev_clean leaves no diff': lambda: leaves_no_diff('nbdev_clean', 'nbs/*.ipynb'),
    'nbdev_export leaves no diff': lambda: leaves_no_diff('nbdev_export', 'otcfm_nb/*.py', 'pyproject.toml'),
    'README.md comes from nbs/index.ipynb': lambda: run(sys.executable, 'tools/readme.py', '--check'),
    'every module imports in a fresh interpreter': fresh_import,
    'the site builds': site,
    'no link on the site is broken': lambda: site('--check'),
    'pyflakes is clean': lambda: run(sys.executable, '-m', 'pyflakes', 'otcfm_nb', 'tools', 'scripts', 'benchmarks', 'setup.py',
                                              'preprocess_latents.py', 'train.py', 'inference.py'),
    'chapters import only lower-numbered ones': imports_look_back,
    'no chain of imports is longer than it was': chains_stay_short,
    'one chapter a module, one module a chapter': one_module_a_chapter,
    'every #| directive is known': known_directives,
    'every chapter keeps to the limits of tools/shape.py': lambda: run(sys.executable, 'tools/shape.py', '--quiet').replace('\n', '; '),
    'every chapter can be opened in Colab': lambda: run(sys.executable, 'tools/colab.py', '--check').replace('\n', '; '),
    'no set_default_* in exported code': no_globals_changed,
}

if __name__ == '__main__':
    results = {}
    for name, check in CHECKS.items():
        results[name] = found = check()
        print(f"{'FAILED' if found else 'ok    '} {name}" + (f': {found}' if found else ''), flush=True)
    failed = sum(map(bool, results.values()))
    print(f'{len(results)-failed} passed, {failed} failed')
    sys.exit(bool(failed))
