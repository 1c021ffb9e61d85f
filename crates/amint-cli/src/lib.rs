//! The command line of amint: arguments, text, tables, progress, exit codes.
