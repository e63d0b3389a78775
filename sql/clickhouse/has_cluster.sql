-- 1: the server's configuration (remote_servers) has cluster {cluster}.
SELECT count() > 0 FROM system.clusters WHERE cluster = '{cluster}'
