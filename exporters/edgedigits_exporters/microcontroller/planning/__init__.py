"""From operators to layers with an order of rows and places in memory."""
