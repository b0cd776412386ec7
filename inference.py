"The guide's `python inference.py`, for a clone: the same as otcfm_inference."
from otcfm_nb.commands import inference

if __name__ == '__main__': inference()
