// SPDX-License-Identifier: GPL-2.0-only
/*
 * exit_reason_test.c - the two tables of defined exit reasons agree: that of the
 * CPUID leaves (kvm/ring/exit_reason.h) and that of the database
 */
#include <sqlite3.h>
#include <stdio.h>

#include "kvm/ring/exit_reason.h"

/* Whether the database calls a reason defined. */
static int defined(sqlite3_stmt *stmt, unsigned int isa, unsigned int number)
{
	int is;

	sqlite3_reset(stmt);
	sqlite3_bind_int(stmt, 1, (int)isa);
	sqlite3_bind_int64(stmt, 2, number);
	is = sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int(stmt, 0);
	return is;
}

int main(int argc, char **argv)
{
	sqlite3_stmt *stmt;
	int different = 0;
	sqlite3 *db;

	if (argc != 2 || sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READONLY, NULL) ||
	    sqlite3_prepare_v2(db, "SELECT sdm_defined FROM reasons WHERE isa = ?1 AND number = ?2",
			       -1, &stmt, NULL)) {
		fprintf(stderr, "usage: exit_reason_test DATABASE\n");
		return 1;
	}
	for (unsigned int i = 0; i < 0x10000; i++) {
		if (!kvm_exit_defined_vmx(i) != !defined(stmt, KVM_EXIT_ISA_VMX, i)) {
			printf("VMX %u: the two tables differ\n", i);
			different++;
		}
		if (!kvm_exit_defined_svm(i) != !defined(stmt, KVM_EXIT_ISA_SVM, i)) {
			printf("SVM 0x%x: the two tables differ\n", i);
			different++;
		}
	}
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return different ? 1 : 0;
}
