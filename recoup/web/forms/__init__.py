"""Plain forms: what people type, checked and worded."""
