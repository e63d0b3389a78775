#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dashboard_test.py DASHBOARD... - are these files what Grafana documents as a dashboard's JSON?

https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/ has the
fields and what they may be; it is checked here, without a Grafana.
"""
import json
import os
import re
import sys
import unittest

PATHS = [os.path.abspath(path) for path in sys.argv[1:]]
FIELDS = {"uid": str, "title": str, "tags": list, "timezone": str, "editable": bool, "time": dict, "refresh": str,
          "schemaVersion": int, "version": int, "panels": list, "templating": dict, "annotations": dict}
PANEL = {"id": int, "type": str, "title": str, "gridPos": dict, "targets": list, "fieldConfig": dict, "datasource": dict}
VARIABLE_TYPES = {"query", "custom", "textbox", "constant", "datasource", "interval", "adhoc"}
PANEL_TYPES = {"timeseries", "table", "stat", "gauge", "bargauge", "barchart", "heatmap", "text", "row", "piechart"}
# What Grafana itself replaces.
GLOBAL = re.compile(r"__\w+")


class DashboardTest(unittest.TestCase):
    def dashboards(self):
        for path in PATHS:
            with self.subTest(path=os.path.basename(path)):
                with open(path, encoding="utf-8") as file:
                    yield json.load(file)

    def check(self, fields, of):
        for name, kind in fields.items():
            self.assertIs(type(of.get(name)), kind, name)

    def test_fields(self):
        for board in self.dashboards():
            self.check(FIELDS, board)
            self.assertRegex(board["uid"], r"\A[A-Za-z0-9_-]{1,40}\Z")
            self.assertEqual(set(board["time"]), {"from", "to"})
            self.assertIn(board["timezone"], ("browser", "utc", ""))
            for variable in board["templating"]["list"]:
                self.assertIn(variable["type"], VARIABLE_TYPES)
                self.assertTrue(variable["query"])

    def test_panels(self):
        """Each has a place of its own on the grid of 24 columns."""
        for board in self.dashboards():
            taken, ids = set(), [panel["id"] for panel in board["panels"]]
            self.assertEqual(len(set(ids)), len(ids))
            for panel in board["panels"]:
                self.check(PANEL, panel)
                self.assertIn(panel["type"], PANEL_TYPES)
                self.assertEqual(set(panel["fieldConfig"]), {"defaults", "overrides"})
                place = panel["gridPos"]
                self.assertEqual(set(place), {"x", "y", "w", "h"})
                cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                         for y in range(place["y"], place["y"] + place["h"])}
                self.assertTrue(cells and min(cells) >= (0, 0) and max(x for x, _ in cells) < 24)
                self.assertFalse(cells & taken, panel["title"])
                taken |= cells
                refs = [target["refId"] for target in panel["targets"]]
                self.assertTrue(refs)
                self.assertEqual(len(set(refs)), len(refs))

    def test_variables(self):
        """Each variable that a query or a data source names is there, and of the board's own source."""
        for board in self.dashboards():
            known = {variable["name"] for variable in board["templating"]["list"]}
            source = next(v["query"] for v in board["templating"]["list"] if v["type"] == "datasource")
            for panel in board["panels"]:
                self.assertIn(panel["datasource"]["type"], (source, "grafana-" + source))
                for target in panel["targets"]:
                    self.assertEqual(target["datasource"], panel["datasource"])
                    text = target.get("expr") or target["rawSql"]
                    # An ANY INNER JOIN is not the same on all servers (sql/clickhouse/README.md).
                    self.assertNotRegex(text, r"(?<!ANY LEFT) JOIN")
                    for name in re.findall(r"\$\{?(\w+)", text + panel["datasource"]["uid"]):
                        self.assertTrue(name in known or GLOBAL.fullmatch(name), name)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
