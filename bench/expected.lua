-- What `make bench-check` holds the ratios to: benchmark, figure, the ratio
-- that was measured, and by what part of it more is a regression.
return {
    { "http_hello", "hello", 1.05, 0.10 },
    { "http_hello", "pipelined", 1.35, 0.15 },
    { "http_work", "json", 1.00, 0.15 },
    { "http_work", "router", 1.00, 0.15 },
    { "http_static", "static 4k", 1.00, 0.15 },
    { "http_static", "static 64k", 1.00, 0.15 },
    { "http_static", "static 1m", 1.00, 0.15 },
    { "http_websocket", "websocket", 1.00, 0.15 },
    { "echo", "echo", 1.10, 0.08 },
}
