"""Alembic's entry; everything it does stands in chassis.migrate."""

from chassis.migrate import run_environment

run_environment()
