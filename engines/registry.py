"""The engines that there are, in the order in which they are asked."""

from __future__ import annotations

from engines.contract import Engine
from engines.deals.engine import DealsEngine
from engines.engagement.engine import EngagementEngine
from engines.orders.engine import OrdersEngine
from engines.quotes.engine import QuotesEngine
from engines.requests.engine import RequestsEngine

ENGINES: tuple[Engine, ...] = (RequestsEngine(), OrdersEngine(), QuotesEngine(), DealsEngine(), EngagementEngine())
