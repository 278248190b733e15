"""What the checks of all consumers share: where the datasets are, how a check is told, and a tokenizer without a model.

Usage of each: PYTHONPATH=test/interop python test/interop/CONSUMER/consume.py FOLDER; it prints a line of JSON for each
check.
"""

import glob
import importlib.metadata
import json
import os
import sys
import traceback

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TOKENIZERS_PARALLELISM="false", WANDB_DISABLED="true")

FOLDER = sys.argv[1]
CACHE = os.path.join(FOLDER, "cache")


def path(name):
    return os.path.join(FOLDER, name)


# What was exported of ordinary conversations, and of odd ones.
FOLDERS = ["", "odd/"]


def files(pattern):
    """The names of what was exported, in both folders."""
    return [os.path.relpath(found, FOLDER) for folder in FOLDERS for found in sorted(glob.glob(path(folder + pattern)))]


def rows_of(name):
    with open(path(name), encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    assert rows, f"{name} has no rows"
    return rows


def check(consumer, title):
    """Runs a check and prints how it ended; the function returns what is worth saying."""

    def run(function):
        try:
            said, ok = function(), True
        except BaseException as error:  # A trainer may raise anything, SystemExit too.
            said, ok = f"{type(error).__name__}: {str(error)[:300]}", False
            traceback.print_exc()
        print(json.dumps({"consumer": consumer, "title": title, "ok": ok, "said": str(said)}), flush=True)

    return run


def version(package):
    return f"{package} {importlib.metadata.version(package)}"


def byte_tokenizer(chat_template=None):
    """A tokenizer of bytes; the words of templates are single tokens of it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE(unk_token=None))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<pad>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator([], trainers.BpeTrainer(vocab_size=300, special_tokens=words, initial_alphabet=alphabet))
    made.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|im_end|>", pad_token="<pad>", chat_template=chat_template)
