// SPDX-License-Identifier: GPL-2.0-only
// duckdb.mjs - statements for DuckDB, a line each; what each takes, a line of JSON each
//
//	node duckdb.mjs FOLDER_OF_NODE_MODULES DATABASE <statements
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [folder, database] = process.argv.slice(2);
const { DuckDBInstance } = createRequire(folder + '/')('@duckdb/node-api');
const instance = await DuckDBInstance.create(database, { threads: '1' });
const connection = await instance.connect();

for await (const sql of createInterface({ input: process.stdin })) {
	const before = process.cpuUsage();
	const result = await connection.runAndReadAll(sql);
	const { user, system } = process.cpuUsage(before);

	// Numbers of more than 53 bits come as text.
	console.log(JSON.stringify({ cpu: (user + system) / 1e6, rows: result.getRowsJson() }));
}
