#!/usr/bin/env python3
"""Exports terabytes of request logs to training data on Apache Spark, with the llmproxy binary as the worker of each stage.

    spark-submit llmproxy_export.py [--binary PATH | --executor-binary PATH] -- LOGS... FLAGS... -o OUTPUT/

LOGS and FLAGS are those of `llmproxy export`; OUTPUT/ is a directory that all machines share, or s3://BUCKET/PREFIX/.
The rows, their order and the counts are those that one process would write. Keys of the rows go through Spark's shuffle; the
text of the logs never does. Needs PySpark 4 and pyarrow; see docs/scale.md.

    plan     on the driver:     cuts the logs into ranges and resolves the flags
    extract  a task per range:  the keys of its rows, and its feedback
    decide   a task per share:  which rows are written; all rows that may decide on each other are in one share
    render   a task per range:  reads the range again and writes a shard of each split
    finish   on the driver:     adds up the counts and writes the manifest

Tasks may die at any time and be run again, also twice at once: the binary's output counts when it has ended with status 0, and
shards appear under their names only when they are complete, with the same bytes each time.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import urllib.request
import xml.etree.ElementTree
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pafs
from py4j.protocol import Py4JJavaError
from pyspark import RDD, Broadcast, SparkConf, SparkContext, SparkFiles

# The rows of a stream, by their column `kind`.
ROW, FEEDBACK, STRAY, NOTE, COUNTS = range(5)

# How much of a share is kept in memory before it is written to disk, and how many rows are divided at a time.
SPOOL_BYTES = 64 * 1024**2
DIVIDED_ROWS = 65_536
# Seconds in which a process whose stream broke off may end by itself, so that its error message is complete.
LAST_WORDS = 10
LAST_BYTES = 4_000


class ExportError(Exception):
    """An error that the user can fix. Its text is shown without a stack trace."""

    def __init__(self, text: str, status: int = 1):
        super().__init__(text)
        # The exit status of the failed process, if it ran on the driver.
        self.status = status


# --- Processes ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Job:
    """What every task needs. Sent to the executors."""

    # A path, or the name of a file that Spark has copied to each machine.
    binary: str
    shipped: bool
    plan: Broadcast[str]
    # A directory, ending in a slash, or s3://BUCKET/PREFIX/.
    output: str
    ranges: int
    shares: int
    aws: dict[str, str]

    @contextlib.contextmanager
    def stage(self, stage: str, *arguments: str, name: str, stdin: IO[bytes] | int | None = None) -> Iterator[Process]:
        aws = aws_environment(self.aws)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix="llmproxy-plan-") as plan:
            plan.write(self.plan.value)
            plan.flush()
            command = [self._binary(), "export", "--stage", stage, "--plan", plan.name, *arguments]
            with Process(command, name=name, host=socket.gethostname(), stdin=stdin, aws=aws) as process:
                yield process

    def _binary(self) -> str:
        if not self.shipped:
            return self.binary
        path = SparkFiles.get(self.binary)
        if os.path.exists(path) and not os.access(path, os.X_OK):
            os.chmod(path, 0o755)
        return path


class Process:
    """A process of the binary. Leaving its context raises an ExportError unless it ended with status 0."""

    def __init__(self, command: list[str], *, name: str, host: str | None, stdin: IO[bytes] | int | None, aws: dict[str, str]):
        self._name = name = f"{name} on {host}" if host else name
        self._here = host is None
        self._errors = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env={**os.environ, **aws},
                preexec_fn=_die_with_parent if host and sys.platform == "linux" else None,
            )
        except FileNotFoundError as error:
            raise ExportError(f"Cannot run {name}: there is no file {command[0]}") from error
        except OSError as error:
            raise ExportError(
                f"Cannot run {name}: {command[0]} does not start ({error.strerror}); "
                "if the executors are other machines than the driver, name their binary with --executor-binary"
            ) from error
        self.stdin, self.stdout = self._process.stdin, self._process.stdout

    def __enter__(self) -> Process:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        # A stream breaks off because the process has ended, whose error message says more.
        broken = isinstance(error, (pa.ArrowInvalid, BrokenPipeError))
        if error is None or broken:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(LAST_WORDS if broken else None)
        self._process.kill()
        status = self._process.wait()
        self.stdout.close()
        with self._errors:
            self.said = self._last_words()
        if status != 0 and (error is None or broken):
            raise ExportError(self._failure(status), status) from error

    def _failure(self, status: int) -> str:
        if self._here and self.said:
            return self.said
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        return f"{self._name} {how}: {self.said or 'it printed no message'}"

    def _last_words(self) -> str:
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - LAST_BYTES))
        return self._errors.read().decode(errors="replace").strip()


PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """Spark kills the Python process of a cancelled task; the binary must end with it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


# --- Streams -----------------------------------------------------------------------------------------------------------
# A stream of Arrow IPC is a schema, batches and an end. Spark carries the batches as opaque bytes.

END = b"\xff\xff\xff\xff\x00\x00\x00\x00"


def header(schema: pa.Schema) -> bytes:
    return schema.serialize().to_pybytes()


def body(table: pa.Table) -> bytes:
    return b"".join(batch.serialize().to_pybytes() for batch in table.combine_chunks().to_batches())


def read(schema: bytes, bodies: Iterable[bytes]) -> pa.Table:
    with pa.ipc.open_stream(b"".join([schema, *bodies, END])) as stream:
        return stream.read_all()


def of_kind(table: pa.Table, *kinds: int) -> pa.Table:
    return table.filter(pc.is_in(table["kind"], pa.array(kinds, pa.int8())))


def payloads(table: pa.Table) -> list[str]:
    return of_kind(table, COUNTS)["payload"].to_pylist()


def share_of(roots: pa.ChunkedArray, shares: int) -> pa.ChunkedArray:
    """The share that decides on each row: its root modulo the number of shares, for which Arrow has no function."""
    positive = pc.bit_wise_and(roots, 2**63 - 1)
    return pc.subtract(positive, pc.multiply(pc.divide(positive, shares), shares))


def divided(table: pa.Table, places: pa.ChunkedArray) -> Iterator[tuple[int, bytes]]:
    """The rows of each place, in their order."""
    for from_row in range(0, table.num_rows, DIVIDED_ROWS):
        rows = table.slice(from_row, DIVIDED_ROWS)
        order = pc.array_sort_indices(places.slice(from_row, DIVIDED_ROWS).combine_chunks())
        runs = pc.run_end_encode(places.slice(from_row, DIVIDED_ROWS).combine_chunks().take(order))
        rows = rows.take(order)
        begin = 0
        for place, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist()):
            yield place, body(rows.slice(begin, end - begin))
            begin = end


# --- Tasks -------------------------------------------------------------------------------------------------------------


def extract(job: Job, number: int) -> Iterator[tuple[int, tuple[int, int, bytes]]]:
    """The rows of a range, for the shares that decide on them; an additional place receives what every share needs."""
    with job.stage("extract", "--range", str(number), name=f"extract of range {number}") as process:
        with pa.ipc.open_stream(process.stdout) as stream:
            table = stream.read_all()
    rows = of_kind(table, ROW)
    for piece, (share, part) in enumerate(divided(rows, share_of(rows["root"], job.shares))):
        yield share, (number, piece, part)
    rest = of_kind(table, FEEDBACK, STRAY, NOTE, COUNTS)
    yield job.shares, (number, 0, header(table.schema) + body(rest) + END)


@dataclass(frozen=True)
class Known:
    """What every share needs from the whole log. Sent to the executors."""

    schema: bytes
    # Feedback and notes, as batches.
    told: Broadcast[bytes]
    # Roots whose rows are decided on together, in a separate share.
    strays: list[int]


def decide(job: Job, known: Known, share: int, blobs: Iterable[tuple[int, int, bytes]]) -> Iterator[tuple[int, object]]:
    """The decisions of a share, for the ranges that contain the rows; an additional place receives its counts.

    The last share, that of the strays, mixes rows from several shares; in all others the rows are in order.
    """
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as spool:
        places = []
        for number, piece, part in blobs:
            places.append((number, piece, spool.tell(), len(part)))
            spool.write(part)
        places.sort()
        arguments = ("decide", "--partition", str(share))
        with job.stage(*arguments, name=f"decide of share {share}", stdin=subprocess.PIPE) as process:
            feeder = threading.Thread(
                target=_feed, args=(process.stdin, known, _parts(known, spool, places, share == job.shares))
            )
            feeder.start()
            with contextlib.ExitStack() as ending:
                ending.callback(feeder.join)
                # If nothing reads from the process any more, the feeder would wait for ever.
                ending.callback(process.stdout.close)
                with pa.ipc.open_stream(process.stdout) as stream:
                    for table in _tables(stream):
                        rows = of_kind(table, ROW)
                        for number, part in divided(rows, rows["range"]):
                            yield number, (header(table.schema), part)
                        for payload in payloads(table):
                            yield job.ranges, payload


def _parts(known: Known, spool: IO[bytes], places: list[tuple[int, int, int, int]], mixed: bool) -> Iterator[bytes]:
    """The rows of a share in the order of the log."""
    for _, of_range in itertools.groupby(places, key=lambda place: place[0]):
        parts = []
        for _, _, at, size in of_range:
            spool.seek(at)
            parts.append(spool.read(size))
        yield from [body(read(known.schema, parts).sort_by("row"))] if mixed else parts


def _feed(stdin: IO[bytes], known: Known, parts: Iterable[bytes]) -> None:
    # The status of a process that stops reading shows the reason.
    with contextlib.suppress(BrokenPipeError), stdin:
        stdin.write(known.schema + known.told.value)
        for part in parts:
            stdin.write(part)
        stdin.write(END)


def _tables(stream: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Larger tables, so that the decisions for a range are sent in few pieces."""
    batches, rows = [], 0
    for batch in stream:
        batches.append(batch)
        rows += batch.num_rows
        if rows >= DIVIDED_ROWS:
            yield pa.Table.from_batches(batches, stream.schema)
            batches, rows = [], 0
    yield pa.Table.from_batches(batches, stream.schema)


def strays_in(known: Known, blobs: Iterable[tuple[int, int, bytes]], strays: bool) -> Iterator[tuple[int, int, bytes]]:
    """The rows of a share whose roots are strays, or those whose roots are not."""
    roots = pa.array(known.strays, pa.int64())
    for number, piece, part in blobs:
        table = read(known.schema, [part])
        stray = pc.is_in(table["root"], roots)
        rows = table.filter(stray if strays else pc.invert(stray))
        if rows.num_rows > 0:
            yield number, piece, body(rows)


def render(job: Job, number: int, blobs: Iterable[tuple[bytes, bytes]]) -> str:
    """Writes the shards of a range. Returns its counts."""
    found = list(blobs)
    with contextlib.ExitStack() as stack:
        # A complete file instead of a pipe: if the task is killed, the binary must not take half of the decisions for all.
        decisions = stack.enter_context(tempfile.TemporaryFile())
        if found:
            decisions.write(b"".join([found[0][0], *(part for _, part in found), END]))
            decisions.seek(0)
        remote = job.output.startswith("s3://")
        folder = stack.enter_context(tempfile.TemporaryDirectory()) + "/" if remote else job.output
        arguments = ("render", "--range", str(number), "--output", folder)
        with job.stage(*arguments, name=f"render of range {number}", stdin=decisions) as process:
            with pa.ipc.open_stream(process.stdout) as stream:
                (payload,) = payloads(stream.read_all())
        if remote:
            for shard in json.loads(payload)["outputs"]:
                upload(folder + shard["path"], job.output + shard["path"], job.aws)
        return payload


# --- S3 ----------------------------------------------------------------------------------------------------------------

AWS_NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
METADATA_SECONDS = 2
SESSION_SECONDS = 3600


def aws_environment(given: dict[str, str]) -> dict[str, str]:
    """The variables that give the binary access to S3: those of the driver, or else the role of this machine, pod or container.

    Each task requests the credentials of a role again, because they expire.
    """
    if not given or "AWS_ACCESS_KEY_ID" in given:
        return given
    for ask in (_web_identity, _container_role, _instance_role):
        keys = ask()
        if keys:
            return {**given, **dict(zip(AWS_NAMES, keys))}
    raise ExportError(
        f"Cannot reach S3 from {socket.gethostname()}: it has no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY on the "
        "driver, or give the executors a role"
    )


def _ask(url: str, *, method: str = "GET", headers: dict[str, str] | None = None, data: bytes | None = None) -> str:
    request = urllib.request.Request(url, data=data, headers=headers or {}, method=method)
    # The metadata service is on the machine itself, never behind a proxy.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({})) if data is None else urllib.request.build_opener()
    with opener.open(request, timeout=METADATA_SECONDS if data is None else 30) as response:
        return response.read().decode()


def _web_identity() -> tuple[str, str, str] | None:
    """The role of a Kubernetes service account (IRSA)."""
    role, file = os.environ.get("AWS_ROLE_ARN"), os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE")
    if not role or not file:
        return None
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    url = os.environ.get("AWS_ENDPOINT_URL_STS") or f"https://sts.{region}.amazonaws.com"
    with open(file, encoding="utf-8") as token:
        form = {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": role,
            "RoleSessionName": "llmproxy-export",
            "DurationSeconds": SESSION_SECONDS,
            "WebIdentityToken": token.read(),
        }
    answer = xml.etree.ElementTree.fromstring(_ask(url, method="POST", data=urllib.parse.urlencode(form).encode()))
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    return tuple(answer.find(f".//{{*}}Credentials/{{*}}{name}").text for name in names)


def _container_role() -> tuple[str, str, str] | None:
    """The role of a container (ECS, EKS Pod Identity, EMR Serverless)."""
    path, url = (os.environ.get(f"AWS_CONTAINER_CREDENTIALS_{name}_URI") for name in ("RELATIVE", "FULL"))
    if not path and not url:
        return None
    token, file = (os.environ.get(f"AWS_CONTAINER_AUTHORIZATION_TOKEN{name}") for name in ("", "_FILE"))
    if file:
        with open(file, encoding="utf-8") as text:
            token = text.read().strip()
    return _keys(_ask(url or f"http://169.254.170.2{path}", headers={"Authorization": token} if token else {}))


def _instance_role() -> tuple[str, str, str] | None:
    """The role of a virtual machine (EMR, Databricks)."""
    server = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254").rstrip("/")
    try:
        wanted = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
        token = {"X-aws-ec2-metadata-token": _ask(f"{server}/latest/api/token", method="PUT", headers=wanted)}
        roles = f"{server}/latest/meta-data/iam/security-credentials/"
        return _keys(_ask(roles + _ask(roles, headers=token).splitlines()[0], headers=token))
    except OSError:
        return None


def _keys(answer: str) -> tuple[str, str, str]:
    keys = json.loads(answer)
    return keys["AccessKeyId"], keys["SecretAccessKey"], keys["Token"]


def filesystem(aws: dict[str, str]) -> pafs.S3FileSystem:
    endpoint = aws.get("AWS_ENDPOINT_URL", "")
    if endpoint:
        # Servers that do not support trailing checksums store them as part of the body.
        os.environ.setdefault("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    scheme, _, host = endpoint.rpartition("://")
    return pafs.S3FileSystem(
        access_key=aws["AWS_ACCESS_KEY_ID"],
        secret_key=aws["AWS_SECRET_ACCESS_KEY"],
        session_token=aws.get("AWS_SESSION_TOKEN"),
        region=aws.get("AWS_REGION"),
        **({"endpoint_override": host, "scheme": scheme} if endpoint else {}),
    )


def upload(path: str, url: str, aws: dict[str, str]) -> None:
    """Copies a file to S3. An object appears when it is complete."""
    s3, place, size = filesystem(aws_environment(aws)), url.removeprefix("s3://"), os.path.getsize(path)
    with open(path, "rb") as source, s3.open_output_stream(place) as target:
        shutil.copyfileobj(source, target, 8 * 1024**2)
    stored = s3.get_file_info(place).size
    if stored != size:
        raise ExportError(f"Cannot write {url}: the server stored {stored} bytes instead of {size}")


# --- The driver --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """The parsed command line."""

    binary: str
    executor_binary: str | None
    # The arguments of `llmproxy export` without the output.
    arguments: list[str]
    output: str


def parse(argv: list[str]) -> Request:
    parser = argparse.ArgumentParser(
        prog="llmproxy_export.py",
        usage="spark-submit llmproxy_export.py [options] -- LOGS... FLAGS... -o OUTPUT/",
        description="Exports request logs to training data on Apache Spark. LOGS and FLAGS are those of llmproxy export; "
        "OUTPUT/ is a directory that all machines share, or s3://BUCKET/PREFIX/.",
    )
    parser.add_argument(
        "--binary", default="llmproxy", help="the llmproxy binary on the driver, which Spark copies to the executors"
    )
    parser.add_argument("--executor-binary", help="the path of llmproxy on the executors, if it is installed there; nothing is copied then")
    own, rest = (argv[: argv.index("--")], argv[argv.index("--") + 1 :]) if "--" in argv else (argv, [])
    options = parser.parse_args(own)
    binary = shutil.which(options.binary)
    if binary is None:
        parser.error(f"there is no program {options.binary}; name the llmproxy binary with --binary PATH")
    arguments, output = _without_output([re.sub(r"^s3[an]://", "s3://", argument) for argument in rest])
    if output is None:
        parser.error("give the output after --: -o DIRECTORY/ or -o s3://BUCKET/PREFIX/")
    for argument in [*arguments, output]:
        scheme = re.match(r"^([a-z][a-z0-9+.-]*)://", argument)
        if scheme and scheme[1] != "s3":
            parser.error(f"{argument}: llmproxy reads and writes files and s3:// only; mount {scheme[1]}:// as a file system")
    return Request(os.path.abspath(binary), options.executor_binary, arguments, output)


def _without_output(arguments: list[str]) -> tuple[list[str], str | None]:
    kept: list[str] = []
    output = None
    words = iter(arguments)
    for word in words:
        if word in ("-o", "--output"):
            output = next(words, None)
        elif word.startswith("--output="):
            output = word.removeprefix("--output=")
        else:
            kept.append(word)
    return kept, output


def aws_settings(conf: SparkConf, request: Request) -> dict[str, str]:
    """The S3 settings in the environment or in Spark's configuration; empty if the export does not use S3."""
    names = [word for word in [*request.arguments, request.output] if word.startswith("s3://")]
    if not names:
        return {}
    env = os.environ
    hadoop = {key.removeprefix("spark.hadoop.fs.s3a."): value for key, value in conf.getAll()}
    given = {
        "AWS_ACCESS_KEY_ID": env.get("AWS_ACCESS_KEY_ID") or hadoop.get("access.key"),
        "AWS_SECRET_ACCESS_KEY": env.get("AWS_SECRET_ACCESS_KEY") or hadoop.get("secret.key"),
        "AWS_SESSION_TOKEN": env.get("AWS_SESSION_TOKEN") or hadoop.get("session.token"),
        "AWS_ENDPOINT_URL": env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL") or hadoop.get("endpoint"),
        "AWS_REGION": env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or hadoop.get("endpoint.region"),
    }
    if not given["AWS_REGION"]:
        bucket = names[0].removeprefix("s3://").split("/")[0]
        given["AWS_REGION"] = "us-east-1" if given["AWS_ENDPOINT_URL"] else region_of(bucket)
    return {name: value for name, value in given.items() if value}


def region_of(bucket: str) -> str:
    try:
        return pafs.resolve_s3_region(bucket)
    except OSError as error:
        raise ExportError(f"Cannot find the region of the bucket {bucket}: {error}; set AWS_REGION") from error


def run_here(command: list[str], *, name: str, aws: dict[str, str], stdin: IO[bytes] | int | None = None) -> str:
    """Runs a stage on the driver. Returns its messages."""
    process = Process(command, name=name, host=None, stdin=stdin, aws=aws_environment(aws))
    with process:
        process.stdout.read()
    return process.said


class Exporter:
    """One export, controlled by the driver."""

    def __init__(self, context: SparkContext, request: Request):
        self._context = context
        self._request = request
        self._aws = aws_settings(context.getConf(), request)
        self._remote = request.output.startswith("s3://")
        # In local mode the executors are this process.
        self._local = re.match(r"^local(\[|$)", context.master) is not None

    def run(self) -> str:
        """Runs the export. Returns the summary."""
        with tempfile.TemporaryDirectory(prefix="llmproxy-export-") as scratch:
            # Output for S3 is written here first.
            folder = f"{scratch}/dataset/" if self._remote else self._request.output
            job = self._plan(folder)
            keys, known, counts = self._extract(job)
            decisions, more = self._decide(job, keys, known)
            counts += more
            counts += self._render(job, decisions)
            return self._finish(folder, counts)

    def _plan(self, folder: str) -> Job:
        request = self._request
        command = [request.binary, "export", "--stage", "plan", *request.arguments, "--output", folder]
        run_here(command, name="plan", aws=self._aws)
        if self._remote:
            clear(request.output, force="--force" in request.arguments, aws=self._aws)
        with open(os.path.join(folder, "plan.json"), encoding="utf-8") as file:
            text = file.read()
        plan = json.loads(text)
        shipped = not request.executor_binary and not self._local
        if shipped:
            self._context.addFile(request.binary)
        return Job(
            binary=os.path.basename(request.binary) if shipped else request.executor_binary or request.binary,
            shipped=shipped,
            plan=self._context.broadcast(text),
            output=request.output if self._remote else plan["output"].rstrip("/") + "/",
            ranges=len(plan["ranges"]),
            shares=plan["partitions"],
            aws=self._aws,
        )

    def _extract(self, job: Job) -> tuple[RDD, Known, list[str]]:
        """Returns the keys by share, what all shares need, and the counts."""
        self._describe(f"extract {job.ranges} ranges")
        ranges = self._context.parallelize(range(job.ranges), job.ranges)
        keys = ranges.flatMap(lambda number: extract(job, number)).partitionBy(job.shares + 1, int)
        # This computes the keys; Spark keeps the shuffled data for the next stage.
        streams = self._context.runJob(keys, lambda pairs: [stream for _, (_, _, stream) in pairs], [job.shares])
        told = pa.concat_tables([pa.ipc.open_stream(stream).read_all() for stream in streams])
        told = told.sort_by([("kind", "ascending"), ("range", "ascending"), ("row", "ascending")])
        known = Known(
            schema=header(told.schema),
            told=self._context.broadcast(body(of_kind(told, FEEDBACK, NOTE))),
            strays=of_kind(told, STRAY)["root"].unique().to_pylist(),
        )
        return keys, known, payloads(told)

    def _decide(self, job: Job, keys: RDD, known: Known) -> tuple[RDD, list[str]]:
        """Returns the decisions by range, and the counts."""
        self._describe(f"decide in {job.shares} shares")
        strays = bool(known.strays)

        def of_share(share: int, pairs: Iterable) -> Iterator:
            if share == job.shares:
                return iter(())
            blobs = (blob for _, blob in pairs)
            return decide(job, known, share, strays_in(known, blobs, False) if strays else blobs)

        decided = keys.mapPartitionsWithIndex(of_share)
        if strays:

            def apart(share: int, pairs: Iterable) -> Iterator:
                blobs = (blob for _, blob in pairs) if share < job.shares else ()
                return ((0, blob) for blob in strays_in(known, blobs, True))

            def of_strays(pairs: Iterable) -> Iterator:
                return decide(job, known, job.shares, (blob for _, blob in pairs))

            together = keys.mapPartitionsWithIndex(apart).partitionBy(1, int).mapPartitions(of_strays)
            decided = decided.union(together)
        decisions = decided.partitionBy(job.ranges + 1, int)
        return decisions, self._context.runJob(decisions, lambda pairs: [counts for _, counts in pairs], [job.ranges])

    def _render(self, job: Job, decisions: RDD) -> list[str]:
        self._describe(f"render {job.ranges} ranges")

        def of_range(number: int, pairs: Iterable) -> Iterator[str]:
            if number < job.ranges:
                yield render(job, number, (blob for _, blob in pairs))

        return decisions.mapPartitionsWithIndex(of_range).collect()

    def _finish(self, folder: str, counts: list[str]) -> str:
        command = [self._request.binary, "export", "--stage", "finish", "--plan", os.path.join(folder, "plan.json")]
        # With a separate directory, it does not check for the shards.
        command += ["--output", folder] if self._remote else []
        with tempfile.TemporaryFile() as file:
            file.writelines(payload.encode() + b"\n" for payload in counts)
            file.seek(0)
            said = run_here(command, name="finish", aws=self._aws, stdin=file)
        if self._remote:
            # The manifest comes last, because it marks the dataset as complete.
            for name in sorted(os.listdir(folder), key=lambda name: name == "manifest.json"):
                upload(folder + name, self._request.output + name, self._aws)
        return said.replace(folder.rstrip("/"), self._request.output.rstrip("/"))

    def _describe(self, work: str) -> None:
        self._context.setJobDescription(f"llmproxy: {work}")


# The files that an export writes, which --force may therefore remove.
OWN_FILES = re.compile(r"data/[^/]+-\d{5}-of-\d{5}\.[a-z.]+|README\.md|dataset_info\.json|manifest\.json|plan\.json")


def clear(url: str, *, force: bool, aws: dict[str, str]) -> None:
    """Requires an empty prefix; with `force`, it may contain an earlier export, which is deleted."""
    prefix = url.removeprefix("s3://").rstrip("/")
    s3 = filesystem(aws_environment(aws))
    found = s3.get_file_info(pafs.FileSelector(prefix, recursive=True, allow_not_found=True))
    names = [info.path.removeprefix(f"{prefix}/") for info in found if info.is_file]
    if names and not force:
        raise ExportError(f"Cannot write {url}: it exists already, give --force to replace it")
    others = [name for name in names if not OWN_FILES.fullmatch(name)]
    if others:
        raise ExportError(f"Cannot replace {url}: {others[0]} in it was not written by an export")
    # The manifest comes first: without it, the remaining files do not look like a dataset.
    for name in sorted(names, key=lambda name: name != "manifest.json"):
        s3.delete_file(f"{prefix}/{name}")


FAILURE = re.compile(
    r"ExportError: (.*?)(?=\n\s*(?:at |SQLSTATE: |The above exception|Traceback|Driver stacktrace)|\Z)", re.DOTALL
)


def main(argv: list[str]) -> int:
    request = parse(argv)
    mine = SparkContext._active_spark_context is None
    context = SparkContext.getOrCreate(SparkConf().setIfMissing("spark.app.name", "llmproxy export"))
    try:
        print(Exporter(context, request).run(), file=sys.stderr)
        return 0
    except ExportError as error:
        print(f"llmproxy_export: {error}", file=sys.stderr)
        return error.status
    except Py4JJavaError as error:
        failure = FAILURE.search(str(error))
        if not failure:
            raise
        print(f"llmproxy_export: {failure[1].strip()}", file=sys.stderr)
        return 1
    finally:
        if mine:
            context.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
