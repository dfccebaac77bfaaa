"""The yardstick's driver: the tables of programs and cases, targets, single runs, and the report. See bench/README.md."""
