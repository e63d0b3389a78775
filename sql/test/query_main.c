// SPDX-License-Identifier: GPL-2.0-only
/* query FILE SQL: prints the number that a query of one row and column gives */
#include "sql/test/check.h"

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	printf("%lld\n", (long long)query(argv[1], argv[2]));
	return check_result();
}
