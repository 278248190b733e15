"""Loads directories with LLaMA-Factory by their dataset_info.json, and renders the rows; it skips what it cannot read."""

from llamafactory.data.loader import _load_single_dataset
from llamafactory.data.parser import get_dataset_list
from llamafactory.data.template import TEMPLATES
from llamafactory.hparams import DataArguments, ModelArguments
from transformers import Seq2SeqTrainingArguments

from shared import byte_tokenizer, check, files, path, rows_of, version

words = byte_tokenizer()

# The others show tools in ways of their own: as text, as JSON, and as functions of a list.
for name, template in [(name, template) for name in files("factory-*") for template in ["qwen", "default", "llama3", "mistral"]]:

    @check(version("llamafactory"), f"dataset_info.json of {name}, template {template}")
    def _(name=name, template=template):
        directory = path(name)
        (attributes,) = get_dataset_list(["llmproxy"], directory)
        rows = _load_single_dataset(
            attributes,
            ModelArguments(model_name_or_path="none"),
            DataArguments(dataset="llmproxy", dataset_dir=directory, template=template, overwrite_cache=True),
            Seq2SeqTrainingArguments(output_dir=path("trained"), use_cpu=True, report_to=[]),
        )
        assert len(rows) == len(rows_of(f"{name}/train.jsonl")), len(rows)
        for row in rows:
            # A row that it cannot use has neither.
            assert row["_prompt"] and row["_response"], row
            turns = TEMPLATES[template].encode_multiturn(words, row["_prompt"] + row["_response"], row["_system"], row["_tools"])
            assert all(asked and answered for asked, answered in turns), row
        return f"{len(rows)} rows, {sum(1 for row in rows if row['_tools'])} with tools"
