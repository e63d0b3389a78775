# SPDX-License-Identifier: GPL-2.0-only
"""stand_in.py - a server for the tests of analyzer push, whose arguments are ANALYZER FIXTURE SCHEMA

The server is not ClickHouse but stands in for it: it takes INSERTs in RowBinary apart as the
schema says, keeps a row for each key, and fails on request. clickhouse_test has the real one.
"""
import http.server
import os
import re
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import server_schema  # noqa: E402 pylint: disable=wrong-import-position

ANALYZER, FIXTURE, SCHEMA = (os.path.abspath(path) for path in sys.argv[1:4])
WIDTHS = {"UInt8": "<B", "UInt16": "<H", "UInt32": "<I", "UInt64": "<Q", "Int32": "<i",
          "Int64": "<q", "Float64": "<d",
          "Date": "<H"}


TABLES = server_schema.read_schema(SCHEMA)


class Reader:
    """RowBinary, read as ClickHouse's documentation describes it."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        part = self.data[self.at:self.at + count]
        if len(part) != count:
            raise ValueError("the data end within a value")
        self.at += count
        return part

    def length(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    def value(self, kind):
        inner = re.fullmatch(r"(Nullable|Array)\((\w+)\)", kind)
        if inner and inner.group(1) == "Nullable":
            return None if self.take(1)[0] else self.value(inner.group(2))
        if inner:
            return tuple(self.value(inner.group(2)) for _ in range(self.length()))
        if kind == "String":
            return self.take(self.length())
        return struct.unpack(WIDTHS[kind], self.take(struct.calcsize(WIDTHS[kind])))[0]


class Server(http.server.ThreadingHTTPServer):
    """What it stored, and how it is to fail.

    plan(n): what to do with the nth INSERT, None: nothing wrong.
    """
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address):
        super().__init__((address, 0), Handler)
        self.stored = {name: {} for name in TABLES}
        self.inserts = []  # (table, rows, token)
        self.plan = lambda n: None
        self.seen = self.requests = 0
        self.has_tables, self.has_token, self.has_cluster = True, True, False
        self.is_of_cluster = False  # --create --cluster was here
        self.other_types = {}  # {(table, column): type, "": there is none}
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a client that was killed

    @property
    def url(self):
        return f"http://{self.server_address[0]}:{self.server_address[1]}"

    def store(self, query, body, token):
        name, columns = re.fullmatch(r"INSERT INTO exitscope\.(\w+)\(([\w,]+)\) FORMAT RowBinary",
                                     query).groups()
        kinds, key, ver = TABLES[name]
        columns = columns.split(",")
        reader, count = Reader(body), 0
        while reader.at < len(body):
            row = {column: reader.value(kinds[column]) for column in columns}
            old = self.stored[name].get(tuple(row[k] for k in key))
            if not (old and ver and old[ver] > row[ver]):
                self.stored[name][tuple(row[k] for k in key)] = row
            count += 1
        self.inserts.append((name, count, token))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *unused):
        pass

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def cut(self):
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def do_POST(self):
        server = self.server
        server.requests += 1
        params = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        query = params.get("query", "")
        if query.startswith("--"):
            query = query.split("\n", 1)[1]
        length = int(self.headers["Content-Length"])
        if not query:
            body = self.rfile.read(length)
            assert b"system.columns" in body, body
            return self.answer(200, server_schema.columns_text(TABLES if server.has_tables else {}, server.other_types))
        if "system.settings" in query:
            return self.answer(200, f"{server.has_token:d}\n")
        if "system.clusters" in query:
            return self.answer(200, f"{server.has_cluster:d}\n")
        if "engine = 'Distributed'" in query:
            return self.answer(200, f"{server.is_of_cluster:d}\n")
        with server.lock:
            fault = server.plan(server.seen)
            server.seen += 1
        if fault == "cut":
            self.rfile.read(length // 2)
            return self.cut()
        body = self.rfile.read(length)
        if isinstance(fault, int):
            return self.answer(fault, f"Code: 241, e.displayText() = DB::Exception: made up \x1b[31m{fault}\n")
        with server.lock:
            server.store(query, body, params.get("insert_deduplication_token"))
        if fault == "lose":
            return self.cut()
        return self.answer(200, "")


class WithServer(unittest.TestCase):
    """Pushes copies of the fixture to a server that stands in for ClickHouse."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.server = self.new_server()

    def new_server(self, address="127.0.0.1"):
        server = Server(address)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def copy(self, path, name="run.sqlite"):
        copy = os.path.join(self.folder, name)
        shutil.copyfile(path, copy)
        os.chmod(copy, 0o600)
        return copy

    def command(self, path, *options, to=None):
        return [ANALYZER, "push", "--to", to or self.server.url, path, *options]

    def push(self, path, *options, to=None, status=0):
        done = subprocess.run(self.command(path, *options, to=to), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE,
                              text=True, timeout=200)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def clean(self, path, *options):
        """What a server without faults has stored afterwards."""
        server = self.new_server()
        self.push(self.copy(path, "clean.sqlite"), *options, to=server.url)
        return server.stored

    def count(self, path, query):
        db = sqlite3.connect(path)
        try:
            return db.execute(query).fetchone()[0]
        finally:
            db.close()
