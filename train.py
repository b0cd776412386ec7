"The guide's `python train.py`, for a clone: the same as otcfm_train."
from otcfm_nb.commands import train

if __name__ == '__main__': train()
