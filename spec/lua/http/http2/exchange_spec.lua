local helper = require "spec.helper"
local http = require "spec.support.http"
local http2 = require "spec.support.http2"
local quoll = require "quoll"

-- What a client hears of one request's bytes; opts of the server.
local function ask(bytes, handler, opts)
    local heard
    http.run(handler, opts, function(connect)
        local c = http2.client(connect().conn)
        c:say(bytes)
        heard = c:hear(1)
        c.conn:close()
    end)
    return heard
end

local GET = http2.get(1, "/")

describe("lua/http/http2/exchange", function()
    helper.gates()

    it("tells a failed handler's client nothing", function()
        local told = {}
        local opts = { onerror = function(err) told[#told + 1] = err end }
        for _, handler in ipairs {
            function() error({ "secret" }) end,
            function() end,
            function() return 99 end,
            function() return 200, io.stdout end,
            function() return 200, "x", "headers" end,
        } do
            local got = ask(GET, handler, opts)
            assert.equal(500, got.status)
            assert.equal("Internal Server Error\n", got.body)
        end
        assert.equal(5, #told)
        assert.same({ "secret" }, told[1])
    end)

    it("answers with what http.raise says", function()
        local got = ask(GET, function() quoll.http.raise(418, "tea") end)
        assert.equal(418, got.status)
        assert.equal("tea", got.body)
    end)

    it("refuses heads above the limits, and CONNECT", function()
        local function never() error "called" end
        local big = http2.get(1, "/", { "a", ("x"):rep(300) })
        assert.equal(431, ask(big, never, { head = 300 }).status)
        local long = http2.get(1, "/" .. ("x"):rep(100))
        assert.equal(414, ask(long, never, { line = 50 }).status)
        local connect = http2.frame(http2.HEADERS,
            http2.END_STREAM + http2.END_HEADERS, 1,
            http2.block { ":method", "CONNECT", ":authority", "a:1" })
        assert.equal(501, ask(connect, never).status)
    end)

    it("cuts handlers that take too long", function()
        local got = ask(GET, function() quoll.sleep(30) end,
            { timeout = 0.01 })
        assert.equal(503, got.status)
    end)

    it("runs what was deferred, and closes what was opened", function()
        local file, deferred
        ask(GET, function()
            file = assert(quoll.open("Makefile", "r"))
            quoll.defer(function() deferred = true end)
            return "x"
        end)
        assert.is_true(deferred)
        assert.equal("closed", (select(2, file:size())))
    end)

    it("notes what was answered", function()
        local notes = {}
        local log = { record = function(_, req, status, bytes, s)
            notes[#notes + 1] = { req.path, status, bytes, s >= 0 }
        end }
        ask(http2.get(1, "/a"), function() return "hello" end, { log = log })
        assert.same({ { "/a", 200, 5, true } }, notes)
    end)

    it("wants no more of a body that was not read", function()
        local got
        http.run(function() return "enough" end, nil, function(connect)
            local c = http2.client(connect().conn)
            c:say(http2.post(1, "/"), http2.frame(http2.DATA, 0, 1, "abc"))
            assert.equal("enough", c:hear(1).body)
            got = c:await(http2.RST_STREAM)
            c.conn:close()
        end)
        assert.equal(0, got.code)
    end)
end)
