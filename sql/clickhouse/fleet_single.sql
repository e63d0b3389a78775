-- Database exitscope_fleet of a server that is alone: its own views. fleet_cluster.sql is for several.
CREATE DATABASE IF NOT EXISTS exitscope_fleet;

-- How many servers there are, and one row for each that answers.
DROP TABLE IF EXISTS exitscope_fleet.expected;
CREATE VIEW exitscope_fleet.expected AS SELECT toUInt64(1) AS servers;
DROP TABLE IF EXISTS exitscope_fleet.present;
CREATE VIEW exitscope_fleet.present AS SELECT * FROM exitscope.present;

DROP TABLE IF EXISTS exitscope_fleet.runs;
CREATE VIEW exitscope_fleet.runs AS SELECT * FROM exitscope.runs;
DROP TABLE IF EXISTS exitscope_fleet.vms;
CREATE VIEW exitscope_fleet.vms AS SELECT * FROM exitscope.vms;
DROP TABLE IF EXISTS exitscope_fleet.coverage;
CREATE VIEW exitscope_fleet.coverage AS SELECT * FROM exitscope.coverage;
DROP TABLE IF EXISTS exitscope_fleet.losses;
CREATE VIEW exitscope_fleet.losses AS SELECT * FROM exitscope.losses;
DROP TABLE IF EXISTS exitscope_fleet.crosschecks;
CREATE VIEW exitscope_fleet.crosschecks AS SELECT * FROM exitscope.crosschecks;
DROP TABLE IF EXISTS exitscope_fleet.states;
CREATE VIEW exitscope_fleet.states AS SELECT * FROM exitscope.states;
DROP TABLE IF EXISTS exitscope_fleet.rollups;
CREATE VIEW exitscope_fleet.rollups AS SELECT * FROM exitscope.rollups;
DROP TABLE IF EXISTS exitscope_fleet.top_exits;
CREATE VIEW exitscope_fleet.top_exits AS SELECT * FROM exitscope.top_exits;
DROP TABLE IF EXISTS exitscope_fleet.exits_by_vcpu;
CREATE VIEW exitscope_fleet.exits_by_vcpu AS SELECT * FROM exitscope.exits_by_vcpu;
DROP TABLE IF EXISTS exitscope_fleet.timeline;
CREATE VIEW exitscope_fleet.timeline AS SELECT * FROM exitscope.timeline;
DROP TABLE IF EXISTS exitscope_fleet.histograms;
CREATE VIEW exitscope_fleet.histograms AS SELECT * FROM exitscope.histograms;
DROP TABLE IF EXISTS exitscope_fleet.interval_histograms;
CREATE VIEW exitscope_fleet.interval_histograms AS SELECT * FROM exitscope.interval_histograms;
DROP TABLE IF EXISTS exitscope_fleet.latency;
CREATE VIEW exitscope_fleet.latency AS SELECT * FROM exitscope.latency;
DROP TABLE IF EXISTS exitscope_fleet.vm_latency;
CREATE VIEW exitscope_fleet.vm_latency AS SELECT * FROM exitscope.vm_latency;
DROP TABLE IF EXISTS exitscope_fleet.vm_histograms;
CREATE VIEW exitscope_fleet.vm_histograms AS SELECT * FROM exitscope.vm_histograms;
DROP TABLE IF EXISTS exitscope_fleet.exits;
CREATE VIEW exitscope_fleet.exits AS SELECT * FROM exitscope.exits;
