#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes the pictures of README.md from a recorded boot: doc/page.png and doc/terminal.svg.

The page is `analyzer report --html` as Chromium shows it; the terminal is what
`analyzer top-exits` prints in one of 100 columns. Both are of testdata/linux-boot-ept.cap.gz.
"""

import argparse
import fcntl
import html
import os
import pathlib
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios

ROOT = pathlib.Path(__file__).resolve().parents[1]
CAPTURE = ROOT / "testdata/linux-boot-ept.cap.gz"
PAGE_PIXELS = (1200, 1500)
SCALE = 0.6
COMMAND = "top-exits --limit 6"
CELL = (7.2, 16)  # pixels of a character at 12 px
LINES, COLUMNS = 40, 100  # of the terminal


class Parser(argparse.ArgumentParser):
    """Refuses an option in the words of all programs here (testbed/bed has the same)."""

    def error(self, message):
        unknown = re.match(r"unrecognized arguments: (\S+)", message)
        message = f"{unknown.group(1)}: unknown option" if unknown else message
        self.exit(1, f"{self.prog}: {message} ({self.prog} --help)\n")


def run(*command):
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout


def run_in_terminal(*command):
    """What the command prints when it sees a terminal."""
    outside, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("4H", LINES, COLUMNS, 0, 0))
    with subprocess.Popen(command, stdout=inside, stdin=subprocess.DEVNULL) as program:
        os.close(inside)
        text = b""
        try:
            while chunk := os.read(outside, 4096):
                text += chunk
        except OSError:
            pass  # EIO: the program has closed its end
        os.close(outside)
    if program.returncode:
        raise subprocess.CalledProcessError(program.returncode, command)
    return text.decode().replace("\r\n", "\n")


def draw_terminal(text):
    """An SVG of lines of text, as in a dark terminal."""
    lines = text.rstrip().split("\n")
    width = max(map(len, lines)) * CELL[0] + 24
    height = len(lines) * CELL[1] + 24
    rows = "\n".join(
        f'<text x="12" y="{24 + number * CELL[1]}" xml:space="preserve">{html.escape(line)}</text>'
        for number, line in enumerate(lines))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
            f'width="{width:.0f}" height="{height}">\n'
            '<rect width="100%" height="100%" rx="8" fill="#0d1117"/>\n'
            '<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="12" '
            f'fill="#c9d1d9">\n{rows}\n</g>\n</svg>\n')


def draw_page(page, picture):
    run("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--force-device-scale-factor={SCALE}",
        f"--window-size={PAGE_PIXELS[0]},{PAGE_PIXELS[1]}",
        f"--screenshot={picture}", page.as_uri())


def main():
    parser = Parser(prog="tools/picture.py", description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter,
                    epilog="needs: chromium, bazel build -c opt //collector //analyzer\n"
                           "example:\n  tools/picture.py --out /tmp")
    parser.add_argument("--out", metavar="FOLDER", type=pathlib.Path, default=ROOT / "doc",
                        help="where the pictures go; default: doc")
    options = parser.parse_args()
    collector = ROOT / "bazel-bin/collector/collector"
    analyzer = ROOT / "bazel-bin/analyzer/analyzer"
    for need, way_out in ((shutil.which("chromium"), "apt-get install chromium"),
                          (collector.exists() and analyzer.exists(),
                           "bazel build -c opt //collector //analyzer")):
        if not need:
            sys.exit(f"tools/picture.py: a program is missing ({way_out})")

    with tempfile.TemporaryDirectory() as folder:
        database, page = pathlib.Path(folder, "run.sqlite"), pathlib.Path(folder, "page.html")
        try:
            run(collector, "--from", CAPTURE, "--db", database)
            run(analyzer, "--db", database, "report", "--html", page)
            text = run_in_terminal(analyzer, "--db", database, *COMMAND.split())
            draw_page(page, options.out / "page.png")
        except subprocess.CalledProcessError as error:
            sys.exit(f"tools/picture.py: {error}\n{error.stderr or ''}")
    (options.out / "terminal.svg").write_text(draw_terminal(f"$ analyzer {COMMAND}\n{text}"))


if __name__ == "__main__":
    main()
