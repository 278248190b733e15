"""Loads every dataset with HF datasets, the readers of tables, TRL, chat templates, and the types of hosts."""

import copy
import functools
import glob
import inspect
import json
import os
import random
import re
import subprocess

from shared import CACHE, byte_tokenizer, check, files, path, rows_of, version

# --- HF datasets, and the readers of tables -------------------------------------------------------------------------

import datasets

for name in files("dir-*"):

    @check(version("datasets"), f"load_dataset of the directory {name}")
    def _(directory=path(name)):
        # The directories of odd rows have the same names: what datasets has cached of one must not stand in for the other.
        loaded = datasets.load_dataset(directory, cache_dir=CACHE)
        with open(os.path.join(directory, "manifest.json"), encoding="utf-8") as file:
            splits = json.load(file)["splits"]
        assert {split: len(loaded[split]) for split in loaded} == splits, (loaded, splits)
        messages = loaded["train"][0]["messages"]
        assert isinstance(messages, list) and isinstance(messages[0], dict) and messages[0]["role"], messages
        tools = [row["tools"] for split in loaded for row in loaded[split] if row.get("tools")]
        assert tools and isinstance(tools[0][0]["function"]["parameters"], dict), "no row with tools"
        return ", ".join(f"{len(loaded[split])} {split}" for split in loaded)


for name in files("*.jsonl"):

    @check(version("datasets"), f"load_dataset of the file {name}")
    def _(name=name):
        loaded = datasets.load_dataset("json", data_files=path(name), split="train", cache_dir=CACHE)
        assert len(loaded) == len(rows_of(name))
        return f"{len(loaded)} rows, columns {', '.join(loaded.column_names)}"


import duckdb
import polars
import pyarrow.parquet


@check(version("duckdb"), "read_ndjson of every file")
def _():
    counts = {name: duckdb.execute(f"select count(*) from read_ndjson_auto('{path(name)}')").fetchone()[0] for name in files("*.jsonl")}
    assert all(count == len(rows_of(name)) for name, count in counts.items()), counts
    return f"{len(counts)} files"


@check(version("polars"), "read_ndjson of trl.jsonl")
def _():
    # A column takes its type from the first rows; odd rows differ further on.
    return f"{len(polars.read_ndjson(path('trl.jsonl')))} rows"


@check(version("pyarrow"), "Parquet")
def _():
    table = pyarrow.parquet.read_table(glob.glob(path("dir-parquet/**/*.parquet"), recursive=True)[0])
    return str(table.schema.field("messages").type)


# --- TRL: one step of training on a tiny model ----------------------------------------------------------------------

import torch
import trl
from transformers import LlamaConfig, LlamaForCausalLM

TEMPLATES = os.path.join(os.path.dirname(trl.__file__), "chat_templates")


def tokenizer(template="qwen3"):
    with open(os.path.join(TEMPLATES, f"{template}.jinja"), encoding="utf-8") as file:
        return byte_tokenizer(file.read())


def model(words):
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=len(words), hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=8192)
    return LlamaForCausalLM(config)


COMMON = dict(output_dir=path("trained"), max_steps=1, per_device_train_batch_size=2, use_cpu=True, bf16=False, report_to=[], logging_steps=1, save_strategy="no", dataloader_num_workers=0)


def loaded(name):
    """As a trainer gets it: lists and objects of any shape as JSON, which the card of a directory says too."""
    made = datasets.Dataset.from_list(rows_of(name)) if name == "text.jsonl" else None
    if made is not None:
        return made
    columns = sorted({key for row in rows_of(name) for key in row})
    kinds = {"label": datasets.Value("bool")}
    features = datasets.Features({column: kinds.get(column, datasets.List(datasets.Json())) for column in columns})
    return datasets.load_dataset("json", data_files=path(name), split="train", features=features, cache_dir=CACHE)


def trained(trainer):
    trainer.train()
    loss = next(entry["train_loss"] for entry in trainer.state.log_history if "train_loss" in entry)
    assert loss == loss, "the loss is no number"
    return f"loss {loss:.3f}"


for name in ["trl.jsonl", "trl-pc.jsonl", "text.jsonl"]:

    @check(version("trl"), f"SFT, one step on {name}")
    def _(name=name):
        words = tokenizer()
        trainer = trl.SFTTrainer(model=model(words), args=trl.SFTConfig(max_length=None, **COMMON), train_dataset=loaded(name), processing_class=words)
        return trained(trainer)


@check(version("trl"), "SFT on trl-pc.jsonl trains the completion alone")
def _():
    words = tokenizer()
    trainer = trl.SFTTrainer(model=model(words), args=trl.SFTConfig(max_length=None, **COMMON), train_dataset=loaded("trl-pc.jsonl"), processing_class=words)
    batch = next(iter(trainer.get_train_dataloader()))
    for ids, labels in zip(batch["input_ids"], batch["labels"]):
        learned = words.decode(ids[labels != -100])
        assert "<|im_start|>user" not in learned and "<|im_start|>system" not in learned, learned
    return "no prompt among the labels"


@check(version("trl"), "DPO, one step on trl-dpo.jsonl")
def _():
    words = tokenizer()
    return trained(trl.DPOTrainer(model=model(words), ref_model=model(words), args=trl.DPOConfig(max_length=None, **COMMON), train_dataset=loaded("trl-dpo.jsonl"), processing_class=words))


@check(version("trl"), "KTO, one step on kto.jsonl")
def _():
    from trl.experimental.kto import KTOConfig, KTOTrainer

    words = tokenizer()
    return trained(KTOTrainer(model=model(words), ref_model=model(words), args=KTOConfig(max_length=None, **COMMON), train_dataset=loaded("kto.jsonl"), processing_class=words))


# --- Chat templates: what models see --------------------------------------------------------------------------------


def rendered(template, row):
    words = tokenizer(template)
    return words.apply_chat_template(row["messages"], tools=row.get("tools"), tokenize=False)


# Templates that have no place for tools at all are given the rows without.
TOOLLESS = {"gemma3", "phi3"}
# The template of gpt-oss refuses text and reasoning beside calls, which transformers hands it from any field for reasoning.
ROWS = {"gptoss": "trl-thinking.jsonl"}


def shows(template, row):
    calls = [message.get("tool_calls", []) for message in row["messages"]]
    if template in TOOLLESS:
        return not any(calls) and all(message["role"] != "tool" for message in row["messages"])
    if template == "llama3_1":
        # One call in a message, and no text beside it.
        return not any(len(made) > 1 or (made and message["content"]) for made, message in zip(calls, row["messages"]))
    return True


for template in ["qwen3", "qwen2_5", "llama3_1", "gptoss", "gemma3", "glm4moe", "phi3", "qwen3_8"]:
    name = ROWS.get(template, "trl.jsonl")

    @check(version("transformers"), f"chat template {template} on {name}")
    def _(template=template, name=name):
        seen = skipped = 0
        for row in rows_of(name):
            if not shows(template, row) or "images" in row:
                skipped += 1
                continue
            text = rendered(template, row)
            answer = row["messages"][-1]
            assert answer["content"].strip() in text, (answer, text)
            assert answer.get("thinking", "") in text, (answer, text)
            assert "None" not in text, text
            seen += 1
        assert seen > 0
        return f"{seen} rows" + (f", {skipped} with what it cannot show left out" if skipped else "")


# Templates that show tools, and any number of calls; each is held to rows that none of them may fail on.
ODD = {
    "qwen3": "trl",
    "qwen2_5": "trl",
    "qwen3_6": "trl",
    "qwen3_8": "trl",
    "gptoss": "trl-thinking",
    "gemma4_v5": "trl",
    "glm4moe": "trl",
    "lfm2_v2": "trl",
    "muse_glimmer": "trl",
    "nemotron_3_nano": "trl",
}

for template, name in ODD.items():

    @check(version("transformers"), f"chat template {template} on odd/{name}.jsonl")
    def _(template=template, name=name):
        rows = rows_of(f"odd/{name}.jsonl")
        for row in rows:
            text = rendered(template, row)
            for message in row["messages"]:
                for call in message.get("tool_calls", []):
                    assert call["function"]["name"] in text, (message, text)
            answer = row["messages"][-1]
            # Some show no text beside calls.
            assert "tool_calls" in answer or answer["content"].strip() in text, (answer, text)
        return f"{len(rows)} rows"


# --- Hosts ----------------------------------------------------------------------------------------------------------


def mistral(row):
    from mistral_common.protocol.instruct.converters import convert_openai_messages, convert_openai_tools
    from mistral_common.protocol.instruct.validator import MistralRequestValidatorV3, ValidationMode

    validator = MistralRequestValidatorV3(ValidationMode.finetuning)
    # Later versions want to know whether the last message goes on; it never does here.
    more = [False] * (len(inspect.signature(validator.validate_messages).parameters) - 1)
    messages = [{key: value for key, value in message.items() if key != "weight"} for message in row["messages"]]
    validator.validate_messages(convert_openai_messages(messages), *more)
    validator._validate_tools(convert_openai_tools(row.get("tools", [])))


def gemini(row):
    from google.genai import types

    assert set(row) <= {"systemInstruction", "contents", "tools"}, row.keys()
    for content in row["contents"] + ([row["systemInstruction"]] if "systemInstruction" in row else []):
        types.Content.model_validate(content)
    for tool in row.get("tools", []):
        types.Tool.model_validate(tool)


def odd_texts(shape, value, where=""):
    """Texts that the service refuses by length or pattern, which its client does not look at."""
    if getattr(shape, "is_document_type", False):
        return []
    if shape.type_name == "structure":
        return [text for key, inner in value.items() for text in odd_texts(shape.members[key], inner, f"{where}.{key}")]
    if shape.type_name == "list":
        return [text for inner in value for text in odd_texts(shape.member, inner, f"{where}[]")]
    # The pattern of a bucket's name forbids the shortest.
    if shape.type_name != "string" or shape.name == "S3Uri":
        return []
    fits = re.fullmatch(shape.metadata.get("pattern", ".*"), value, re.DOTALL) and len(value) <= shape.metadata.get("max", len(value))
    return [] if fits and value in shape.metadata.get("enum", [value]) else [f"{where}: {value}"]


@functools.cache
def converse():
    from botocore.session import Session

    return Session().get_service_model("bedrock-runtime").operation_model("Converse").input_shape


def bedrock(row):
    from botocore.validate import ParamValidator

    request = {"modelId": "x", **row}
    assert request.pop("schemaVersion") == "bedrock-conversation-2024"
    report = ParamValidator().validate(request, converse())
    assert not report.has_errors(), report.generate_report()
    assert odd_texts(converse(), request) == []


HOSTS = {
    "mistral": (mistral, "mistral_common", "validator", ", mode finetuning"),
    "gemini": (gemini, "google-genai", "Content and Tool", ""),
    "bedrock": (bedrock, "botocore", "Converse shape", ""),
}

for host, (take, package, what, how) in HOSTS.items():
    for name in files(f"{host}.jsonl"):

        @check(version(package), f"{what} on {name}{how}")
        def _(name=name, take=take):
            rows = rows_of(name)
            for row in rows:
                take(row)
            return f"{len(rows)} rows"


# --- The other way round: what they refuse, --check refuses as well ---------------------------------------------------

VALUES = [None, "", " ", "x", 0, -1, 1.5, True, [], {}, ["a"], {"a": 1}, "user", "assistant", "tool", "{}", [{}], [{"text": "a"}], "a.b", "a" * 65]
KEYS = ["role", "content", "name", "weight", "text", "type", "id", "args", "arguments", "parameters", "description", "strict", "response", "title", "enum"]


def places(value, path=()):
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(inner, (*path, key))


def changed(row, choose):
    """A copy with one thing left out, replaced, added or moved."""
    row = copy.deepcopy(row)
    *path, key = choose.choice(list(places(row)))
    holder = functools.reduce(lambda value, step: value[step], path, row)
    change = choose.choice(["without", "other", "other", "more"])
    if change == "without":
        del holder[key]
    elif change == "other":
        holder[key] = copy.deepcopy(choose.choice(VALUES))
    elif isinstance(holder, list):
        choose.shuffle(holder)
    else:
        holder[choose.choice(KEYS)] = copy.deepcopy(choose.choice(VALUES))
    return row


def refused_here(name, host):
    """The numbers of the lines that --check refuses."""
    made = subprocess.run([os.environ["LLMPROXY"], "export", "--check", path(name), "-f", host, "--json"], stdout=subprocess.PIPE, check=False)
    return {int(json.loads(line)["place"].rpartition(":")[2]) for line in made.stdout.splitlines() if b'"place"' in line and re.search(rb':\d+"', line)}


for host, (take, package, what, _) in HOSTS.items():

    @check(version(package), f"{what} refuses nothing of {host} rows changed at random that --check accepts")
    def _(host=host, take=take):
        choose = random.Random(1)
        small = [row for row in rows_of(f"odd/{host}.jsonl") if len(json.dumps(row)) < 6000]
        rows = [changed(choose.choice(small), choose) for _ in range(2000)]
        name = f"changed-{host}.txt"
        with open(path(name), "w", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(row)}\n" for row in rows)
        here = refused_here(name, host)
        there = {}
        for number, row in enumerate(rows, 1):
            try:
                take(row)
            except Exception as error:
                there[number] = f"{error} of {json.dumps(row)}"
        missed = [told for number, told in there.items() if number not in here]
        assert missed == [], f"{len(missed)} rows, such as: {missed[0]}"
        return f"{len(rows)} rows, {len(here)} refused by --check, {len(there)} of them there too"
