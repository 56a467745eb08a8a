import sqlite3
import unittest

from teashop import catalogue, db


class Catalogue(unittest.TestCase):
    def setUp(self) -> None:
        self.connection = sqlite3.connect(":memory:")
        self.addCleanup(self.connection.close)
        self.connection.row_factory = sqlite3.Row
        db.migrate(self.connection)
        catalogue.stock_up(self.connection)

    def test_what_is_on_the_shelf(self) -> None:
        self.assertEqual(len(catalogue.everything(self.connection)), len(catalogue.PRODUCTS))
        herbal = catalogue.everything(self.connection, "herbal")
        self.assertEqual([tea.slug for tea in herbal], ["rooibos", "mint"])

    def test_one_tea_and_what_people_said(self) -> None:
        sencha = catalogue.find(self.connection, "sencha")
        self.assertEqual(sencha and sencha.name, "First Sencha")
        self.assertIsNone(catalogue.find(self.connection, "coffee"))
        self.assertEqual([review.stars for review in catalogue.reviews(self.connection, "sencha")], [5, 4])

    def test_ribbons(self) -> None:
        self.assertEqual(catalogue.ribbon("green"), "#6b8e23")
        self.assertEqual(catalogue.ribbon("herbal"), "#cd5c5c")
