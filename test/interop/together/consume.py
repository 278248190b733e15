"""Holds rows to what Together's client checked before an upload."""

from together.lib.utils.files import check_file

from shared import check, files, path, version


def taken(name):
    report = check_file(path(name))
    assert report["is_check_passed"], report["message"]
    return f"{report['num_samples']} rows"


for file in files("together.jsonl") + files("openai-dpo.jsonl"):

    @check(version("together"), f"check_file of {file}")
    def _(file=file):
        return taken(file)
