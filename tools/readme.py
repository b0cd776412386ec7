"""Renders README.md from nbs/index.ipynb without Quarto.

    python tools/readme.py            writes README.md
    python tools/readme.py --check    exit 1 where README.md differs from what the notebook gives
"""
import re, subprocess, sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent


def rendered() -> str:
    "The README's text: nbdev strips hidden cells and directives, nbconvert writes Markdown."
    subprocess.run(['nbdev_proc_nbs'], cwd=TOP, check=True, capture_output=True)
    done = subprocess.run(['jupyter', 'nbconvert', '--to', 'markdown', '_proc/index.ipynb', '--stdout'],
                          cwd=TOP, check=True, capture_output=True, encoding='utf-8')
    return with_heading(links_from_top(without_hidden_code(done.stdout)))


def without_hidden_code(text: str) -> str:
    "Code cells with `echo: false` leave their output only, as in Quarto."
    return re.sub(r'```python\n#\| *echo: *false\n.*?\n```\n', '', text, flags=re.S)


def links_from_top(text: str) -> str:
    "Chapters and pictures are beside the notebook, and one folder down from the README."
    return re.sub(r'\]\(((?:images/|\w+\.ipynb)[^)]*)\)', r'](nbs/\1)', text)


def with_heading(text: str) -> str:
    "Front matter (title, description) turned into a heading and a subtitle."
    front = re.match(r'\s*---\n(.*?)\n---\n', text, re.S)
    fields = dict(re.findall(r'^(\w[\w-]*): *(.*)$', front[1], re.M)) if front else {}
    body = text[front.end():] if front else text
    head = f"# {fields['title']}\n\n> {fields['description']}\n\n" if 'title' in fields else ''
    note = '<!-- Written by tools/readme.py from nbs/index.ipynb: edit that. -->\n\n'
    return note + head + re.sub(r'\n{3,}', '\n\n', body).strip() + '\n'


if __name__ == '__main__':
    target, new = TOP/'README.md', rendered()
    if '--check' in sys.argv:
        old = target.read_text(encoding='utf-8') if target.exists() else ''
        sys.exit(0 if old == new else 'README.md differs from nbs/index.ipynb: run python tools/readme.py')
    target.write_text(new, encoding='utf-8')
