-- Routers and middleware over a connection, and the log of it.
local asking = require "spec.support.asking"
local helper = require "spec.helper"
local http = require("quoll").http
local json = require "quoll.http.syntax.json"
local zlib = require "zlib"

local ask, with = asking.ask, asking.with

local BODY = ("text "):rep(1000)

local function site()
    local pieces = { "one", ("two"):rep(50000), "three" }
    local inner = http.router()
        :get("/:id", function(req) return http.json(req.params) end)
    return http.router():use(http.cors(), http.gzip())
        :mount("/in", inner)
        :get("/big", function() return BODY end)
        :get("/stream", function()
            local at = 0
            return 200, function()
                at = at + 1
                return pieces[at]
            end, { ["Content-Type"] = "text/plain" }
        end)
        :get("/broken", function()
            return 200, function() return nil, "broken" end,
                { ["Content-Type"] = "text/plain" }
        end)
end

local GZIP = { ["Accept-Encoding"] = "gzip" }

describe("a site that is served", function()
    helper.gates()
    helper.silent()

    it("is routed", with(site(), function(connect)
        local conn = connect()
        assert.equal('{"id":"a b"}', ask(conn, "GET /in/a%20b").body)
        assert.equal("GET, HEAD, OPTIONS", ask(conn, "POST /big").headers.allow)
        for status, line in pairs { [404] = "GET /none", [400] = "GET /in/%zz",
            [405] = "POST /big", [204] = "OPTIONS /big", [308] = "GET /big/",
        } do
            local res = ask(conn, line)
            assert.equal(status, res.status)
            assert.equal("*", res.headers["access-control-allow-origin"])
        end
    end))

    it("is compressed, whole and in a stream", with(site(), function(connect)
        local conn = connect()
        local whole = ask(conn, "GET /big", GZIP)
        assert.equal(BODY, (zlib.inflate()(whole.body)))
        assert.equal("Accept-Encoding", whole.headers.vary)
        local head = ask(conn, "HEAD /big", GZIP)
        assert.same({ whole.headers["content-length"], "gzip" },
            { head.headers["content-length"],
                head.headers["content-encoding"] })
        local stream = ask(conn, "GET /stream", GZIP)
        assert.equal("one" .. ("two"):rep(50000) .. "three",
            (zlib.inflate()(stream.body)))
        assert.is_nil(stream.headers["content-length"])
        assert.equal(BODY, ask(conn, "GET /big").body)
    end))

    it("has no end when a body breaks off", with(site(), function(connect)
        local conn = connect()
        -- What has not left at the end is dropped: also of the head.
        assert.is_false((pcall(function()
            asking.begin(conn, "GET /broken", GZIP)
            asking.chunk(conn)
        end)))
    end))
end)

describe("the log of a site", function()
    helper.gates()
    helper.silent()

    local written = {}
    local log

    before_each(function()
        written = {}
        log = http.accesslog { format = "json", interval = 0.001,
            to = function(data)
                written[#written + 1] = data
                return true
            end }
    end)

    it("has a line for each answer", function()
        with(site(), function(connect)
            local conn = connect()
            for _, line in ipairs { "GET /big", "HEAD /big", "GET /stream",
                "GET /none?%22%0a" } do
                ask(conn, line, { ["User-Agent"] = "me" })
            end
            ask(conn, "GET /in/1")
            log:flush()
        end, { log = log })()
        local got = {}
        for line in table.concat(written):gmatch "[^\n]+" do
            local entry = assert(json.decode(line))
            assert.equal("127.0.0.1", entry.peer)
            got[#got + 1] = { entry.method, entry.target, entry.status,
                entry.bytes }
        end
        assert.same({ { "GET", "/big", 200, #BODY }, { "HEAD", "/big", 200, 0 },
            { "GET", "/stream", 200, 150008 },
            { "GET", "/none?%22%0a", 404, #"Not Found\n" },
            { "GET", "/in/1", 200, #'{"id":"1"}' } }, got)
    end)
end)
