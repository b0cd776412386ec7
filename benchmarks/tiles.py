"""A picture much larger than the memory for it: peak memory, time, and what is left of the seams.

    python benchmarks/tiles.py [--checkpoint demo] [--width 12000 --height 9000] [--tile 1024] [--num_steps 24]

The picture is one rendered scene, mirrored until it is large enough, so that it has no edges of its own where the mirrors meet.
It is written as a file and goes through the functions that `otcfm_inference --tile` calls, guidance and certificate included.
Steps change the time and not the memory. Peak: the most that the process ever held, all of Python and torch in it, in GB of
10^9 bytes. Seam: the mean step between the pixels of neighbouring latent places at the columns where a window ends, over that
at all others; 1 is no seam. The same for rows, and for the picture that it was made of, which has no windows.
"""
import argparse, resource, sys, tempfile, time
from pathlib import Path
import numpy as np
from PIL import Image
from common import save
from otcfm_nb.inference import Work, finish_file, read_input, read_job, translate_batch
from otcfm_nb.scenes import make_scene, render_photo
from otcfm_nb.tiles import window_starts
from otcfm_nb.translate import Settings, load_translator


def peak() -> float:
    "GB that this process held at most; macOS counts in bytes, Linux in kB."
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss*(1 if sys.platform=='darwin' else 1024)/1e9


def large_picture(path, width, height, side):
    "A scene and its mirror images, side by side."
    one = render_photo(make_scene(8_000_000, side))
    index = lambda n: np.abs((np.arange(n)+side) % (2*side)-side).clip(0, side-1)
    Image.fromarray(one[index(height)][:,index(width)]).save(path, compress_level=1)


def seam(x, tile, factor, dim) -> float:
    "Steps at the ends of windows over all other steps, across columns (dim 3) or rows (dim 2)."
    n = x.shape[dim]//factor
    starts = window_starts(n, tile, tile//4)
    if len(starts)==1: return float('nan')
    ends = sorted({s for s in starts[1:]} | {s+tile for s in starts[:-1]})
    steps = [(x.narrow(dim, k*factor, 1)-x.narrow(dim, k*factor-1, 1)).abs().mean().item() for k in range(1, n)]
    at = [steps[k-1] for k in ends]
    rest = [s for k, s in enumerate(steps, 1) if k not in ends]
    return sum(at)/len(at)/(sum(rest)/len(rest))


def translated(tr, source, target, num_steps) -> tuple:
    "The command's work on one file: (seconds of its stages, GB held at most until the end of each)."
    seconds, most, start = {}, {}, time.monotonic()
    def stage(name):
        nonlocal start
        now = time.monotonic(); seconds[name], most[name], start = round(now-start, 1), round(peak(), 2), now
        print(name, seconds[name], 's', most[name], 'GB', flush=True)
    jobs = [read_job(tr, source, target)[1]]; stage('read and encode')
    made = next(translate_batch(tr, jobs, Settings(num_steps=num_steps))); stage('translate')
    finish_file(tr, made, None, Work()); stage('decode and write')
    return seconds, most


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--checkpoint', default='demo')
    parser.add_argument('--width', type=int, default=12000)
    parser.add_argument('--height', type=int, default=9000)
    parser.add_argument('--tile', type=int, default=1024)
    parser.add_argument('--num_steps', type=int, default=24)
    parser.add_argument('--side', type=int, default=512, help='side of the scene that is mirrored')
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        source, target = Path(tmp)/'large.png', Path(tmp)/'done.png'
        large_picture(source, a.width, a.height, a.side)
        tr = load_translator(a.checkpoint, tile=a.tile)
        before = round(peak(), 2)
        seconds, most = translated(tr, source, target, a.num_steps)
        ratios = {kind: {name: seam(read_input(path), tr.tile, tr.codec.factor, dim) for name, dim in (('columns', 3), ('rows', 2))}
                  for kind, path in (('source', source), ('result', target))}
    save('tiles', dict(vars(a), parameters=sum(p.numel() for p in tr.model.parameters()), cfg_scale=tr.cfg_scale, before_gb=before, peak_gb=most, seconds=seconds, seam=ratios))


if __name__ == '__main__': main()
