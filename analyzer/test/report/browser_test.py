#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""browser_test.py ANALYZER BOOT_DB: the report in a real browser (chromium).

Nothing is wider than a phone, the browser complains of nothing, and light, dark,
phone and paper each show a picture. The pictures stay in the test's outputs
(bazel-testlogs/analyzer/test/report/browser_test/test.outputs).
"""
import contextlib
import os
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

ANALYZER, BOOT_DB = (os.path.abspath(p) for p in sys.argv[1:3])
OUTPUTS = os.environ.get("TEST_UNDECLARED_OUTPUTS_DIR", tempfile.gettempdir())

# Says how wide the framed page is, and which elements reach past it.
FRAME = """<!DOCTYPE html><iframe id="f" src="report.html" style="width:%dpx;height:800px"></iframe><pre id="o"></pre>
<script>document.getElementById("f").onload = function () {
  const d = this.contentDocument, width = d.documentElement.clientWidth, wide = [];
  for (const e of d.querySelectorAll("body *"))
    if (e.getBoundingClientRect().right > width + 1 && !e.closest(".scroll") && !e.closest("svg"))
      wide.push(e.tagName + "." + e.className);
  document.getElementById("o").textContent = "WIDE=" + wide.join(" ") + " SCROLL=" +
    (d.documentElement.scrollWidth - width) + " SECTIONS=" + d.querySelectorAll("section").length + " END";
};</script>
"""

# Labels of small charts that reach past the paper or into each other, and what paper can't use.
PAPER_FRAME = """<!DOCTYPE html><iframe id="f" src="paper.html" style="width:%dpx;height:1000px"></iframe><pre id="o"></pre>
<script>document.getElementById("f").onload = function () {
  const d = this.contentDocument, width = d.documentElement.clientWidth;
  const seen = e => e.getClientRects().length > 0, cut = [], touching = [];
  for (const axis of d.querySelectorAll(".plot .x")) {
    let end = -1e9;
    for (const e of [...axis.children].filter(seen)) {
      const box = e.getBoundingClientRect();
      if (box.right > width)
        cut.push(e.textContent);
      if (box.left < end)
        touching.push(e.textContent);
      end = box.right;
    }
  }
  const idle = [...d.querySelectorAll("nav, input, label, summary")].filter(seen).length;
  document.getElementById("o").textContent = "CUT=" + cut.join() + " TOUCHING=" + touching.join() + " IDLE=" + idle + " END";
};</script>
"""
A4_PX = 703  # 210 mm without margins

# How wide the names of VMs in the page of a phone are.
NAMED_FRAME = """<!DOCTYPE html><iframe id="f" src="named.html" style="width:390px;height:800px"></iframe><pre id="o"></pre>
<script>document.getElementById("f").onload = function () {
  const names = [...this.contentDocument.querySelectorAll("tbody th")].filter(e => e.textContent.startsWith("web-"));
  document.getElementById("o").textContent = "NAMES=" + names.length + " WIDEST=" +
    Math.round(Math.max(...names.map(e => e.getBoundingClientRect().width))) + " END";
};</script>
"""


def pixels(path):
    """Rows of an 8-bit RGB or RGBA PNG as bytes, and the bytes of a pixel."""
    with open(path, "rb") as file:
        data = file.read()
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert depth == 8 and kind in (2, 6), (depth, kind)
    size = 3 if kind == 2 else 4
    at, packed = 8, b""
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at:at + 8])
        packed += data[at + 8:at + 8 + length] if name == b"IDAT" else b""
        at += length + 12
    raw, rows, above = zlib.decompress(packed), [], bytes(width * size)
    for y in range(height):
        line = bytearray(raw[y * (width * size + 1):(y + 1) * (width * size + 1)])
        how, line = line[0], line[1:]
        for i in range(len(line) if how else 0):
            left = line[i - size] if i >= size else 0
            corner = above[i - size] if i >= size else 0
            guess = left + above[i] - corner
            paeth = min((left, above[i], corner), key=lambda v: (abs(guess - v)))
            line[i] = (line[i] + (0, left, above[i], (left + above[i]) // 2, paeth)[how]) & 255
        above = bytes(line)
        rows.append(above)
    return rows, size


class BrowserTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="browser", dir="/tmp")
        database = os.path.join(cls.folder, "boot.sqlite")
        cls.page = os.path.join(cls.folder, "report.html")
        subprocess.run([BOOT_DB, database, "emulated"], check=True)
        subprocess.run([ANALYZER, "--db", database, "report", "--html", cls.page], check=True)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def browse(self, *options, page=None):
        """Chromium's standard output; fails if the page made it complain."""
        done = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                               "--no-first-run", "--disable-dev-shm-usage", "--enable-logging=stderr",
                               "--user-data-dir=" + os.path.join(self.folder, "profile"), *options,
                               "file://" + (page or self.page)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=120, env=dict(os.environ, HOME=self.folder))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([line for line in done.stderr.split("\n") if "CONSOLE" in line], [])
        return done.stdout

    def measure(self, frame, words):
        """What a page with our page in a frame has measured there: the match of @words in its text."""
        path = os.path.join(self.folder, "frame.html")
        with open(path, "w", encoding="ascii") as file:
            file.write(frame)
        said = self.browse("--disable-web-security", "--allow-file-access-from-files", "--virtual-time-budget=5000",
                           "--dump-dom", page=path)
        found = re.search(words + r" END</pre>", said)
        self.assertTrue(found, said[-500:])
        return found

    def shoot(self, name, width, *options):
        path = os.path.join(OUTPUTS, name + ".png")
        self.browse(f"--window-size={width},600", "--screenshot=" + path, *options)
        rows, size = pixels(path)
        self.assertEqual((len(rows), len(rows[0])), (600, width * size))
        colors = {rows[y][x:x + 3] for y in range(0, 600, 4) for x in range(0, width * size, 4 * size)}
        self.assertGreater(len(colors), 30, "an empty picture")
        return rows[2][:3]

    def test_light_and_dark(self):
        light = self.shoot("light", 1200, "--blink-settings=preferredColorScheme=1")
        dark = self.shoot("dark", 1200, "--blink-settings=preferredColorScheme=0")
        self.assertGreater(min(light), 200)
        self.assertLess(max(dark), 60)

    def test_phone(self):
        self.shoot("phone", 500)

    def test_nothing_is_too_wide(self):
        for width in (320, 390, 768, 1200):
            found = self.measure(FRAME % width, r"WIDE=(.*) SCROLL=(-?\d+) SECTIONS=(\d+)")
            self.assertEqual(found.group(1, 2), ("", "0"), f"at {width} px")
            self.assertGreater(int(found.group(3)), 8)

    def test_long_names(self):
        """A name as long as a VM's may be is broken into lines, and the bars are next to it on a phone."""
        path = os.path.join(self.folder, "named.sqlite")
        subprocess.run([BOOT_DB, path, "emulated", "noraw"], check=True)
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.execute("INSERT INTO vm_identity (vm, name, name_source) SELECT id, ?, 'qemu' FROM vm", ("web-" * 30,))
            db.commit()
        subprocess.run([ANALYZER, "--db", path, "report", "--html", os.path.join(self.folder, "named.html")], check=True)
        found = self.measure(NAMED_FRAME, r"NAMES=(\d+) WIDEST=(\d+)")
        self.assertGreater(int(found.group(1)), 0)
        self.assertLess(int(found.group(2)), 240)

    def test_paper_has_room(self):
        """With the style of paper: whole labels, and nothing to click."""
        path = os.path.join(self.folder, "paper.html")
        with open(self.page, encoding="utf-8") as file:
            page = file.read()
        self.assertIn("@media print", page)
        with open(path, "w", encoding="utf-8") as file:
            file.write(page.replace("@media print", "@media all"))
        found = self.measure(PAPER_FRAME % A4_PX, r"CUT=(.*) TOUCHING=(.*) IDLE=(\d+)")
        self.assertEqual(found.groups(), ("", "", "0"))

    def test_print(self):
        path = os.path.join(OUTPUTS, "report.pdf")
        self.browse("--no-pdf-header-footer", "--print-to-pdf=" + path)
        with open(path, "rb") as file:
            pdf = file.read()
        self.assertTrue(pdf.startswith(b"%PDF"))
        self.assertGreater(len(re.findall(rb"/Type\s*/Page\b", pdf)), 3)


if __name__ == "__main__":
    if not shutil.which("chromium"):
        sys.exit("browser_test: no chromium here (apt-get install chromium)")
    unittest.main(argv=sys.argv[:1], verbosity=2)
