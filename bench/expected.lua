-- What `make bench-check` holds the ratios to: benchmark, figure, the ratio
-- that was measured (of a figure without a peer, the figure), and by what part
-- of it more is a regression.
return {
    { "http_hello", "hello", 1.13, 0.10 },
    { "http_hello", "pipelined", 1.40, 0.12 },
    { "http_hello", "constant", 1.14, 0.10 },
    { "http_hello", "constant pipelined", 1.35, 0.12 },
    { "http_work", "json", 1.39, 0.12 },
    { "http_work", "router", 0.93, 0.15 },
    { "http_static", "static 4k", 1.10, 0.12 },
    { "http_static", "static 64k", 1.23, 0.12 },
    { "http_static", "static 1m", 1.13, 0.12 },
    { "http_websocket", "websocket", 0.62, 0.15 },
    { "echo", "echo", 1.10, 0.08 },
    { "task", "task spawn", 2.27, 0.3 },
    { "task", "task semaphore", 4.3, 0.4 },
    { "task", "task channel", 7.0, 0.4 },
    { "task", "task unbuffered", 7.7, 0.4 },
    { "task", "task bytes", 1121, 0.1 },
    { "task", "task cancel", 1.0, 0.8 },
    { "file_cached", "cached pread", 2.40, 0.40 },
    { "file_random", "direct read", 1.04, 0.25 },
    { "stall", "ticker", 0.60, 2.00 },
}
