"""The engines that there are, in the order in which they are asked."""

from __future__ import annotations

from engines.compliance.engine import ComplianceEngine
from engines.contract import Engine
from engines.deals.engine import DealsEngine
from engines.engagement.engine import EngagementEngine
from engines.feedback.engine import FeedbackEngine
from engines.orders.engine import OrdersEngine
from engines.quotes.engine import QuotesEngine
from engines.requests.engine import RequestsEngine

ENGINES: tuple[Engine, ...] = (
    # what an answer to a question of ours says is known before anybody asks what else its mail calls for
    FeedbackEngine(), RequestsEngine(), OrdersEngine(), QuotesEngine(), DealsEngine(), ComplianceEngine(),
    EngagementEngine(),
)  # fmt: skip
