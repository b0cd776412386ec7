"The guide's `python preprocess_latents.py`, for a clone: the same as otcfm_preprocess_latents."
from otcfm_nb.commands import preprocess_latents

if __name__ == '__main__': preprocess_latents()
