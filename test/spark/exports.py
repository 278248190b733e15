"""Runs exports one after another in one Spark context, because starting it takes longer than they do.

Usage: python test/spark/exports.py MASTER. Reads a line of JSON for each export, the arguments of llmproxy_export.py; answers
each with a line of JSON, its exit status and what it said.
"""

import contextlib
import io
import json
import os
import sys

SCRIPT = os.path.join(os.path.dirname(__file__), "../../deploy/spark/llmproxy_export.py")
sys.path.insert(0, os.path.dirname(SCRIPT))

import llmproxy_export  # noqa: E402
from pyspark import SparkConf, SparkContext  # noqa: E402

settings = {"spark.ui.enabled": "false", "spark.app.name": "test", "spark.driver.host": "127.0.0.1"}
context = SparkContext(master=sys.argv[1], conf=SparkConf().setAll(settings.items()))
context.addPyFile(SCRIPT)
print("ready", flush=True)
for line in sys.stdin:
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            status = llmproxy_export.main(json.loads(line))
        except SystemExit as end:
            status = end.code
    print(json.dumps({"status": status, "said": said.getvalue()}), flush=True)
context.stop()
