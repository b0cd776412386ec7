"""Both commands killed at 20 random moments each: chapter 72 with a longer loop.

    python benchmarks/kills.py [--kills 20]

The chapter's own cells run, so that what is counted here is what is tested there.
"""
import argparse, os
from pathlib import Path
from execnb.shell import CaptureShell
from common import save

CHAPTER = Path(__file__).parent.parent/'nbs'/'72_kills.ipynb'


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--kills', type=int, default=20, help='Kills of each command')
    os.environ['OTCFM_KILLS'] = str(parser.parse_args().kills)
    shell = CaptureShell(CHAPTER)
    shell.execute(CHAPTER, exc_stop=True)
    if shell.exc: raise SystemExit(1)
    found = shell.user_ns['kills']
    count = {module: dict(started=sum(k['again']+1 for k in kills), killed=sum(k['code'] == -9 for k in kills), with_temporary_files=sum(k['temporary'] > 0 for k in kills),
                          files_that_differ=sum(len(k['differ']) for k in kills)) for module, kills in found.items()}
    save('kills', dict(count=count, kills=found, table=shell.user_ns['rows']))


if __name__ == '__main__': main()
