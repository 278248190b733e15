"""Renders rows with axolotl's own strategy for chat templates, and looks at what would be trained."""

import datasets
from axolotl.prompt_strategies.chat_template import load
from axolotl.utils.dict import DictDefault

from shared import CACHE, byte_tokenizer, check, path, rows_of, version

words = byte_tokenizer()


def learned(strategy, row):
    """The text of what has a label."""
    made = strategy.tokenize_prompt(dict(row))
    return words.decode([token for token, label in zip(made["input_ids"], made["labels"]) if label != -100])


for template in ["chatml", "qwen3", "qwen_25", "phi_4"]:

    @check(version("axolotl"), f"chat template {template} on axolotl.jsonl")
    def _(template=template):
        # What docs/export.md tells to write into axolotl's configuration.
        dataset = {"type": "chat_template", "message_field_training": "train", "chat_template": template}
        strategy = load(words, DictDefault(train_on_inputs=False, sequence_len=8192, chat_template=template), dataset)
        loaded = datasets.load_dataset("json", data_files=path("axolotl.jsonl"), split="train", cache_dir=CACHE)
        masked = 0
        for row, written in zip(loaded, rows_of("axolotl.jsonl"), strict=True):
            text = learned(strategy, row)
            for message in written["messages"]:
                said = (message.get("content") or "").strip()
                if message["role"] != "assistant" or said == "":
                    continue
                trained = message.get("train", True)
                assert (said in text) == trained, (message, text)
                masked += not trained
        return f"{len(loaded)} rows, {masked} turns not trained"

    @check(version("axolotl"), f"chat template {template} on odd/axolotl.jsonl")
    def _(template=template):
        dataset = {"type": "chat_template", "message_field_training": "train", "chat_template": template}
        strategy = load(words, DictDefault(train_on_inputs=False, sequence_len=65536, chat_template=template), dataset)
        loaded = datasets.load_dataset("json", data_files=path("odd/axolotl.jsonl"), split="train", cache_dir=CACHE)
        assert len(loaded) == len(rows_of("odd/axolotl.jsonl"))
        silent = 0
        for row in loaded:
            answer = row["messages"][-1]
            text = learned(strategy, row)
            # The last answer is always trained.
            assert answer["content"].strip() in text, (answer, text)
            # Some templates do not show calls.
            silent += text == ""
        return f"{len(loaded)} rows" + (f", {silent} of calls alone, which it does not show" if silent else "")
