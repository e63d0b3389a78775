// SPDX-License-Identifier: GPL-2.0-only
/*
 * file_test.c - the file of a run database: foreign ones, other writers, a killed writer, one that
 * is moved or deleted
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sql/store/test/fixture.h"
#include "sql/store/writer.h"

/* Reads a file whole, for comparing; the caller frees it. */
static char *slurp(const char *path, size_t *bytes)
{
	FILE *f = fopen(path, "rb");
	char *data = malloc(1 << 20);

	*bytes = f && data ? fread(data, 1, 1 << 20, f) : 0;
	if (f)
		fclose(f);
	return data;
}

static void refuse(const char *path, int expected)
{
	size_t before_bytes, after_bytes;
	char *before = slurp(path, &before_bytes);
	struct store *store = NULL;
	char *after;

	CHECK_EQ(store_open(path, &store), expected);
	CHECK(!store);
	after = slurp(path, &after_bytes);
	CHECK(before_bytes == after_bytes && before_bytes && !memcmp(before, after, after_bytes));
	free(before);
	free(after);
}

static void test_refused(void)
{
	const char *path = test_path("foreign");
	FILE *f = fopen(path, "w");
	struct store *store;

	fputs("this is a letter and no database, but it is long enough to have a header of "
	      "a hundred bytes and more\n",
	      f);
	fclose(f);
	refuse(path, STORE_FOREIGN);

	path = test_path("foreign.sqlite");
	f = fopen(path, "w");
	fclose(f);
	query(path, "PRAGMA journal_mode = WAL");
	query(path, "CREATE TABLE t (a)");
	refuse(path, STORE_FOREIGN);

	path = test_path("future.sqlite");
	CHECK_EQ(store_open(path, &store), 0);
	store_close(store);
	query(path, "PRAGMA user_version = 1000");
	refuse(path, STORE_FUTURE);

	CHECK_EQ(store_open(test_path("no/such/folder.sqlite"), &store), -ENOENT);
	CHECK_EQ(store_open("/", &store), -EISDIR);
}

static void test_one_writer(void)
{
	const char *path = test_path("busy.sqlite");
	struct store *first;
	struct store *second;

	CHECK_EQ(writer_alive(path), -ENOENT);
	CHECK_EQ(store_open(path, &first), 0);
	CHECK_EQ(writer_alive(path), 1);
	CHECK_EQ(store_open(path, &second), STORE_BUSY);
	store_close(first);
	CHECK_EQ(writer_alive(path), 0);
	CHECK_EQ(store_open(path, &second), 0);
	store_close(second);
}

/* A discarded run leaves the file as it was: missing, or with the runs before. */
static void test_discard(void)
{
	struct store *store = open_run(test_path("discard.sqlite"), 1);
	const struct store_identity names = {.name = "web", .name_source = "qemu", .tid = 7};
	struct synthetic s[2];

	add_vcpu(store, 0);
	CHECK_EQ(store_discard(store), 0);
	store_close(store);
	CHECK(access(test_path("discard.sqlite"), F_OK));
	CHECK(access(test_path("discard.sqlite-wal"), F_OK));

	record_run(test_path("kept.sqlite"), 1, 0, s);
	store = open_run(test_path("kept.sqlite"), 1);
	add_vcpu(store, 0);
	CHECK_EQ(store_identify(store, 0, &names), 0);
	CHECK_EQ(store_flush(store), 0);
	CHECK_EQ(store_discard(store), 0);
	store_close(store);
	CHECK_EQ(query(test_path("kept.sqlite"), "SELECT count(*) FROM run"), 1);
	CHECK_EQ(query(test_path("kept.sqlite"), "SELECT count(*) FROM vcpu"), 2);
	CHECK_EQ(query(test_path("kept.sqlite"), "SELECT count(*) FROM vm_identity"), 0);
	CHECK_EQ(query(test_path("kept.sqlite"), "SELECT count(*) FROM vcpu_thread"), 0);
	CHECK_EQ(query(test_path("kept.sqlite"), "SELECT count(*) FROM exit"), RECORDS);
}

/* A killed writer: all flushes stay, the last transaction does not. */
static void test_killed(void)
{
	const char *path = test_path("killed.sqlite");
	struct synthetic s;
	struct store *store;
	pid_t child = fork();
	int status;
	int i;

	if (!child) {
		store = open_run(path, 1);
		synthetic_init(&s, 0, 9);
		add_vcpu(store, 0);
		for (i = 0; i < 6; i++) {
			synthetic_fill(&s, records, 1000);
			store_append(store, 0, records, 1000);
			if (i < 5)
				store_flush(store);
		}
		raise(SIGKILL);
	}
	waitpid(child, &status, 0);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(query(path, "SELECT count(*) FROM exit"), 5000);
	CHECK_EQ(query(path, "SELECT sum(n) FROM exit_rollup"), 5000);
	CHECK_EQ(query(path, "SELECT recorded FROM vcpu"), 5000);
	CHECK_EQ(query(path, "SELECT state = 'recording' FROM run"), 1);
	CHECK_EQ(store_open(path, &store), 0);
	store_close(store);
	CHECK_EQ(query(path, "SELECT state = 'interrupted' FROM run"), 1);
	CHECK_EQ(query(path, "SELECT tsc_end = (SELECT max(tsc) FROM exit) FROM run"), 1);
}

/* While another program has the file locked, records, sums and losses wait in memory. */
static void test_busy(void)
{
	const char *path = test_path("busy.sqlite");
	struct store *store;
	struct synthetic s;
	sqlite3 *other = NULL;

	unlink(path);
	store = open_run(path, 1);
	add_vcpu(store, 0);
	synthetic_init(&s, 0, 1);
	s.lose_one_in = 50;
	fill(store, &s, 0, 100);
	CHECK_EQ(store_flush(store), 0);

	CHECK_EQ(sqlite3_open(path, &other), 0);
	CHECK_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), 0);
	for (int i = 0; i < 20; i++) {
		time_t before = time(NULL);

		fill(store, &s, 0, 100);
		CHECK_EQ(store_flush(store), 0);
		CHECK(time(NULL) - before < 3);
	}
	CHECK_EQ(query(path, "SELECT count(*) FROM exit"), 100);
	CHECK_EQ(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), 0);
	sqlite3_close(other);

	fill(store, &s, 0, 100);
	CHECK_EQ(store_flush(store), 0);
	CHECK_EQ(query(path, "SELECT count(*) FROM exit"), 2200);
	CHECK_EQ(store_finish(store, "complete", s.tsc, 2), 0);
	store_close(store);

	CHECK_EQ(query(path, "SELECT sum(n) FROM exit_rollup"), 2200);
	CHECK_EQ(query(path, rollup_differs), 0);
	CHECK_EQ(query(path, "SELECT sum(n) FROM loss"), s.lost);
	CHECK_EQ(query(path, "SELECT recorded FROM vcpu"), 2200);
}

/* A file that is moved or deleted while it is written: nothing is lost, and it is said. */
static void test_place(void)
{
	char path[4096], moved[4096];
	struct store *store;
	struct synthetic s;

	snprintf(moved, sizeof(moved), "%s", test_path("moved.sqlite"));
	snprintf(path, sizeof(path), "%s", test_path("place.sqlite"));
	for (int deleted = 0; deleted < 2; deleted++) {
		unlink(path);
		unlink(moved);
		store = open_run(path, 1);
		add_vcpu(store, 0);
		synthetic_init(&s, 0, 1);
		fill(store, &s, 0, 1000);
		CHECK_EQ(store_flush(store), 0);

		CHECK_EQ(deleted ? unlink(path) : rename(path, moved), 0);
		fill(store, &s, 0, 1000);
		CHECK_EQ(store_flush(store), 0);
		CHECK_EQ(store_finish(store, "complete", s.tsc, 2),
			 deleted ? STORE_DELETED : STORE_MOVED);
		CHECK(strstr(store_strerror(store, deleted ? STORE_DELETED : STORE_MOVED),
			     deleted ? path : moved));
		store_close(store);

		CHECK_EQ(query(deleted ? path : moved, "SELECT count(*) FROM exit"), 2000);
		CHECK_EQ(query(deleted ? path : moved, "SELECT sum(n) FROM exit_rollup"), 2000);
		CHECK_EQ(query(deleted ? path : moved,
			       "SELECT count(*) FROM run WHERE state = 'complete'"),
			 1);
		CHECK(deleted || access(path, F_OK));
	}
}

static void remove_with_folder(const char *path, const char *folder)
{
	char side[4200];

	snprintf(side, sizeof(side), "%s-wal", path);
	unlink(side);
	snprintf(side, sizeof(side), "%s-shm", path);
	unlink(side);
	unlink(path);
	CHECK_EQ(rmdir(folder), 0);
}

/* Records into @path, whose @folder is deleted meanwhile; what store_finish() returns. */
static int lose_folder(const char *path, const char *folder, char *words, size_t bytes)
{
	struct store *store = open_run(path, 1);
	struct synthetic s;
	int rc;

	add_vcpu(store, 0);
	synthetic_init(&s, 0, 1);
	fill(store, &s, 0, 1000);
	CHECK_EQ(store_flush(store), 0);

	remove_with_folder(path, folder);
	fill(store, &s, 0, 1000);
	rc = store_finish(store, "complete", s.tsc, 2);
	snprintf(words, bytes, "%s", store_strerror(store, rc));
	store_close(store);
	return rc;
}

/* All is in the file that @words name, which is in @folder. */
static void check_saved(const char *words, const char *folder)
{
	char found[4096];

	CHECK_EQ(sscanf(words, "it was deleted during the recording (all is in %4095[^)]", found),
		 1);
	CHECK(!strncmp(found, folder, strlen(folder)) && strstr(found, "/place.sqlite.saved-"));
	CHECK_EQ(query(found, "SELECT count(*) FROM exit"), 2000);
	CHECK_EQ(query(found, "SELECT count(*) FROM run WHERE state = 'complete'"), 1);
	CHECK_EQ(unlink(found), 0);
}

/* The folder is deleted, too: the copy is in the nearest one above, or in $TMPDIR. */
static void test_folder(void)
{
	char above[4096], folder[4096], path[4096], words[4300], home[4096];

	snprintf(above, sizeof(above), "%s", test_path("above"));
	snprintf(folder, sizeof(folder), "%s", test_path("above/folder"));
	snprintf(path, sizeof(path), "%s", test_path("above/folder/place.sqlite"));
	CHECK_EQ(mkdir(above, 0700), 0);
	CHECK_EQ(mkdir(folder, 0700), 0);
	CHECK_EQ(lose_folder(path, folder, words, sizeof(words)), STORE_DELETED);
	check_saved(words, above);

	/* The working directory is deleted, so that nothing is above it. */
	CHECK(getcwd(home, sizeof(home)));
	setenv("TMPDIR", above, 1);
	CHECK_EQ(mkdir(folder, 0700) || chdir(folder), 0);
	CHECK_EQ(lose_folder("place.sqlite", folder, words, sizeof(words)), STORE_DELETED);
	check_saved(words, above);

	setenv("TMPDIR", folder, 1);
	CHECK_EQ(mkdir(folder, 0700) || chdir(folder), 0);
	CHECK_EQ(lose_folder("place.sqlite", folder, words, sizeof(words)), STORE_GONE);
	CHECK(strstr(words, "no folder takes a copy (set TMPDIR"));

	CHECK_EQ(chdir(home), 0);
	CHECK_EQ(rmdir(above), 0);
}

/* What a 0600 device guards is not for everybody to read. */
static void test_mode(void)
{
	const char *path = test_path("mode.sqlite");
	struct stat st;
	mode_t mask = umask(022);
	struct store *store;

	unlink(path);
	store = open_run(path, 1);
	add_vcpu(store, 0);
	CHECK_EQ(store_flush(store), 0);
	CHECK_EQ(stat(path, &st), 0);
	CHECK_EQ(st.st_mode & 0777, 0600);
	CHECK_EQ(stat(test_path("mode.sqlite-wal"), &st), 0);
	CHECK_EQ(st.st_mode & 0777, 0600);
	store_close(store);
	umask(mask);
}

int main(void)
{
	test_refused();
	test_one_writer();
	test_discard();
	test_killed();
	test_busy();
	test_place();
	test_folder();
	test_mode();
	return check_result();
}
