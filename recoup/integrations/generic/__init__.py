"""The signed webhook for any shop: Standard Webhooks 1.0 around orders, carts, payments, refunds and products."""
