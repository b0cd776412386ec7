"""What a pair of procedural pictures costs on one core, by size.

    python benchmarks/scenes.py
"""
import statistics, time
from common import save
from otcfm_nb.painter import make_pair


def seconds(size, n=12):
    times = []
    for seed in range(n):
        start = time.perf_counter(); make_pair(seed, size); times.append(time.perf_counter()-start)
    return statistics.median(times)


if __name__ == '__main__': save('scenes', dict(milliseconds_a_pair={str(s): 1000*seconds(s) for s in (64, 128, 256)}))
