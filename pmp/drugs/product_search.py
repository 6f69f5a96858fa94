"""Finding a product while its NDC or name is typed, and an NDC that lost its zeros.

Each query reads a range of an index: `product_ndc`, `product_name_lower`,
`product_ingredient_lower`.
"""

import re
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

from peewee import fn

from models import Product

MOST = 10
SHORTEST = 2
# The last of all keys that begin alike, in whatever order a database sorts: letters
# come after digits and punctuation in each of them, and z is the last.
LAST = "z" * 40

_NDC_SIGNS = re.compile(r"[\d-]+", re.ASCII)
_SHORT_NDC = re.compile(r"\d{7,10}", re.ASCII)


def find(text: str, *, limit: int = MOST) -> list[Product]:
    """Give products whose NDC, or name or ingredient, begins with the text.

    Of several words the first begins the name and the others are in it.  Controlled
    drugs come first, then by name.  Nothing for fewer than two characters.
    """
    wanted = " ".join(text.split())[:80]
    if len(wanted) < SHORTEST:
        return []
    if _NDC_SIGNS.fullmatch(wanted):
        return _by_ndc(wanted, limit)
    first, *others = wanted.lower().split()
    found: dict[int, Product] = {}
    for column in (Product.name, Product.ingredient):
        for product in _by_word(column, first, others, limit):
            found.setdefault(product.id, product)
    order = sorted(found.values(), key=lambda each: (not each.schedule, each.name))
    return order[:limit]


def named(ndc: str) -> Product | None:
    """Give the product of an 11-digit NDC."""
    product: Product | None = Product.get_or_none(Product.ndc == ndc)
    return product


def whole_ndcs(short: Iterable[str]) -> dict[str, list[str]]:
    """Give, for each number of 7 to 10 digits, the NDCs of the table that it can be.

    A spreadsheet takes leading zeros off, and ten digits can be three products
    (4-4-2, 5-3-2, 5-4-1).
    """
    candidates = {
        digits: _candidates(digits)
        for digits in set(short)
        if _SHORT_NDC.fullmatch(digits)
    }
    known = _known({ndc for each in candidates.values() for ndc in each})
    return {
        digits: sorted(ndc for ndc in each if ndc in known)
        for digits, each in candidates.items()
    }


def _by_ndc(typed: str, limit: int) -> list[Product]:
    ranges = (Product.ndc.between(key, key + LAST) for key in _beginnings(typed))
    query = (
        Product.select().where(reduce(or_, ranges)).order_by(Product.ndc).limit(limit)
    )
    return list(query)


def _beginnings(typed: str) -> list[str]:
    """Give what the 11 digits may begin with: 4-4, 5-3 and 5-4 are told by hyphens."""
    labeler, *rest = typed.split("-")
    if not rest:
        return [typed]
    product, package = rest[0], "".join(rest[1:])
    products = {product.zfill(4)} if package else {product}
    if len(product) == 3:
        products.add(product.zfill(4))
    return sorted(f"{labeler.zfill(5)}{each}{package}" for each in products)


def _by_word(column: Any, first: str, others: list[str], limit: int) -> list[Product]:
    key = fn.LOWER(column)
    query = Product.select().where(key.between(first, first + LAST))
    for word in (first, *others):
        query = query.where(fn.LOWER(Product.name).contains(word) | key.contains(word))
    controlled_first = Product.schedule == ""
    return list(query.order_by(controlled_first, Product.name).limit(limit))


def _candidates(digits: str) -> set[str]:
    ten = digits.zfill(10)
    return {
        digits.zfill(11),
        f"0{ten}",
        f"{ten[:5]}0{ten[5:]}",
        f"{ten[:9]}0{ten[9:]}",
    }


def _known(ndcs: set[str]) -> set[str]:
    found: set[str] = set()
    wanted = sorted(ndcs)
    for start in range(0, len(wanted), 500):
        batch = wanted[start : start + 500]
        query: Any = Product.select(Product.ndc).where(Product.ndc.in_(batch)).tuples()
        found |= {ndc for (ndc,) in query}
    return found
