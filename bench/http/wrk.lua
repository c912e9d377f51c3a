-- What wrk asks for: KIND [DEPTH]. hello: five lines of head, DEPTH requests
-- in one piece; json: an object that comes back; router: each route in turn,
-- with ten lines of head; path: the URL's.
-- luacheck: globals wrk init request done
local HEADERS = {
    ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko",
    ["Accept"] = "text/html,application/xhtml+xml,*/*;q=0.8",
    ["Connection"] = "keep-alive",
}
local MORE = {
    ["Accept-Language"] = "en-US,en;q=0.5",
    ["Accept-Encoding"] = "gzip, deflate, br",
    ["Cookie"] = "session=6fa459ea-ee8a-3ca4-894e-db77e160355e; theme=dark",
    ["Referer"] = "http://127.0.0.1/news/2026/11",
    ["Cache-Control"] = "no-cache",
    ["X-Request-Id"] = "00-4bf92f3577b34da6a3ce929d0e0e4736-01",
}
local JSON = '{"id":4711,"name":"quoll","tags":["lua","reactor","linux"],'
    .. '"size":{"cm":[35.5,21.25],"g":1300},"nocturnal":true,"seen":null,'
    .. '"note":"a small marsupial, native to Australia and New Guinea"}'

local texts, last = {}, 0

local function add_headers(list)
    for name, value in pairs(list) do
        wrk.headers[name] = value
    end
end

local make = {}

function make.hello(depth)
    texts[1] = wrk.format("GET", "/hello"):rep(depth)
end

function make.json()
    wrk.headers["Content-Type"] = "application/json"
    texts[1] = wrk.format("POST", "/json", wrk.headers, JSON)
end

function make.router()
    add_headers(MORE)
    for i, route in ipairs(dofile "bench/http/routes.lua") do
        texts[i] = wrk.format("GET", route[2])
    end
end

function make.path()
    texts[1] = wrk.format("GET")
end

function init(args)
    add_headers(HEADERS)
    make[args[1]](tonumber(args[2]) or 1)
end

function request()
    last = last % #texts + 1
    return texts[last]
end

function done(summary, latency)
    local errors = 0
    for _, n in pairs(summary.errors) do
        errors = errors + n
    end
    io.write(string.format("requests %d seconds %.6f p50 %.1f p99 %.1f "
        .. "errors %d\n", summary.requests, summary.duration / 1e6,
        latency:percentile(50), latency:percentile(99), errors))
end
