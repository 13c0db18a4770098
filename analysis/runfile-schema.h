/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tables of a run file, as docs/RUNFILE.md describes them. For what writes and
 * reads them: runfile-write.c and runfile-read.c.
 */
#ifndef FAULTLINE_RUNFILE_SCHEMA_H
#define FAULTLINE_RUNFILE_SCHEMA_H

/* Not in files that were written before there was such a thing. */
#define FL_RUNFILE_AREAS						\
	"CREATE TABLE IF NOT EXISTS areas (run INTEGER, interval INTEGER,"\
	"	pid INTEGER, first INTEGER, last INTEGER, name TEXT,"	\
	"	touches INTEGER, minor INTEGER, major INTEGER,"		\
	"	total_ns INTEGER,"					\
	"	PRIMARY KEY (run, interval, pid, first, last)) WITHOUT ROWID;"

#define FL_RUNFILE_SCHEMA						\
	FL_RUNFILE_AREAS						\
	"CREATE TABLE runs (run INTEGER PRIMARY KEY, started TEXT);"	\
	"CREATE TABLE labels (run INTEGER, name TEXT, value TEXT,"	\
	"	PRIMARY KEY (run, name)) WITHOUT ROWID;"		\
	"CREATE TABLE intervals (run INTEGER, interval INTEGER,"	\
	"	start_ns INTEGER, duration_ns INTEGER, policy TEXT,"	\
	"	lost_events INTEGER, lost_episodes INTEGER,"		\
	"	PRIMARY KEY (run, interval)) WITHOUT ROWID;"		\
	"CREATE TABLE vms (run INTEGER, interval INTEGER, vm INTEGER,"	\
	"	pid INTEGER, name TEXT,"				\
	"	PRIMARY KEY (run, interval, vm)) WITHOUT ROWID;"	\
	"CREATE TABLE vcpus (run INTEGER, interval INTEGER, vcpu INTEGER,"\
	"	vm INTEGER, id INTEGER, tid INTEGER, vendor TEXT,"	\
	"	seen_ns INTEGER,"					\
	"	PRIMARY KEY (run, interval, vcpu)) WITHOUT ROWID;"	\
	"CREATE TABLE figures (figure INTEGER PRIMARY KEY, name TEXT UNIQUE);"\
	"CREATE TABLE counts (run INTEGER, interval INTEGER, vcpu INTEGER,"\
	"	figure INTEGER, value INTEGER,"				\
	"	PRIMARY KEY (run, interval, vcpu, figure)) WITHOUT ROWID;"\
	"CREATE TABLE episodes (episode INTEGER PRIMARY KEY, run INTEGER,"\
	"	interval INTEGER, pid INTEGER, tid INTEGER, id INTEGER,"\
	"	start_ns INTEGER, end_ns INTEGER, gva INTEGER, root INTEGER,"\
	"	error_code INTEGER, exits INTEGER, outcome TEXT, steps TEXT);"\
	"CREATE INDEX episodes_of_run ON episodes (run);"		\
	"CREATE VIEW totals AS SELECT run, interval, name,"		\
	"	CASE WHEN name GLOB '*.max_ns' OR name = 'window_ns'"	\
	"		THEN max(value) ELSE sum(value) END AS value"	\
	"	FROM counts JOIN figures USING (figure)"		\
	"	GROUP BY run, interval, name;"

#endif /* FAULTLINE_RUNFILE_SCHEMA_H */
