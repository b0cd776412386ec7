"""A picture much larger than the memory for it: peak memory, time, and what is left of the seams.

    otcfm_demo --minutes 15 --out demo && python benchmarks/tiles.py demo [--width 12000 --height 9000] [--tile 1024] [--num_steps 24]

The picture is one rendered scene, mirrored until it is large enough, so that it has no edges of its own where the mirrors meet.
It is written as a file and goes through the same steps as `otcfm_inference --tile`. Peak: the most that the process ever held,
all of Python and torch in it, in GB of 10^9 bytes. Seam: the mean step between the pixels of neighbouring latent places at the
columns where a window ends, over that at all others; 1 is no seam. The same for rows.
"""
import argparse, resource, sys, tempfile, time
from pathlib import Path
import numpy as np
from PIL import Image
from common import save
from otcfm_nb.inference import read_job, read_input, write_output
from otcfm_nb.scenes import make_scene, render_photo
from otcfm_nb.tiles import window_starts
from otcfm_nb.train import epoch_files
from otcfm_nb.translate import Settings, load_translator, translate_latent


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder', help='folder that otcfm_demo wrote')
    parser.add_argument('--width', type=int, default=12000)
    parser.add_argument('--height', type=int, default=9000)
    parser.add_argument('--tile', type=int, default=1024)
    parser.add_argument('--num_steps', type=int, default=24)
    parser.add_argument('--side', type=int, default=512, help='side of the scene that is mirrored')
    parser.add_argument('--no_certificate', action='store_true', help='leave the round trip out: a third less time')
    a = parser.parse_args()
    tr = load_translator(epoch_files(Path(a.folder)/'checkpoints')[-1], tile=a.tile)
    seconds, before = {}, peak()
    with tempfile.TemporaryDirectory() as tmp:
        source, target = Path(tmp)/'large.png', Path(tmp)/'done.png'
        large_picture(source, a.width, a.height, a.side)
        stages = dict(start=time.monotonic())
        _, (_, _, z, sides, _) = read_job(tr, source, target)
        stages['read and encode'] = time.monotonic()
        done = translate_latent(tr, z, Settings(num_steps=a.num_steps), certify=not a.no_certificate)
        stages['translate'] = time.monotonic()
        pixels = tr.decode(done.latent, *sides, 1)
        stages['decode'] = time.monotonic()
        write_output(target, done.latent, pixels)
        stages['write'] = time.monotonic()
        most = peak()
        names = list(stages)
        seconds = {b: round(stages[b]-stages[a], 1) for a, b in zip(names, names[1:])}
        ratio = {name: seam(read_input(target), tr.tile, tr.codec.factor, dim) for name, dim in (('columns', 3), ('rows', 2))}
    save('tiles', dict(width=a.width, height=a.height, tile=a.tile, num_steps=a.num_steps, parameters=sum(p.numel() for p in tr.model.parameters()),
                       peak_gb=round(most, 2), before_gb=round(before, 2), seconds=seconds, round_trip=done.round_trip, seam=ratio))


if __name__ == '__main__': main()
