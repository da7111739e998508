"""From operators to layers with an order and a place in memory."""
