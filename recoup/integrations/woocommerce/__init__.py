"""WooCommerce: webhooks with their signature, the REST API behind them, and its words mapped to ours."""
