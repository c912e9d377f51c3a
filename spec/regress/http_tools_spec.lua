-- The HTTP servers under the tools that others load theirs with: wrk, ab and
-- h2load. Each sends so many requests: every one is answered, as it should be.
local certs = require "spec.support.certs"
local helper = require "spec.helper"
local http = require "spec.support.http"
local quoll = require "quoll"

local slow = helper.injected or helper.collecting or helper.sanitized
local MANY = slow and 200 or 1000
local LARGE = helper.injected and 20000 or 1048576

-- What the program has printed once it has ended well.
local function run(...)
    local out, err, ok = quoll.process.run({ "env", "-u", "LD_PRELOAD", ... },
        { timeout = helper.seconds(30) })
    assert.truthy(ok, tostring(err) .. tostring(out))
    return out
end

-- The number that the pattern finds.
local function number(pattern, text)
    return tonumber(text:match(pattern)) or text
end

-- A server for the tools: count is what it has answered.
local large = ("a line\n"):rep(LARGE / 7)
local function handler(count)
    return function(req)
        count.n = count.n + 1
        if req.path == "/none" then
            return 404, "none\n"
        elseif req.path == "/large" then
            return 200, large
        elseif req.path == "/parts" then
            local left = 3
            return 200, function()
                left = left - 1
                return left >= 0 and "part\n" or nil
            end
        elseif req.method == "POST" then
            return 200, tostring(#assert(req:body()))
        end
        return "hello\n"
    end
end

-- A body for `it`: fn(url, count) beside the server.
local function served(fn, opts)
    return function()
        local count = { n = 0 }
        http.run(handler(count), opts, function(_, address)
            local scheme = opts and opts.tls and "https" or "http"
            fn(scheme .. "://" .. address, count)
        end)
    end
end

-- fn(path) with a file of so many bytes.
local function with_file(size, fn)
    local path = os.tmpname()
    local file = assert(io.open(path, "wb"))
    file:write(("x"):rep(size))
    file:close()
    fn(path)
    os.remove(path)
end

describe("ab", function()
    helper.gates()

    -- Of n requests: all complete, of one length, 2xx.
    local function ab(n, ...)
        local out = run("ab", "-q", "-n", n, "-c", 8, "-s", 60, ...)
        assert.equal(n, number("Complete requests: +(%d+)", out))
        assert.equal(0, number("Failed requests: +(%d+)", out))
        return out
    end

    it("closes after each answer", served(function(url, count)
        local out = ab(MANY, url .. "/")
        assert.is_nil(out:find "Non%-2xx")
        assert.is_nil(out:find "Keep%-Alive requests")
        assert.equal(6 * MANY, number("HTML transferred: +(%d+)", out))
        assert.truthy(count.n >= MANY)
    end))

    it("keeps HTTP/1.0 connections alive", served(function(url)
        local out = ab(MANY, "-k", url .. "/")
        assert.is_nil(out:find "Non%-2xx")
        assert.equal(MANY, number("Keep%-Alive requests: +(%d+)", out))
    end))

    it("asks for heads, and for what is not there", served(function(url)
        local out = ab(MANY, "-k", "-i", url .. "/")
        assert.equal(MANY, number("Keep%-Alive requests: +(%d+)", out))
        assert.equal(0, number("HTML transferred: +(%d+)", out))
        out = ab(MANY, "-k", url .. "/none")
        assert.equal(MANY, number("Non%-2xx responses: +(%d+)", out))
    end))

    it("posts, and gets, large bodies", served(function(url)
        with_file(LARGE / 2, function(path)
            local out = ab(16, "-k", "-p", path, url .. "/")
            assert.is_nil(out:find "Non%-2xx")
        end)
        local out = ab(16, "-k", url .. "/large")
        assert.equal(#large * 16, number("HTML transferred: +(%d+)", out))
        -- What has no length ends with the connection.
        out = ab(16, "-k", url .. "/parts")
        assert.equal(15 * 16, number("HTML transferred: +(%d+)", out))
        assert.equal(0, number("Keep%-Alive requests: +(%d+)", out))
    end))
end)

describe("h2load", function()
    helper.gates()

    -- Of n requests: all are answered, with this status ("2xx"); the bytes of
    -- their bodies.
    local function h2load(n, status, ...)
        local out = run("h2load", "-n", n, ...)
        assert.equal(n, number("total, %d+ started, (%d+) done", out))
        assert.truthy(out:find("0 errored, 0 timeout", 1, true), out)
        for count, class in out:match "status codes: ([^\n]+)"
            :gmatch "(%d+) (%dxx)"
        do
            -- h2load counts a status line for each piece in which it comes.
            local least = class == status and n or 0
            assert.truthy(tonumber(count) >= least)
            assert.equal(class == status, tonumber(count) > 0)
        end
        return number("%((%d+)%) data", out)
    end

    it("speaks HTTP/1.1, pipelined and not", served(function(url, count)
        assert.equal(6 * MANY, h2load(MANY, "2xx", "--h1", "-c", 8, url .. "/"))
        assert.equal(6 * MANY,
            h2load(MANY, "2xx", "--h1", "-c", 4, "-m", 25, url .. "/"))
        assert.equal(2 * MANY, count.n)
        h2load(MANY, "4xx", "--h1", "-c", 4, "-m", 7, url .. "/none")
        h2load(MANY, "2xx", "--h1", "-c", 4, url .. "/parts")
    end))

    it("sends and takes large bodies over HTTP/1.1", served(function(url)
        assert.equal(#large * 16,
            h2load(16, "2xx", "--h1", "-c", 4, "-m", 2, url .. "/large"))
        with_file(LARGE / 2, function(path)
            h2load(16, "2xx", "--h1", "-c", 4, "-d", path, url .. "/")
        end)
    end))

    it("speaks HTTP/2", served(function(url, count)
        assert.equal(6 * MANY, h2load(MANY, "2xx", "-c", 4, "-m", 50,
            url .. "/"))
        assert.equal(MANY, count.n)
        h2load(MANY, "4xx", "-c", 4, "-m", 7, url .. "/none")
        assert.equal(15 * MANY,
            h2load(MANY, "2xx", "-c", 1, "-m", 100, url .. "/parts"))
    end))

    it("sends and takes large bodies over HTTP/2", served(function(url)
        assert.equal(#large * 16, h2load(16, "2xx", "-c", 2, "-m", 4, "-w", 16,
            "-W", 17, url .. "/large"))
        with_file(LARGE / 2, function(path)
            h2load(16, "2xx", "-c", 2, "-m", 4, "-d", path, url .. "/")
        end)
    end))

    it("speaks both over TLS", function()
        local cert = certs.issue "server"
        served(function(url)
            h2load(MANY / 2, "2xx", "-c", 4, "-m", 10, url .. "/")
            h2load(MANY / 2, "2xx", "--h1", "-c", 4, "-m", 10, url .. "/")
        end, { tls = { cert = cert.cert, key = cert.key } })()
    end)
end)

describe("wrk", function()
    helper.gates()

    -- Each thread ends with its n-th answer.
    local SCRIPT = [[
local n, depth, close = %d, %d, %s
local threads = {}
function setup(thread) threads[#threads + 1] = thread end
function init()
    wrk.headers["Connection"] = close and "close" or nil
    text = wrk.format():rep(depth)
    answered, failed = 0, 0
end
function request() return text end
function response(status)
    answered = answered + 1
    failed = failed + (status == 200 and 0 or 1)
    if answered == n then wrk.thread:stop() end
end
function done(summary)
    local answered, failed = 0, 0
    for _, thread in ipairs(threads) do
        answered = answered + thread:get "answered"
        failed = failed + thread:get "failed"
    end
    for _, count in pairs(summary.errors) do failed = failed + count end
    print(("answered %%d, failed %%d"):format(answered, failed))
end]]

    -- wrk runs for whole seconds: for more where they are not enough.
    local function wrk(url, n, depth, close)
        local path = os.tmpname()
        local file = assert(io.open(path, "w"))
        file:write(SCRIPT:format(n / 2, depth, tostring(close)))
        file:close()
        local seconds, answered, failed = 1
        repeat
            local out = run("wrk", "-t", 2, "-c", 8, "-d", seconds .. "s",
                "--timeout", "60s", "-s", path, url)
            answered, failed = out:match "answered (%d+), failed (%d+)"
            assert.equal("0", failed, out)
            seconds = seconds * 2
        until tonumber(answered) >= n
        os.remove(path)
    end

    it("keeps connections, or not", served(function(url)
        wrk(url .. "/", MANY, 1, false)
        wrk(url .. "/", MANY, 1, true)
    end))

    it("pipelines", served(function(url)
        wrk(url .. "/", MANY * 2, 16, false)
    end))
end)
