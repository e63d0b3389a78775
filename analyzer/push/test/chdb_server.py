# SPDX-License-Identifier: GPL-2.0-only
"""chdb_server.py LIBRARY FOLDER PORT: a later ClickHouse than Debian's, on loopback

chDB is the engine of a later ClickHouse as a shared library. Here it answers by HTTP as a server
does: a statement is what stands in the parameter "query" and then in the body; a token of an INSERT
is a setting. Rows of an INSERT come from a file, as chDB cuts those in a statement off at its
max_query_size. What is not the engine's is not ClickHouse's here: passwords, TLS, clusters and the
HTTP status of an error, which is always 400.
"""
import ctypes
import http.server
import re
import sys
import tempfile
import threading
import urllib.parse

POINTER, SIZE, TEXT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
# What is used of chdb.h: the result and the arguments.
FUNCTIONS = {
    "chdb_connect": (ctypes.POINTER(POINTER), (ctypes.c_int, ctypes.POINTER(TEXT))),
    "chdb_query_n": (POINTER, (POINTER, TEXT, SIZE, TEXT, SIZE)),
    "chdb_result_buffer": (POINTER, (POINTER,)),
    "chdb_result_length": (SIZE, (POINTER,)),
    "chdb_result_error": (TEXT, (POINTER,)),
    "chdb_destroy_query_result": (None, (POINTER,)),
}


class Engine:
    """A connection, which takes one statement at a time."""

    def __init__(self, library, folder):
        self.lock, self.library = threading.Lock(), ctypes.CDLL(library)
        for name, (result, arguments) in FUNCTIONS.items():
            function = getattr(self.library, name)
            function.restype, function.argtypes = result, arguments
        words = (TEXT * 2)(b"clickhouse", b"--path=" + folder.encode())
        self.connection = self.library.chdb_connect(2, words)
        if not self.connection:
            sys.exit(f"chdb_server.py: {folder}: chDB can't open it")

    def ask(self, query, body, token=""):
        """(error or None, answer)."""
        insert = re.fullmatch("(INSERT INTO .*) FORMAT RowBinary", query)
        with self.lock, tempfile.NamedTemporaryFile() as rows:
            if not insert:
                return self.query(query.encode() + b"\n" + body)
            rows.write(body)
            rows.flush()
            error, _ = self.query(f"SET insert_deduplication_token = '{token}'".encode())
            if error:
                return error, b""
            return self.query(f"{insert[1]} FROM INFILE '{rows.name}' FORMAT RowBinary".encode())

    def query(self, statement):
        form = b"TabSeparated"
        result = self.library.chdb_query_n(self.connection[0], statement, len(statement), form, len(form))
        error, length = self.library.chdb_result_error(result), self.library.chdb_result_length(result)
        text = ctypes.string_at(self.library.chdb_result_buffer(result), length) if length else b""
        self.library.chdb_destroy_query_result(result)
        return error, text


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *unused):
        pass

    def do_POST(self):
        params = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        error, text = self.server.engine.ask(params.get("query", ""), body,
                                             params.get("insert_deduplication_token", ""))
        text = error or text
        self.send_response(400 if error else 200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST


def main():
    library, folder, port = sys.argv[1:]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    server.engine = Engine(library, folder)
    server.serve_forever()


if __name__ == "__main__":
    main()
