"""Make or upgrade shop.db. Safe to run again."""

from teashop import catalogue, db


def main() -> None:
    with db.connect() as connection:
        db.migrate(connection)
        catalogue.stock_up(connection)
    print(f"shop.db is at schema {db.SCHEMA}")


if __name__ == "__main__":
    main()
