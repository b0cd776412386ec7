"""The installed commands as a user meets them, on any system, in folders whose names are awkward.

    python tools/smoke.py [--help-only]

Needs only the package; run it from anywhere. Each line is one thing that was tried; the last one counts.
"""
import argparse, json, os, shutil, subprocess, sys, sysconfig, tempfile
from pathlib import Path

COMMANDS = 'config plan preprocess_latents train inference new_style demo'.split()
HERE = 'a b, Bäume 山'                # a folder with a space, a comma, letters beyond Latin-1
results = {}
# Windows and macOS spawn the processes that draw ahead; with this line Linux does the same.
SPAWN = "import multiprocessing, runpy; multiprocessing.set_start_method('spawn', force=True); runpy.run_module('otcfm_nb.train', run_name='__main__', alter_sys=True)"


def call(command, *args, cwd, code=0, **env):
    "Run a console script or Python with arguments; what it said, or an error that shows it."
    program = [sys.executable] if command == 'python' else [shutil.which(f'otcfm_{command}', path=sysconfig.get_path('scripts'))]
    if program[0] is None: raise AssertionError(f'otcfm_{command} is not installed beside {sys.executable}')
    done = subprocess.run([*program, *map(str, args)], cwd=cwd, env=os.environ | env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding='utf-8', errors='replace')
    assert done.returncode == code and 'Traceback' not in done.stdout, f'exit code {done.returncode}, {code} expected:\n{done.stdout[-3000:]}'
    return done.stdout


def assets(tmp):
    "The files that come with the package are there and load; the package is not that of a clone."
    code = ("import otcfm_nb; from pathlib import Path; from otcfm_nb.vae import load_vae; from otcfm_nb.translate import load_translator; "
            "load_vae(); load_vae('taef2'); tr = load_translator('demo'); print(tr.model.config.num_styles, all((Path(otcfm_nb.__file__).parent/'assets'/n).is_file() for n in ('vae/NOTICE', 'taef2/NOTICE', 'taef2/LICENSE', 'demo/NOTICE')))")
    assert call('python', '-c', code, cwd=tmp).split()[-2:] == ['2', 'True']


def demo(tmp):
    "The whole job, tiny: its pictures are painted by spawned processes."
    call('demo', '--out', tmp/HERE, '--epochs', 1, '--pictures', 24, '--pairs', 2, '--size', 32, '--num_steps', 2, cwd=tmp)
    assert (tmp/HERE/'before_after.png').stat().st_size > 1000 and len(json.loads((tmp/HERE/'scores.json').read_text(encoding='utf-8'))['rows']) == 10


def config(tmp):
    "A configuration for folders with awkward names, then a second run over the same latents: nothing is left to do."
    (tmp/HERE).mkdir(exist_ok=True)
    call('config', '--preset', 'cpu', '--raw_data_root', Path(HERE)/'pictures', '--out', Path(HERE)/'my config.json', cwd=tmp)
    call('plan', '--config', Path(HERE)/'my config.json', '--vram', 8, cwd=tmp)
    assert '48 unchanged' in call('preprocess_latents', '--config', Path(HERE)/'config.json', '--device', 'cpu', cwd=tmp)


def train(tmp):
    "Two spawned workers pair noise and latents ahead; the same command with --resume finds the work done."
    cfg = json.loads((tmp/HERE/'config.json').read_text(encoding='utf-8'))
    cfg['training'].update(coupling='ot', num_workers=2, stage1_epochs=2)
    cfg['checkpoint'].update(save_dir=str(Path(HERE)/'checkpoints ot'), sample_every=2)
    (tmp/'ot.json').write_text(json.dumps(cfg), encoding='utf-8')
    assert 'wrote ' in call('python', '-c', SPAWN, '--config', 'ot.json', '--cpu', cwd=tmp)
    assert 'nothing to do' in call('train', '--config', 'ot.json', '--cpu', '--resume', cwd=tmp)


def inference(tmp):
    "The demo's checkpoint on a picture with an awkward name, to a terminal that can show only ASCII; twice is refused."
    picture = tmp/'Ölbild 山 🖼.jpg'
    call('python', '-c', 'from PIL import Image; import sys; Image.radial_gradient("L").convert("RGB").save(sys.argv[1])', picture, cwd=tmp)
    args = ('--checkpoint', 'demo', '--input', picture.name, '--size', 64, '--num_steps', 2, '--source_style', 0, '--target_style', 1, '--device', 'cpu',
            '--output', Path(HERE)/'gemalt 山.png')
    for code in (0, 1):       # the second time the output is there: one line and exit code 1
        said = call('inference', *args, cwd=tmp, code=code, PYTHONIOENCODING='ascii:strict')
        assert ('wrote 1 file' if code == 0 else 'is there already') in said and said.isascii(), said
    assert (tmp/HERE/'gemalt 山.png').stat().st_size > 100


def tried(name, check, *args):
    "Run one check, tell how it went."
    try: check(*args); results[name] = True
    except (AssertionError, OSError, ValueError) as e: results[name] = False; print(e)
    print(f"{'ok    ' if results[name] else 'FAILED'} {name}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--help-only', action='store_true', help='Only --help of each command')
    only = parser.parse_args().help_only
    for stream in (sys.stdout, sys.stderr): stream.reconfigure(errors='backslashreplace')
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as tmp:
        tmp = Path(tmp)
        for name in COMMANDS: tried(f'otcfm_{name} --help', lambda: call(name, '--help', cwd=tmp, PYTHONIOENCODING='ascii:strict'))
        for check in () if only else (assets, demo, config, train, inference): tried(check.__doc__, check, tmp)
    print(f'{sum(results.values())} passed, {len(results)-sum(results.values())} failed')
    sys.exit(not all(results.values()))


if __name__ == '__main__': main()
