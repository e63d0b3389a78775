#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""hostile_test.py ANALYZER FIXTURE SCHEMA: analyzer push and fleet, and what is not a ClickHouse server.

A web server, a login page, a proxy in between or somebody who means harm answers instead: each time
the program ends, says why in one line, and nothing that was sent counts as stored.
"""
import contextlib
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import server_schema  # noqa: E402 pylint: disable=wrong-import-position

ANALYZER, FIXTURE, SCHEMA = (os.path.abspath(path) for path in sys.argv[1:])
COLUMNS = server_schema.columns_text(server_schema.read_schema(SCHEMA)).encode()
PAGE = b"<html><title>\x1b]0;owned\x07\x1b[2J Log in \xe2\x80\xae</title>\r\n<p>\0</html>"
MEMORY_MOST = 512 << 20


def reply(status, body, *headers):
    """An answer as it should be, except for what it says."""
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def endless(start, more):
    """start, and then more until nobody reads it."""
    def send(connection):
        connection.sendall(start)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            connection.sendall(more)
    return send


def drip(data, pause_s):
    def send(connection):
        for byte in data:
            connection.sendall(bytes((byte,)))
            time.sleep(pause_s)
    return send


class Server:
    """Answers each request by what answer(request) gives: bytes, or what is called with the connection."""

    def __init__(self, answer):
        self.answer, self.requests = answer, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.talk, args=self.socket.accept()[:1], daemon=True).start()

    def talk(self, connection):
        with connection, contextlib.suppress(OSError, ValueError):
            while request := self.read(connection):
                self.requests.append(request)
                answer = self.answer(request)
                if callable(answer):
                    answer(connection)
                    return
                connection.sendall(answer)

    @staticmethod
    def read(connection):
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65536)
            if not part:
                return b""
            data += part
        head, body = data.split(b"\r\n\r\n", 1)
        length = int(re.search(rb"Content-Length: (\d+)", head).group(1))
        while len(body) < length:
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body

    def close(self):
        self.socket.close()


def as_clickhouse(request):
    return reply(b"200 OK", COLUMNS if b"system.columns" in request else b"1\n")


def from_insert_on(answer):
    """A ClickHouse server until the first INSERT, as a proxy's login that has ended."""
    return lambda request: answer if b"INSERT" in request else as_clickhouse(request)


class HostileTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, self.folder)

    def server(self, answer):
        server = Server(answer if callable(answer) else lambda request: answer)
        self.addCleanup(server.close)
        return server

    def commands(self, url):
        path = os.path.join(self.folder, "run.sqlite")
        shutil.copyfile(FIXTURE, path)
        os.chmod(path, 0o600)
        yield [ANALYZER, "push", "--to", url, "--give-up", "0s", path]
        yield [ANALYZER, "push", "--to", url, "--give-up", "0s", "--create"]
        yield [ANALYZER, "fleet", "--from", url]

    def refused(self, command):
        """The one line that a command ends with."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
            start = time.monotonic()
            process = subprocess.Popen(command, stdout=out, stderr=error)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.assertLess(time.monotonic() - start, 50)
            self.assertLess(used.ru_maxrss << 10, MEMORY_MOST)
            error.seek(0)
            text = error.read().decode()
        self.assertEqual(process.returncode, 1, text)
        # Of what is tried again, the first report has the same reason.
        line = text.splitlines()[-1]
        self.assertEqual(set(text.splitlines()) - {line, f"{line} (trying again)"}, set())
        self.assertRegex(line, r"\Aanalyzer: http://127.0.0.1:\d+: .{4,}\Z")
        self.assertLess(len(line), 600)
        self.assertFalse(re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e]", line), line)
        return line

    def check_all(self, answer, words):
        server = self.server(answer)
        for command in self.commands(server.url):
            with self.subTest(command[1:], answer=str(answer)[:80]):
                self.assertRegex(self.refused(command), words)

    def test_other_servers(self):
        for answer, words in (
                (reply(b"200 OK", PAGE), r"another form than was asked for: <html><title>\?\]0;owned\?"),
                (reply(b"200 OK", b'{"data": [[1,'), r'another form than was asked for: {"data": \[\[1,'),
                (reply(b"200 OK", b"Code: 241. DB::Exception: Memory limit\n"), "was asked for: Code: 241. DB::Exc"),
                (reply(b"404 Not Found", PAGE), "HTTP status 404: <html>"),
                (reply(b"500 Oh", PAGE), "HTTP status 500: <html>"),
                (b"HTTP/1.1 204 No Content\r\n\r\n", "HTTP status 204"),
                (reply(b"999 Huh", b""), "HTTP status 999"),
                (lambda request: lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"), "HTTP/0.9"),
                (lambda request: lambda connection: connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"), "bytes"),
                (lambda request: lambda connection: connection.sendall(
                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n"), "chunk")):
            self.check_all(answer, words)

    def test_empty(self):
        """No answer at all to what asks for one: to push, a server without tables. Statements of --create have none."""
        for command in self.commands(self.server(reply(b"200 OK", b"")).url):
            if "--create" not in command:
                self.assertIn("it has no tables of exitscope" if "push" in command else "was asked for: nothing",
                              self.refused(command))
        server = self.server(lambda request: reply(b"200 OK", COLUMNS if b"system.columns" in request else b""))
        self.assertIn("was asked for: nothing", self.refused(next(self.commands(server.url))))

    def test_endless(self):
        for status, words in (b"200 OK", "more than 32 MiB|another form"), (b"403 No", "HTTP status 403: xxx"):
            self.check_all(lambda request, status=status: endless(
                b"HTTP/1.1 " + status + b"\r\n\r\n", b"x" * 65536), words)
        self.check_all(lambda request: endless(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 1000), ": ")
        self.check_all(lambda request: endless(b"HTTP/1.1 200 OK\r\nA: ", b"b" * 65536), ": ")

    def test_redirect(self):
        """Nobody gets anything whom the user has not named."""
        other = self.server(reply(b"200 OK", b"1\n"))
        for status in (b"301 Moved", b"302 Found", b"307 There", b"308 There"):
            self.check_all(reply(status, PAGE, b"Location: %s/x?secret\x1b[2J" % other.url.encode()),
                           rf"redirects with HTTP status 30\d, .* to {other.url}/x \(name")
        self.check_all(reply(b"302 Found", b"", b"Location: file:///etc/shadow"), "redirects")
        self.check_all(reply(b"302 Found", b""), "to nowhere")
        self.assertEqual(other.requests, [])

    def test_insert_answered(self):
        """What a page answers, nobody has stored: it is all sent again."""
        path = next(self.commands(""))[-1]
        for answer in (reply(b"200 OK", PAGE), reply(b"200 OK", b"Code: 243. DB::Exception: no space\n"),
                       reply(b"200 OK", b"\n"),
                       endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536)):
            server = self.server(from_insert_on(answer))
            line = self.refused([ANALYZER, "push", "--to", server.url, path])
            self.assertIn("another form than was asked for", line)
            self.assertEqual(sum(b"INSERT" in request for request in server.requests), 1)
            db = sqlite3.connect(path)
            self.assertEqual(db.execute("SELECT count(*) FROM push_cursor").fetchone(), (0,))
            db.close()

    def test_long_error(self):
        """An error of the server is tried again, however long the page is that comes with it."""
        pages = [endless(b"HTTP/1.1 503 Down\r\n\r\n", b"x" * 65536)]
        server = self.server(lambda request: as_clickhouse(request) if b"INSERT" not in request
                             else pages.pop() if pages else reply(b"200 OK", b""))
        done = subprocess.run([ANALYZER, "push", "--to", server.url, next(self.commands(""))[-1]],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"status 503: x+ \(trying again\)\n.*it answers again")

    def test_slow(self):
        """A slow answer is waited for, and Ctrl-C ends that."""
        row = b"AMD\tHLT\t1\t5\t7\t8\t1.5\t9\n"
        server = self.server(lambda request: drip(
            reply(b"200 OK", b"1\t1\n" if b"present" in request else b"5\t0\n" if b"toUInt64(sum(dropped" in request
                  else row, b"Connection: close"), 0.005))
        done = subprocess.run([ANALYZER, "fleet", "--from", server.url, "--format", "csv"], stdout=subprocess.PIPE,
                              timeout=60, check=True)
        self.assertIn(b"AMD,HLT,1,5", done.stdout)

        server = self.server(lambda request: endless(b"HTTP/1.1 200 OK\r\n", b""))
        process = subprocess.Popen([ANALYZER, "push", "--to", server.url, next(self.commands(""))[-1]],
                                   stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        while not server.requests:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        self.assertRegex(process.communicate(timeout=20)[1], r"\Aanalyzer: http.*: stopped\n\Z")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
