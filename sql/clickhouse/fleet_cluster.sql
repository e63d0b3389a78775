-- Database exitscope_fleet of a server of cluster {cluster} (remote_servers of its configuration):
-- each view has the rows of all servers. A run is on one of them as a whole, so each server finishes
-- its part of a view by itself.
CREATE DATABASE IF NOT EXISTS exitscope_fleet;

-- How many servers there are, and one row for each that answers.
DROP TABLE IF EXISTS exitscope_fleet.expected;
CREATE VIEW exitscope_fleet.expected AS
SELECT uniqExact(shard_num) AS servers FROM system.clusters WHERE cluster = '{cluster}';
DROP TABLE IF EXISTS exitscope_fleet.present;
CREATE TABLE exitscope_fleet.present AS exitscope.present
ENGINE = Distributed('{cluster}', exitscope, present);

DROP TABLE IF EXISTS exitscope_fleet.runs;
CREATE TABLE exitscope_fleet.runs AS exitscope.runs
ENGINE = Distributed('{cluster}', exitscope, runs);
DROP TABLE IF EXISTS exitscope_fleet.vms;
CREATE TABLE exitscope_fleet.vms AS exitscope.vms
ENGINE = Distributed('{cluster}', exitscope, vms);
DROP TABLE IF EXISTS exitscope_fleet.coverage;
CREATE TABLE exitscope_fleet.coverage AS exitscope.coverage
ENGINE = Distributed('{cluster}', exitscope, coverage);
DROP TABLE IF EXISTS exitscope_fleet.losses;
CREATE TABLE exitscope_fleet.losses AS exitscope.losses
ENGINE = Distributed('{cluster}', exitscope, losses);
DROP TABLE IF EXISTS exitscope_fleet.crosschecks;
CREATE TABLE exitscope_fleet.crosschecks AS exitscope.crosschecks
ENGINE = Distributed('{cluster}', exitscope, crosschecks);
DROP TABLE IF EXISTS exitscope_fleet.states;
CREATE TABLE exitscope_fleet.states AS exitscope.states
ENGINE = Distributed('{cluster}', exitscope, states);
DROP TABLE IF EXISTS exitscope_fleet.rollups;
CREATE TABLE exitscope_fleet.rollups AS exitscope.rollups
ENGINE = Distributed('{cluster}', exitscope, rollups);
DROP TABLE IF EXISTS exitscope_fleet.top_exits;
CREATE TABLE exitscope_fleet.top_exits AS exitscope.top_exits
ENGINE = Distributed('{cluster}', exitscope, top_exits);
DROP TABLE IF EXISTS exitscope_fleet.exits_by_vcpu;
CREATE TABLE exitscope_fleet.exits_by_vcpu AS exitscope.exits_by_vcpu
ENGINE = Distributed('{cluster}', exitscope, exits_by_vcpu);
DROP TABLE IF EXISTS exitscope_fleet.timeline;
CREATE TABLE exitscope_fleet.timeline AS exitscope.timeline
ENGINE = Distributed('{cluster}', exitscope, timeline);
DROP TABLE IF EXISTS exitscope_fleet.histograms;
CREATE TABLE exitscope_fleet.histograms AS exitscope.histograms
ENGINE = Distributed('{cluster}', exitscope, histograms);
DROP TABLE IF EXISTS exitscope_fleet.interval_histograms;
CREATE TABLE exitscope_fleet.interval_histograms AS exitscope.interval_histograms
ENGINE = Distributed('{cluster}', exitscope, interval_histograms);
DROP TABLE IF EXISTS exitscope_fleet.latency;
CREATE TABLE exitscope_fleet.latency AS exitscope.latency
ENGINE = Distributed('{cluster}', exitscope, latency);
DROP TABLE IF EXISTS exitscope_fleet.vm_latency;
CREATE TABLE exitscope_fleet.vm_latency AS exitscope.vm_latency
ENGINE = Distributed('{cluster}', exitscope, vm_latency);
DROP TABLE IF EXISTS exitscope_fleet.vm_histograms;
CREATE TABLE exitscope_fleet.vm_histograms AS exitscope.vm_histograms
ENGINE = Distributed('{cluster}', exitscope, vm_histograms);
DROP TABLE IF EXISTS exitscope_fleet.exits;
CREATE TABLE exitscope_fleet.exits AS exitscope.exits
ENGINE = Distributed('{cluster}', exitscope, exits);
