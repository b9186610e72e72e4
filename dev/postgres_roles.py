"""Databases and roles: per service one database, one owner for migrations, one role to work, one to audit.

The service's role creates no table and enters no other database; what it may do to a table, the migrations grant. One
other login enters the archive: identity's, which deposits there and reads nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Final

_QUIET: Final = "\\set ON_ERROR_STOP on\nSET client_min_messages = warning;\n"
_WITHOUT_PRIVILEGES: Final = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"

DEPOSITOR: Final = "archive_depositor"
"""identity's login in the archive's database."""
_GUESTS: Final[Mapping[str, tuple[str, ...]]] = {"archive": (DEPOSITOR,)}


def owner(database: str) -> str:
    """The role that migrations use."""
    return f"{database}_owner"


def auditor(database: str) -> str:
    """The role that reads for log search, span export and verification."""
    return f"{database}_auditor"


def entrants(database: str) -> tuple[str, ...]:
    """Who may enter a database besides its owner: the service, the auditor, guests."""
    return database, auditor(database), *_GUESTS.get(database, ())


def roles(database: str) -> tuple[str, ...]:
    """All roles of a database: its owner and who else may enter it."""
    return owner(database), *entrants(database)


def statements(databases: Sequence[str], passwords: Mapping[str, str]) -> str:
    """The psql script that makes databases and roles as they should be; running it again changes nothing.

    Args:
        databases: one per service.
        passwords: role -> password, free of quotes.

    """
    script = [_QUIET]
    script += [f"REVOKE ALL ON DATABASE {shared} FROM PUBLIC;" for shared in ("postgres", "template1")]
    for database in databases:
        admitted = ", ".join(entrants(database))
        for role in roles(database):
            script += [
                _unless_there(f"CREATE ROLE {role}", "pg_roles", "rolname", role),
                f"ALTER ROLE {role} {_WITHOUT_PRIVILEGES} PASSWORD '{passwords[role]}';",
            ]
        script += [
            _unless_there(f"CREATE DATABASE {database} OWNER {owner(database)}", "pg_database", "datname", database),
            f"REVOKE ALL ON DATABASE {database} FROM PUBLIC;",
            f"GRANT CONNECT ON DATABASE {database} TO {admitted};",
            f"\\connect {database}",
            f"ALTER SCHEMA public OWNER TO {owner(database)};",
            "REVOKE ALL ON SCHEMA public FROM PUBLIC;",
            f"GRANT USAGE ON SCHEMA public TO {admitted};",
        ]
    return "\n".join(script) + "\n"


def _unless_there(statement: str, catalogue: str, column: str, name: str) -> str:
    """PostgreSQL has no CREATE ROLE IF NOT EXISTS, nor one for databases."""
    return f"SELECT '{statement}' WHERE NOT EXISTS (SELECT FROM {catalogue} WHERE {column} = '{name}') \\gexec"
