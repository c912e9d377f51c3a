local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local raw = require "quoll.http.core"
local made = require("quoll.http.message").response
local finish = require("quoll.wait").finish

local config = raw.config {}

local function response(conn, method)
    return made(conn, finish(raw.response(conn, config, method)))
end

local function read(conn)
    return finish(raw.read(conn))
end

-- n bytes of a body, in as many pieces as they come.
local function read_bytes(conn, n)
    local got = ""
    while #got < n do
        got = got .. assert(read(conn))
    end
    return got
end

describe("bindings/http/response", function()
    helper.gates()

    it("has what the head says", pair.with(function(client, server)
        server:send "HTTP/1.1 404 Not There\r\nX-A: 1\r\n"
        quoll.sleep(0)
        server:send "Content-Length: 3\r\n\r\nabcrest"
        local res = assert(response(client, "GET"))
        assert.equal(404, res.status)
        assert.equal("Not There", res.reason)
        assert.equal("1.1", res.version)
        assert.equal("1", res:header "x-a")
        assert.equal("1", res.headers["X-A"])
        assert.equal(3, res.length)
        assert.is_true(res.keepalive)
        assert.is_nil(res.method)
        assert.equal("response (404)", tostring(res))
        assert.equal("abc", read_bytes(client, 3))
        assert.is_nil(read(client))
        local nothing_behind = raw.release(client)
        assert.is_true(helper.injected or not nothing_behind)
        assert.equal("rest", client:receive(4))
    end))

    it("gives one response after the other", pair.with(
        function(client, server)
            server:send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
                .. "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nT: u\r\n"
                .. "\r\n")
            assert.equal(100, response(client).status)
            local res = response(client)
            assert.equal(200, res.status)
            assert.is_nil(res.length)
            assert.equal("a", finish(raw.body(client, 10)))
            assert.equal("u", raw.trailers(client).t)
            assert.is_true(raw.release(client))
            server:send "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
            assert.equal(5, response(client, "HEAD").length)
            assert.is_nil(read(client))
            assert.is_true(raw.release(client))
        end))

    it("reads a body up to the end of the connection", pair.with(
        function(client, server)
            server:send "HTTP/1.0 200\r\n\r\nabc"
            local res = response(client)
            assert.is_false(res.keepalive)
            server:close()
            assert.equal("abc", finish(raw.body(client, 10)))
            assert.is_false(raw.release(client))
        end))

    it("tells what is wrong", pair.with(function(client, server)
        client:settimeout(0)
        assert.same({ nil, "timeout", "TIMEOUT" }, { response(client) })
        client:settimeout(pair.PATIENCE)
        server:send "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"
        assert.equal(200, response(client).status)
        server:close()
        assert.equal("ab", read_bytes(client, 2))
        assert.same({ nil, "closed", "CLOSED" }, { read(client) })
    end))

    it("refuses what is no response", pair.with(function(client, server)
        server:send "SSH-2.0\r\n\r\n"
        local res, err, code = response(client)
        assert.is_nil(res)
        assert.truthy(err:find "^bad response: ")
        assert.equal("EBADMSG", code)
    end))

    it("has no body behind a granted CONNECT", pair.with(
        function(client, server)
            server:send "HTTP/1.1 200 OK\r\n\r\nbytes"
            response(client)
            raw.bodyless(client)
            raw.release(client)
            assert.equal("bytes", client:receive(5))
        end))
end)
