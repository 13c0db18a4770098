/* SPDX-License-Identifier: GPL-2.0 */
/* The subcommands of faultline: one file and one row in main.c's table each. */
#ifndef FAULTLINE_COMMANDS_H
#define FAULTLINE_COMMANDS_H

/* Each takes its own argc and argv, and returns an enum fl_status. */
int fl_cmd_check(int argc, char **argv);
int fl_cmd_stat(int argc, char **argv);
int fl_cmd_record(int argc, char **argv);
int fl_cmd_report(int argc, char **argv);
int fl_cmd_export(int argc, char **argv);
int fl_cmd_diff(int argc, char **argv);
int fl_cmd_top(int argc, char **argv);
int fl_cmd_trace(int argc, char **argv);

extern const char fl_check_help[];
extern const char fl_stat_help[];
extern const char fl_record_help[];
extern const char fl_report_help[];
extern const char fl_diff_help[];
extern const char fl_top_help[];
extern const char fl_trace_help[];

#endif /* FAULTLINE_COMMANDS_H */
