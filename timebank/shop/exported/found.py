"""The goods that the panel's search field finds."""

from timebank.core.capability import Hit
from timebank.core.scope import Scope
from timebank.shop.goods import list_goods


async def goods_found(scope: Scope, words: str, most: int) -> list[Hit]:
    """Goods by a part of their name, also those no longer offered."""
    if not scope.reads_all:
        return []
    found = await list_goods(scope, with_ended=True, search=words, limit=most + 1)
    return [Hit(good.name, f"/admin/goods/{good.id}", good.unit) for good in found.items]
