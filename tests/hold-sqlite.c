// SPDX-License-Identifier: GPL-2.0
/*
 * hold-sqlite: locks a SQLite file, as a program in the middle of a transaction does,
 * until it is killed. usage: hold-sqlite FILE READY; READY is made once it is locked.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sqlite3.h>

int main(int argc, char **argv)
{
	sqlite3 *db;

	if (argc != 3 || sqlite3_open(argv[1], &db) != SQLITE_OK ||
	    sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL) != SQLITE_OK)
		return EXIT_FAILURE;
	close(open(argv[2], O_WRONLY | O_CREAT, 0600));
	while (1)
		pause();
}
