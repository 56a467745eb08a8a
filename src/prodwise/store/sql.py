"""The whole store behind one handle."""

from __future__ import annotations

from contextlib import AbstractContextManager

from prodwise.store.engine import Database
from prodwise.store.ledger import SqlLedger
from prodwise.store.migrate import migrate
from prodwise.store.outside import SqlOutside
from prodwise.store.people import SqlApprovals, SqlLogins, SqlSettings
from prodwise.store.stories import SqlChanges, SqlIncidents, SqlReleases, SqlRollouts


class SqlStore:
    """Implements ports.Records. Raises StoreError when the database cannot be used."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        migrate(self.database)
        self.ledger = SqlLedger(self.database)
        self.incidents = SqlIncidents(self.database)
        self.releases = SqlReleases(self.database)
        self.rollouts = SqlRollouts(self.database)
        self.changes = SqlChanges(self.database)
        self.settings = SqlSettings(self.database)
        self.approvals = SqlApprovals(self.database)
        self.logins = SqlLogins(self.database)
        self.outside = SqlOutside(self.database)

    def unit(self) -> AbstractContextManager[object]:
        return self.database.unit()

    def close(self) -> None:
        self.database.close()
