"""Builds the website in _docs/ from the notebooks, without Quarto.

    python tools/site.py            builds _docs/
    python tools/site.py --check    lists what is broken in _docs/, and exits with 1 if anything is

nbdev strips the notebooks and writes the API tables, smalldocs lays out the pages that _quarto.yml describes. What is
here is what they leave open: pages named as Quarto would name them, equations and search that need no network, links to
run a chapter elsewhere, a list of all functions, and the check.
"""
import ast, html, json, os, re, shutil, subprocess, sys, tarfile, tempfile, warnings
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit
import yaml

TOP = Path(__file__).resolve().parent.parent
NBS, PROC, DOCS, LIB = TOP/'nbs', TOP/'_proc', TOP/'_docs', TOP/'otcfm_nb'
KATEX = '0.16.47'
CDN = 'https://cdn.jsdelivr.net/npm/katex'  # where smalldocs looks for it


def read(path) -> str: return path.read_text(encoding='utf-8')
def write(path, text) -> None: path.write_text(text, encoding='utf-8')


# -- notebooks to pages
def tables() -> None:
    "API tables in the place of signatures with comments, which is what show_doc writes with this fastcore."
    from fastcore.docments import docments, empty
    from nbdev import processors, showdoc
    plain = lambda o: '' if o is empty or o is None else getattr(o, '__name__', str(o)).replace('\n', ' ')
    cell = lambda o: re.sub(r'([|^*_<])', r'\\\1', plain(o))

    class Table(showdoc.BasicMarkdownRenderer):
        def _repr_markdown_(self):
            text, found = super()._repr_markdown_(), docments(self.sym, full=True)
            rows = [['**returns**' if name == 'return' else f'`{name}`', cell(p.anno),
                     '' if name == 'return' or p.default is empty else f'`{p.default!r}`', cell(p.docment)]
                    for name, p in found.items() if name not in ('self', 'args', 'kwargs') and (p.docment or name != 'return')]
            columns = [c for c in zip(['', 'Type', 'Default', 'Details'], ['---']*4, *rows) if any(c[2:])]
            table = [f"| {' | '.join(row)} |" for row in zip(*columns)] if rows else []
            return '\n'.join([re.sub(r'```python\n.*?```\n*', '', text, flags=re.S), '', *table])

    showdoc.BasicMarkdownRenderer = Table
    names = processors._def_names
    processors._def_names = lambda *args: names(*args)[::-1]   # nbdev puts each table of a cell above the one before


def process() -> None:
    "nbs/ to _proc/: no hidden cells, API tables."
    # Not the command nbdev_proc_nbs: where there is no Quarto it would first try to download and install it.
    from nbdev.serve import proc_nbs
    tables()
    warnings.filterwarnings('ignore', message='Found cells containing imports')
    # All anew, as a table also changes with the package and nbdev looks at the notebook's date only. In this process:
    # another worker would import torch and diffusers once more, which takes longer than it saves.
    try: proc_nbs(NBS, force=True, n_workers=0)
    except Exception as e:
        where = ' '.join(str(e).splitlines()[:2])[:160]
        sys.exit(f'{where}\n{e.__cause__!r}: for the API tables nbdev runs every cell that holds an import. Give the import a cell of its own.')


def first_cell(notebook) -> str: return ''.join(json.loads(read(notebook))['cells'][0]['source'])


def front(name) -> dict:
    "Title and output file of a notebook in _proc/, from the raw cell that nbdev puts on top."
    return dict(re.findall(r'^([\w-]+): *(.*)$', first_cell(PROC/name), re.M))


def full_name(n) -> str:
    "Of a function or class; a function that is patched into a class is a method of it."
    patched = any('patch' in ast.unparse(d) for d in n.decorator_list)
    return f'{ast.unparse(n.args.args[0].annotation)}.{n.name}' if patched else n.name


def write_api(source) -> None:
    "_proc/api.md: all functions and classes on one page, each with its chapter and its source."
    out = ['---', 'title: All functions and classes', 'description: What the package exports, module by module.', '---', '']
    homes = {p: re.search(r'File to edit: \.\./nbs/(\S+\.ipynb)', read(p)) for p in LIB.glob('[a-z]*.py')}
    for home, module in sorted((m[1], p) for p, m in homes.items() if m and (PROC/m[1]).exists()):
        out += [f'## {module.stem}', '', f'`otcfm_nb.{module.stem}`, from the chapter [{front(home)["title"]}]({home}).', '',
                '| Name | What it does | |', '|---|---|---|']
        for n in ast.parse(read(module)).body:      # read, not imported: torch takes its time
            if not isinstance(n, (ast.FunctionDef, ast.ClassDef)) or n.name.startswith('_'): continue
            doc = (ast.get_docstring(n) or '').split('\n')[0].replace('|', r'\|')
            name = full_name(n)
            out.append(f'| [`{name}`]({home}#{name.lower()}) | {doc} | [source]({source}/otcfm_nb/{module.name}#L{n.lineno}) |')
        out.append('')
    write(PROC/'api.md', '\n'.join(out))


def lay_out() -> None:
    "_proc/ to _docs/."
    try: from smalldocs.site import build
    except ImportError: sys.exit("no smalldocs: pip install -e '.[dev]' with Python 3.11 or newer")
    for w in build(PROC, quiet=True).warnings:
        # Links are the business of the check, names of pages that of finish().
        if 'broken link' not in w and 'output-file' not in w: print(f'smalldocs: {w}')
    shutil.rmtree(DOCS, ignore_errors=True)
    shutil.move(PROC/'_docs', DOCS)                               # as nbdev_docs does for Quarto
    for css in DOCS.rglob('*.css'):                               # themes ask for fonts from afar; the system has some too
        write(css, re.sub(r'@import +url\([^)]*//[^)]*\);?', '', read(css)))


# -- equations
def katex() -> Path | None:
    "Folder of KaTeX, from npm the first time; None where there is no npm, no Node or no network."
    home = TOP/'build'/f'katex-{KATEX}'
    if not shutil.which('node'): return None
    if not home.exists():
        with tempfile.TemporaryDirectory() as tmp:
            try:
                subprocess.run([shutil.which('npm') or 'npm', 'pack', f'katex@{KATEX}', '--silent', '--fetch-retries=0'],
                               cwd=tmp, check=True, capture_output=True, timeout=60)
                with tarfile.open(next(Path(tmp).glob('*.tgz'))) as t: t.extractall(tmp, **(dict(filter='data') if hasattr(tarfile, 'data_filter') else {}))   # Python before 3.11.4 has no filters
            except (OSError, subprocess.SubprocessError, tarfile.TarError): return None
            home.parent.mkdir(exist_ok=True)
            shutil.move(Path(tmp)/'package'/'dist', home)
    return home


MATH = re.compile(r'<span class="math (inline|display)">\\[(\[](.*?)\\[)\]]</span>', re.S)
RED = '#d0021b'  # of what KaTeX cannot read, so that the check finds it
NODE = """const k = require(process.argv[1]), all = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const draw = ([kind, tex]) => k.renderToString(tex, {displayMode: kind == 'display', throwOnError: false, errorColor: process.argv[2]});
console.log(JSON.stringify(all.map(draw)))"""


def equations(pages) -> dict:
    "Pages with their equations as HTML, so that a reader needs neither network nor script."
    home = katex()
    if home is None:
        print('no KaTeX (node, npm, network): equations are left to the content network')
        return pages
    found = sorted({m.groups() for text in pages.values() for m in MATH.finditer(text)})
    asked = json.dumps([(kind, html.unescape(tex)) for kind, tex in found])
    done = subprocess.run(['node', '-e', NODE, str(home/'katex.min.js'), RED], input=asked,
                          stdout=subprocess.PIPE, check=True, encoding='utf-8')
    drawn = dict(zip(found, json.loads(done.stdout)))
    to = DOCS/'site_libs'/'katex'
    shutil.copytree(home/'fonts', to/'fonts', ignore=shutil.ignore_patterns('*.ttf', '*.woff'))
    shutil.copy(home/'katex.min.css', to)
    draw = lambda m: f'<span class="math {m[1]}">{drawn[m.groups()]}</span>'
    local = lambda text: re.sub(rf'<link[^>]*"{CDN}[^>]*>', '<link rel="stylesheet" href="site_libs/katex/katex.min.css">',
                                re.sub(rf'<script[^>]*"{CDN}[^>]*></script>', '', text))
    return {p: MATH.sub(draw, local(text)) for p, text in pages.items()}


# -- the rest of a page
# Where else a chapter can be read or run. Words, not pictures: a badge's picture would come from the network.
BADGES = ('<p class="badges"><a href="https://colab.research.google.com/github{0}"><i class="bi bi-play-fill"></i> Open in Colab</a> '
          '<a href="https://nbviewer.org/github{0}"><i class="bi bi-eye"></i> View in nbviewer</a></p>')


def describe_pictures(text) -> str:
    "Stored figures have no words for those who cannot see them: the heading above says what they belong to."
    heading, out = '', []
    for part in re.split(r'(<h[1-4][^>]*>.*?</h[1-4]>)', text, flags=re.S):
        if part.startswith('<h'): heading = html.escape(re.sub(r'<[^>]+>|\s+', ' ', part).strip(), quote=True)
        out.append(part.replace('<img src="data:', f'<img alt="Figure in: {heading}" src="data:'))
    return ''.join(out)


# A browser does not fetch a JSON file for a page that was opened as a file; a script it does load.
FILE_SEARCH = """if (location.protocol === "file:") window.fetch = (url) => new Promise((resolve, reject) => {
  const s = document.createElement("script");
  s.onload = () => resolve({json: () => window.searchIndex}); s.onerror = reject;
  s.src = String(url).replace(/json$/, "js"); document.head.append(s);
});"""


def finish(conf) -> None:
    "Everything that is done to the built pages."
    pages, site = {}, conf['site-url'].rstrip('/') + '/'
    renamed = {p.stem + '.html': front(p.name).get('output-file', p.stem + '.html') for p in PROC.glob('*.ipynb')}
    rename = lambda text: re.sub(r'\b\d\w*\.html\b', lambda m: renamed.get(m[0], m[0]), text)
    for p in list(DOCS.glob('*.html')):
        # nbdev links a name in backticks to the published site: here the page is beside
        text, name = rename(read(p)).replace(f'href="{site}', 'href="'), p.with_suffix('.ipynb').name
        if (NBS/name).exists():
            more = BADGES.format(f"{urlsplit(conf['source']).path}/nbs/{name}")
            text = re.sub(r'id="title-block-header".*?</header>', lambda m: m[0] + more, text, count=1, flags=re.S)
        text = text.replace('</head>', '<script src="site_libs/file-search.js"></script></head>', 1)
        text = text.replace(f"{conf['source']}/nbs/api.md", f"{conf['source']}/otcfm_nb")   # api.md is nowhere in git
        pages[renamed.get(p.name, p.name)] = describe_pictures(text)
        p.unlink()
    for name, text in equations(pages).items(): write(DOCS/name, text)
    for p in (DOCS/'search.json', DOCS/'sitemap.xml'): write(p, rename(read(p)))
    write(DOCS/'search.js', 'window.searchIndex = ' + read(DOCS/'search.json'))
    write(DOCS/'site_libs'/'file-search.js', FILE_SEARCH)


# -- the check
class Refs(HTMLParser):
    "What a page refers to, and what can be referred to in it."
    def __init__(self, text):
        super().__init__()
        self.refs, self.ids = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        self.ids |= {a[k] for k in ('id', 'name') if a.get(k)}
        self.refs += [(tag, a[k]) for k in ('href', 'src') if a.get(k)]


def broken(tag, ref, pages, conf) -> str:
    "What is wrong with one reference, '' if nothing is."
    url = urlsplit(ref)
    path, anchor = unquote(url.path), unquote(url.fragment)
    if url.scheme in ('http', 'https'):
        if tag in ('script', 'link', 'img', 'iframe') and not ref.startswith(CDN): return 'comes from the network'
        inside = re.match(rf"{re.escape(conf['repo-url'])}/(?:blob|raw|tree)/{conf['repo-branch']}/([^#?]+)", ref)
        return 'is not in the repository' if inside and not (TOP/unquote(inside[1])).exists() else ''
    if url.scheme or not (path or anchor): return ''
    if not (DOCS/path).resolve().is_relative_to(DOCS): return 'leads out of the site'
    if path.rstrip('./') and not (DOCS/path).is_file(): return 'is not there'
    return 'has no such anchor' if anchor and path in pages and anchor not in pages[path].ids else ''


def problems() -> list:
    "One line for everything that is broken in the built site."
    if not (DOCS/'index.html').exists(): return ['there is no _docs/index.html: run python tools/site.py']
    texts = {p.relative_to(DOCS).as_posix(): read(p) for p in sorted(DOCS.rglob('*.html'))}
    pages, conf, seen = {name: Refs(text) for name, text in texts.items()}, config(), {}
    for name, page in pages.items():
        for tag, ref in page.refs:
            whole = name + ref if ref.startswith('#') else ref
            if why := broken(tag, whole, pages, conf): seen.setdefault(f'{whole} {why}', []).append(name)
    out = [f"{what} ({len(set(on))} pages, first {on[0]})" for what, on in seen.items()]
    out += [f'{p.name}: a style sheet that asks the network' for p in DOCS.rglob('*.css') if re.search(r'url\(.?(https?:)?//', read(p))]
    red = re.compile(rf'(?:katex-error|{RED})[^>]*>([^<]+)')
    out += [f'{name}: KaTeX does not know {tex}' for name, text in texts.items() for tex in sorted(set(red.findall(text)))]
    linked = {urlsplit(ref).path for _, ref in pages['index.html'].refs}
    # nbdev makes front matter of the cell with the title, and what else it holds is gone.
    full = [p for p in sorted(NBS.glob('*.ipynb')) if re.sub(r'^(# |> |- ).*', '', first_cell(p), flags=re.M).strip()]
    out += [f'nbs/{p.name}: the cell with title and subtitle holds more, which the site does not show' for p in full]
    return out + [f'{name} is not in the sidebar of _quarto.yml' for name in pages if name not in linked | {'index.html'}]


def config() -> dict:
    "The part `website` of _quarto.yml, and where the files of the repository are to be read."
    conf = yaml.safe_load(read(TOP/'_quarto.yml'))['website']
    return conf | {'source': f"{conf['repo-url']}/blob/{conf['repo-branch']}"}


if __name__ == '__main__':
    os.chdir(TOP)
    if '--check' not in sys.argv:
        process(); write_api(config()['source']); lay_out(); finish(config())
    found = problems()
    for line in found: print(line)
    print(f"{len(list(DOCS.glob('*.html')))} pages, {len(found)} things to mend")
    # A chapter that is still being written must not stop the build: only the check fails.
    sys.exit(bool(found) and '--check' in sys.argv)
